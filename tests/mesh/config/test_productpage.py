"""Where a browser finds Bookinfo, by its own way in and by the hosts of the traffic config."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from commands import render, stackfiles
from components import gateways
from mesh.config.productpage import ProductPage
from tests.traffic_configs import load

INSIDE = "istio-ingressgateway.istio-system.svc.cluster.local"
OWN = ProductPage(gateway="istio-ingressgateway", internal_host=INSIDE)
BALANCED = gateways.facts("LoadBalancer", {"http2": 30080, "https": 30443}, ["192.0.2.7"])
ON_NODES = gateways.facts("NodePort", {"http2": 31102, "https": 31443}, [])
ALONE = gateways.facts("ClusterIP", {}, [])
TO_PAGE = [{"to": {"service": "productpage", "port": 9080}}]


def page(hosts: dict[str, Any], services: dict[str, Any] | None = None, **keys: Any) -> ProductPage | None:
    """That of a stack whose Bookinfo has no gateway of its own."""
    bookinfo = {"namespace": "default", "gateway": False}
    return load({"hosts": hosts, "services": services or {}}, **{"bookinfo": bookinfo, **keys}).product_page


def entry(*hosts: str, **more: Any) -> dict[str, Any]:
    return {"hosts": list(hosts), "routes": TO_PAGE, **more}


def url(found: ProductPage | None, facts: Mapping[str, Any]) -> str:
    assert found
    return found.url(facts, "10.0.0.1")


def test_a_load_balancer_is_reached_at_its_address() -> None:
    assert url(OWN, BALANCED) == "http://192.0.2.7/productpage"


def test_a_load_balancer_without_address_is_said_in_words() -> None:
    assert "no address yet" in url(OWN, gateways.facts("LoadBalancer", {}, []))


def test_a_node_port_is_reached_at_a_node() -> None:
    assert url(OWN, ON_NODES) == "http://10.0.0.1:31102/productpage"
    assert OWN.url(ON_NODES, None) == "http://<address of a node>:31102/productpage"


def test_a_cluster_ip_is_reached_inside_the_cluster() -> None:
    assert url(OWN, ALONE) == f"http://{INSIDE}/productpage (inside the cluster)"


def test_bookinfos_own_way_in_comes_before_hosts_of_the_traffic_config() -> None:
    assert page({"shop": entry("shop.example")}, bookinfo=True) == OWN


def test_without_any_way_in_there_is_no_page() -> None:
    assert page({}) is None
    assert page({"shop": entry("shop.example")}, bookinfo=False) is None


def test_a_host_is_asked_for_by_its_first_name() -> None:
    found = page({"shop": entry("shop.example", "www.shop.example")})
    assert url(found, BALANCED) == "http://shop.example/productpage"
    assert url(found, ON_NODES) == "http://shop.example:31102/productpage"
    assert url(found, ALONE) == "http://shop.example/productpage (inside the cluster)"


def test_a_host_with_tls_is_asked_for_by_https() -> None:
    found = page({"shop": entry("shop.example", tls="certificate")})
    assert url(found, BALANCED) == "https://shop.example/productpage"
    assert url(found, ON_NODES) == "https://shop.example:31443/productpage"


def test_a_port_that_browsers_do_not_assume_is_shown() -> None:
    assert url(page({"shop": entry("shop.example", port=15443)}), BALANCED) == "http://shop.example:15443/productpage"


def test_a_host_at_another_gateway_is_sought_there() -> None:
    edge = {"kind": "ingress", "namespace": "default"}
    found = page({"shop": entry("shop.example", gateway="edge")}, gateways={"edge": edge})
    assert found
    assert (found.gateway, found.internal_host) == ("edge", "edge.default.svc.cluster.local")


def test_all_hosts_are_asked_for_by_the_gateways_address() -> None:
    assert url(page({"shop": entry("*", tls="certificate")}), BALANCED) == "https://192.0.2.7/productpage"


def test_a_name_with_a_wildcard_is_no_name_to_ask_for() -> None:
    assert page({"shop": entry("*.shop.example")}) is None
    assert url(page({"shop": entry("*.shop.example", "shop.example")}), BALANCED) == "http://shop.example/productpage"


@pytest.mark.parametrize(
    "routes",
    [
        [{"to": "reviews"}],
        [{"redirect": {"uri": "/elsewhere"}}],
        [{"match": {"path": "/login"}, "to": "productpage"}],
        [{"match": {"path": "/product*"}, "to": "reviews"}, *TO_PAGE],
        [{"to": "productpage.other.svc.cluster.local"}],
    ],
)
def test_an_entry_that_does_not_lead_to_the_page_is_passed_over(routes: list[dict[str, Any]]) -> None:
    found = page({"api": entry("api.example", routes=routes), "shop": entry("shop.example")})
    assert url(found, BALANCED) == "http://shop.example/productpage"


@pytest.mark.parametrize("name", ["productpage", "productpage.default.svc.cluster.local", "page"])
def test_the_page_is_known_by_each_of_its_names(name: str) -> None:
    routes = [{"match": {"path": "/login"}, "to": "reviews"}, {"match": {"path": "/product*"}, "to": name}]
    service = {"host": "productpage", "versions": ["v1"]}
    assert page({"shop": entry("shop.example", routes=routes)}, {"page": service})


def exports(monkeypatch: pytest.MonkeyPatch, stack: str, **keys: Any) -> dict[str, Any]:
    """What the program exports for a stack with other keys, whose gateways are behind load balancers."""
    found: dict[str, Any] = {}

    def export(name: str, value: Any) -> None:
        pulumi.Output.from_input(value).apply(lambda known: found.update({name: known}))

    monkeypatch.setattr(pulumi, "export", export)
    monkeypatch.setattr(gateways.Gateway, "facts", property(lambda _: pulumi.Output.from_input(BALANCED)))
    more = {f"mesh:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in keys.items()}
    render.record(stack, {**stackfiles.config(stack), **more})
    return found


def test_the_program_exports_the_host_that_is_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    assert exports(monkeypatch, "hardened")["productPage"] == "https://bookinfo.example.com/productpage"


def test_the_program_exports_the_address_of_bookinfos_own_way_in(monkeypatch: pytest.MonkeyPatch) -> None:
    assert exports(monkeypatch, "dev")["productPage"] == "http://192.0.2.7/productpage"


def test_the_program_exports_no_page_that_nobody_can_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    found = exports(monkeypatch, "dev", bookinfo={"namespace": "default", "gateway": False})
    assert "profile" in found
    assert "productPage" not in found
