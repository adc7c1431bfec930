"""What the analysis says of rewrites, redirects, conditions and affinity is what pilot and Envoy make of them. Both are
the same programs for each release."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import requests

from tests.e2e.conftest import Checkout
from tests.e2e.live import RULE, custom, free_node_port, soon, standing, to, virtual_service

LAB = "lab.example.com"
PAGE = {"route": [{"destination": {"host": "productpage", "port": {"number": 9080}}}]}
ABORT = {"fault": {"abort": {"httpStatus": 503, "percentage": {"value": 100}}}}
AFFINITY = {"loadBalancer": {"consistentHash": {"httpCookie": {"name": "user", "ttl": "0s"}}}}


@pytest.fixture(scope="module")
def site(checkout: Checkout) -> Iterator[str]:
    """The address of the live gateway, whose routes may lead to each service."""
    port = free_node_port()
    checkout.set(ingressNodePorts={"http2": port}, addons=None, analysis=None, security=None)
    checkout.make("up", "LIVE=1")
    yield f"http://127.0.0.1:{port}"
    checkout.reset_files()


def lab(*http: Mapping[str, Any]) -> dict[str, Any]:
    """Routes of the gateway for a host of their own, with a last one to the product page."""
    spec = {"hosts": [LAB], "gateways": ["bookinfo-gateway"], "http": [*http, PAGE]}
    return custom("VirtualService", "lab", spec)


def at(uri: Mapping[str, str], **more: Any) -> dict[str, Any]:
    return {"match": [{"uri": dict(uri)}], **(PAGE if "redirect" not in more else {}), **more}


def get(site: str, path: str, **headers: str) -> requests.Response:
    address = f"{site}{path}"
    return requests.get(address, headers={"Host": LAB, **headers}, timeout=20, allow_redirects=False)


def served(site: str, path: str) -> str:
    """The path that the product page was asked for, which knows nothing there and says so."""
    return get(site, path).text.partition("there is nothing at ")[2].partition('"')[0]


def test_rewrites_are_mangled_as_the_analysis_says(checkout: Checkout, site: str) -> None:
    routes = [
        at({"prefix": "/old"}, rewrite={"uri": "/new/"}),
        at({"prefix": "/api/"}, rewrite={"uri": "/v2"}),
        at({"prefix": "/good/"}, rewrite={"uri": "/"}),
        at({"exact": "/good"}, rewrite={"uri": "/"}),
        at({"prefix": "/star"}, rewrite={"uri": "/new/*"}),
    ]
    with standing(checkout, lab(*routes)):
        soon(lambda: served(site, "/api/x") == "/v2x")
        assert served(site, "/old/x") == "/new//x"
        assert served(site, "/star/x") == "/new/*/x"
        assert served(site, "/good/x") == "/x"
        assert get(site, "/good").status_code == 200


def test_a_redirect_into_its_own_match_has_no_end(checkout: Checkout, site: str) -> None:
    with standing(checkout, lab(at({"prefix": "/loop"}, redirect={"uri": "/loop"}))):
        soon(lambda: get(site, "/loop/x").status_code == 301)
        again = get(site, "/loop")
        assert (again.status_code, again.headers["Location"]) == (301, f"http://{LAB}/loop")


def test_a_path_has_no_query_and_a_regex_is_about_the_whole_path(checkout: Checkout, site: str) -> None:
    routes = [
        at({"exact": "/x?version=2"}, redirect={"uri": "/never"}),
        at({"prefix": "/y?"}, redirect={"uri": "/never"}),
        at({"regex": "z/.*"}, redirect={"uri": "/never"}),
        at({"regex": r"/w\?v=.*"}, redirect={"uri": "/never"}),
        at({"exact": "/found"}, redirect={"uri": "/yes"}),
    ]
    with standing(checkout, lab(*routes)):
        soon(lambda: get(site, "/found").status_code == 301)
        for path in ("/x?version=2", "/y?a=b", "/z/a", "/w?v=1"):
            assert get(site, path).status_code == 404


def test_a_fault_of_a_service_that_the_gateway_calls_happens_only_in_the_gateways_own_route(
    checkout: Checkout, site: str
) -> None:
    with standing(checkout, virtual_service("productpage", {**PAGE, **ABORT}), lab(at({"exact": "/here"}, **ABORT))):
        soon(lambda: get(site, "/here").status_code == 503)
        assert get(site, "/productpage").status_code == 200


def test_affinity_keeps_a_client_within_a_version_and_not_across_weights(checkout: Checkout, site: str) -> None:
    rule = custom("DestinationRule", "reviews", {**RULE["spec"], "trafficPolicy": AFFINITY})

    def versions(count: int = 60) -> Counter[str]:
        answers = (get(site, "/reviews/0", Cookie="user=jason") for _ in range(count))
        return Counter(answer.json()["podname"] for answer in answers if answer.ok)

    with standing(checkout, rule, lab({"match": [{"uri": {"prefix": "/reviews/"}}], **to(v1=50, v2=50)})):
        soon(lambda: "podname" in get(site, "/reviews/0").text)
        assert len(versions()) == 2
    with standing(checkout, rule, lab({"match": [{"uri": {"prefix": "/reviews/"}}], **to(v1=100)})):
        soon(lambda: set(versions(10)) == {"reviews-v1"})
        assert set(versions()) == {"reviews-v1"}
