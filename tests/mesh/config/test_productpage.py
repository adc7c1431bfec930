"""The URL of Bookinfo's product page, at its own Gateway and at hosts of the traffic config."""

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
BALANCED = gateways.address("LoadBalancer", {"http2": 30080, "https": 30443}, ["192.0.2.7"])
ON_NODES = gateways.address("NodePort", {"http2": 31102, "https": 31443}, [])
ALONE = gateways.address("ClusterIP", {}, [])
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
    assert "no address yet" in url(OWN, gateways.address("LoadBalancer", {}, []))


def test_a_node_port_is_reached_at_a_node() -> None:
    assert url(OWN, ON_NODES) == "http://10.0.0.1:31102/productpage"
    assert OWN.url(ON_NODES, None) == "http://<address of a node>:31102/productpage"


def test_a_cluster_ip_is_reached_inside_the_cluster() -> None:
    assert url(OWN, ALONE) == f"http://{INSIDE}/productpage (inside the cluster)"


def test_bookinfos_own_gateway_takes_precedence_over_hosts_of_the_traffic_config() -> None:
    assert page({"shop": entry("shop.example")}, bookinfo=True) == OWN


def test_without_a_route_from_a_gateway_there_is_no_product_page() -> None:
    assert page({}) is None
    assert page({"shop": entry("shop.example")}, bookinfo=False) is None


def test_the_url_has_the_first_host_of_the_entry() -> None:
    found = page({"shop": entry("shop.example", "www.shop.example")})
    assert url(found, BALANCED) == "http://shop.example/productpage"
    assert url(found, ON_NODES) == "http://shop.example:31102/productpage"
    assert url(found, ALONE) == "http://shop.example/productpage (inside the cluster)"


def test_the_url_of_a_host_with_tls_is_https() -> None:
    found = page({"shop": entry("shop.example", tls="certificate")})
    assert url(found, BALANCED) == "https://shop.example/productpage"
    assert url(found, ON_NODES) == "https://shop.example:31443/productpage"


def test_the_url_has_the_port_if_it_is_not_the_default() -> None:
    assert url(page({"shop": entry("shop.example", port=15443)}), BALANCED) == "http://shop.example:15443/productpage"


def test_the_url_of_a_host_at_another_gateway_leads_to_that_gateway() -> None:
    edge = {"kind": "ingress", "namespace": "default"}
    found = page({"shop": entry("shop.example", gateway="edge")}, gateways={"edge": edge})
    assert found
    assert (found.gateway, found.internal_host) == ("edge", "edge.default.svc.cluster.local")


def test_the_url_of_the_host_star_has_the_gateways_address() -> None:
    assert url(page({"shop": entry("*", tls="certificate")}), BALANCED) == "https://192.0.2.7/productpage"


def test_a_wildcard_host_is_not_used_in_a_url() -> None:
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
def test_an_entry_that_does_not_route_to_the_product_page_is_ignored(routes: list[dict[str, Any]]) -> None:
    found = page({"api": entry("api.example", routes=routes), "shop": entry("shop.example")})
    assert url(found, BALANCED) == "http://shop.example/productpage"


@pytest.mark.parametrize("name", ["productpage", "productpage.default.svc.cluster.local", "page"])
def test_routes_to_any_host_name_of_the_product_page_are_recognized(name: str) -> None:
    routes = [{"match": {"path": "/login"}, "to": "reviews"}, {"match": {"path": "/product*"}, "to": name}]
    service = {"host": "productpage", "versions": ["v1"]}
    assert page({"shop": entry("shop.example", routes=routes)}, {"page": service})


def exports(monkeypatch: pytest.MonkeyPatch, stack: str, **keys: Any) -> dict[str, Any]:
    """What the program exports for a stack with other keys, whose gateways are behind load balancers."""
    found: dict[str, Any] = {}

    def export(name: str, value: Any) -> None:
        pulumi.Output.from_input(value).apply(lambda known: found.update({name: known}))

    monkeypatch.setattr(pulumi, "export", export)
    monkeypatch.setattr(gateways.Gateway, "address", property(lambda _: pulumi.Output.from_input(BALANCED)))
    more = {f"mesh:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in keys.items()}
    render.record(stack, {**stackfiles.config(stack), **more})
    return found


def test_the_program_exports_the_url_with_the_host_of_the_traffic_config(monkeypatch: pytest.MonkeyPatch) -> None:
    assert exports(monkeypatch, "hardened")["productPage"] == "https://bookinfo.example.com/productpage"


def test_the_program_exports_the_url_at_bookinfos_own_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    assert exports(monkeypatch, "dev")["productPage"] == "http://192.0.2.7/productpage"


def test_the_program_exports_no_url_if_no_gateway_routes_to_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    found = exports(monkeypatch, "dev", bookinfo={"namespace": "default", "gateway": False})
    assert "profile" in found
    assert "productPage" not in found
