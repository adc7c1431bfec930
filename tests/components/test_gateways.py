"""The address of a gateway, as outputs and `make status` show it."""

from components import gateways


def test_the_address_of_a_gateway_leaves_out_what_it_does_not_have() -> None:
    facts = gateways.address("NodePort", {"http2": 31102, "https": None}, [])
    assert facts == {"type": "NodePort", "nodePorts": {"http2": 31102}}


def test_the_address_is_read_from_a_service_as_pulumi_returns_it() -> None:
    spec = {"type": "LoadBalancer", "ports": [{"name": "http2", "node_port": 30080.0}]}
    status = {"load_balancer": {"ingress": [{"hostname": "lb.example"}]}}
    assert gateways._address_of(spec, status)["addresses"] == ["lb.example"]
