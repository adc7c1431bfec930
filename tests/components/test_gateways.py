"""What is said of how a gateway is reached."""

from components import gateways


def test_what_a_gateway_does_not_have_is_not_said() -> None:
    facts = gateways.address("NodePort", {"http2": 31102, "https": None}, [])
    assert facts == {"type": "NodePort", "nodePorts": {"http2": 31102}}


def test_a_service_as_pulumi_returns_it_is_understood() -> None:
    spec = {"type": "LoadBalancer", "ports": [{"name": "http2", "node_port": 30080.0}]}
    status = {"load_balancer": {"ingress": [{"hostname": "lb.example"}]}}
    assert gateways._address_of(spec, status)["addresses"] == ["lb.example"]
