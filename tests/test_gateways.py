"""How a gateway is reached, by its Service type."""

from components import gateways

HOST = "gateway.istio-system.svc"


def test_a_load_balancer_is_reached_at_its_address() -> None:
    facts = gateways.facts("LoadBalancer", {"http2": 30080}, ["192.0.2.7"])
    assert gateways.product_page(facts, HOST, "10.0.0.1") == "http://192.0.2.7/productpage"


def test_a_load_balancer_without_address_is_said_in_words() -> None:
    assert "no address yet" in gateways.product_page(gateways.facts("LoadBalancer", {}, []), HOST, None)


def test_a_node_port_is_reached_at_a_node() -> None:
    facts = gateways.facts("NodePort", {"http2": 31102, "https": None}, [])
    assert facts == {"type": "NodePort", "nodePorts": {"http2": 31102}}
    assert gateways.product_page(facts, HOST, "10.0.0.1") == "http://10.0.0.1:31102/productpage"


def test_a_cluster_ip_is_reached_inside_the_cluster() -> None:
    page = gateways.product_page(gateways.facts("ClusterIP", {}, []), HOST, "10.0.0.1")
    assert page == f"http://{HOST}/productpage (inside the cluster)"


def test_a_service_as_pulumi_returns_it_is_understood() -> None:
    spec = {"type": "LoadBalancer", "ports": [{"name": "http2", "node_port": 30080.0}]}
    status = {"load_balancer": {"ingress": [{"hostname": "lb.example"}]}}
    assert gateways._facts(spec, status)["addresses"] == ["lb.example"]
