"""`make smoke URL=…`: which requests are tried, and how their answers are judged."""

from __future__ import annotations

import base64
import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest

from cluster import proxy
from cluster.target import Target
from commands import asking, cases, hosts, shares, smoke, spoken, stacks, standing
from commands.asking import Way, name_of, principal_of
from commands.cases import Case
from commands.stackfiles import CommandError
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.core.names import DEFAULT_NAMES
from mesh.requests.expected import Answers
from mesh.requests.rate_limits import Limit
from mesh.requests.samples import Sample
from mesh.requests.types import Outcome
from mesh.traffic import envoy
from mesh.traffic import rate_limits as config
from sandbox import live
from sandbox.live import Workload
from tests.commands.serving import Handler, served
from tests.fake_api import FakeApi, listing
from tests.sandbox.snapshots import custom

EMBEDDED, OTHER = "mesh-dev", "elsewhere"


def named(kind: str, name: str, namespace: str, spec: dict[str, Any], group: str = "v1", **meta: Any) -> dict[str, Any]:
    return {"apiVersion": group, "kind": kind, "metadata": {"name": name, "namespace": namespace, **meta}, "spec": spec}


def service(name: str, namespace: str = "shop", *ports: dict[str, Any]) -> dict[str, Any]:
    spec = {"selector": {"app": name}, "ports": list(ports) or [{"name": "http", "port": 80, "targetPort": 8080}]}
    return named("Service", name, namespace, spec)


def deployment(name: str, namespace: str = "shop", **labels: str) -> dict[str, Any]:
    container = "istio-proxy" if namespace == "istio-system" else "c"
    template = {"metadata": {"labels": labels or {"app": name}}, "spec": {"containers": [{"name": container}]}}
    return named("Deployment", name, namespace, {"template": template}, "apps/v1")


EDGE = {"name": "http2", "port": 80, "targetPort": 8080, "nodePort": 31999}
ROUTES = [
    {"match": [{"uri": {"prefix": "/old/"}}], "redirect": {"uri": "/new", "redirectCode": 302}},
    {
        "match": [{"method": {"exact": "DELETE"}}, {"method": {"exact": "PATCH"}}],
        "fault": {"abort": {"httpStatus": 418, "percentage": {"value": 100}}},
        "route": [{"destination": {"host": "web"}}],
    },
    {
        "route": [
            {"destination": {"host": "cart", "subset": "v1"}, "weight": 80},
            {"destination": {"host": "cart", "subset": "v2"}, "weight": 20},
        ]
    },
]
SUBSETS = [{"name": version, "labels": {"version": version}} for version in ("v1", "v2")]
CANARY = {"hosts": ["cart"], "http": [{"route": [{"destination": {"host": "cart", "subset": "v2"}}]}]}
SHOP: tuple[dict[str, Any], ...] = (
    named("Namespace", "shop", "", {}, labels={"istio-injection": "enabled"}),
    service("istio-ingressgateway", "istio-system", EDGE),
    deployment("istio-ingressgateway", "istio-system", app="istio-ingressgateway", istio="ingressgateway"),
    *(one for name in ("web", "mail") for one in (service(name), deployment(name))),
    service("cart"),
    service("stock", "shop", {"name": "grpc", "port": 9000}, {"name": "tcp", "port": 9001}),
    *(deployment(f"cart-{version}", "shop", app="cart", version=version) for version in ("v1", "v2")),
    deployment("stock"),
    custom("DestinationRule", {"host": "cart", "subsets": SUBSETS}, "cart", "shop"),
    custom("VirtualService", CANARY, "cart", "shop"),
    custom(
        "Gateway",
        {
            "selector": {"istio": "ingressgateway"},
            "servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["shop.example.com"]}],
        },
        "shop",
        "shop",
    ),
    custom("VirtualService", {"hosts": ["shop.example.com"], "gateways": ["shop"], "http": ROUTES}, "shop", "shop"),
)


@pytest.fixture(autouse=True)
def nothing_live(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOKEN", raising=False)
    monkeypatch.setattr(live, "applied", lambda *_: None)
    web = Workload("web", "shop", {"app": "web"}, {}, key="web.shop", address="127.0.0.2", outbound="127.0.0.3")
    monkeypatch.setattr(live, "serving", lambda _: [web])


def found(url: str, context: str = EMBEDDED, *more: dict[str, Any], token: str = "") -> cases.Cases:
    mesh = Mesh(map(Object.read, (*SHOP, *more)), DEFAULT_NAMES)
    return cases.of(mesh, context, urlsplit(url), token)


def said(made: cases.Cases) -> dict[str, dict[str, float]]:
    """The expected shares by method, host and path."""
    return {
        f"{one.sample.method_prefix}{one.sample.origin}{one.sample.path}": dict(one.answers.shares)
        for one in made.cases
    }


def test_a_host_is_asked_one_request_for_each_route_and_answer() -> None:
    made = found("http://shop.example.com")
    assert said(made) == {
        "shop.example.com/": {"cart-v1": 0.8, "cart-v2": 0.2},
        "DELETE shop.example.com/": {"418": 1.0},
        "shop.example.com/old/0": {"302 http://shop.example.com/new": 1.0},
    }
    assert {one.way for one in made.cases} == {Way("127.0.0.1", 31999, stand_ins=True)}


def test_a_redirect_to_https_is_asked_once_whatever_the_path() -> None:
    server = {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["shop.example.com"]}
    spec = {"selector": {"istio": "ingressgateway"}, "servers": [{**server, "tls": {"httpsRedirect": True}}]}
    made = said(found("http://shop.example.com", EMBEDDED, custom("Gateway", spec, "shop", "shop")))
    assert made == {"shop.example.com/": {"301 https://shop.example.com/": 1.0}}


def test_a_path_is_asked_alone() -> None:
    assert said(found("http://shop.example.com/cart?x=1")) == {
        "shop.example.com/cart?x=1": {"cart-v1": 0.8, "cart-v2": 0.2}
    }


@pytest.mark.parametrize("host", ["cart", "cart.shop", "cart.shop.svc.cluster.local"])
def test_a_service_is_asked_through_the_proxy_of_a_caller(host: str) -> None:
    made = found(f"http://{host}")
    assert said(made) == {"cart/": {"cart-v2": 1.0}}
    assert made.cases[0].way == Way("127.0.0.3", 64080, stand_ins=True)


def test_an_address_stands_for_all_hosts_and_services_with_routes() -> None:
    made = found("http://127.0.0.1:8000/")
    assert set(said(made)) == {"shop.example.com/", "DELETE shop.example.com/", "shop.example.com/old/0", "cart/"}, (
        "mail has no routes"
    )
    ways = {one.way.port for one in made.cases if one.sample.outside}
    assert ways == {8000}


def test_without_url_the_gateways_of_the_sandbox_are_asked() -> None:
    assert len(found("").cases) == 4


def test_another_cluster_is_asked_where_the_url_says_and_nothing_that_may_change_something() -> None:
    made = found("https://shop.example.com:8443", OTHER, *_secure())
    assert {one.way for one in made.cases} == {Way("shop.example.com", 8443, secure=True)}
    assert set(said(made)) == {"https://shop.example.com/", "https://shop.example.com/old/0"}
    assert made.left == {"whose method may change something": 2}


def _secure() -> tuple[dict[str, Any], ...]:
    server = {
        "port": {"number": 443, "name": "https", "protocol": "HTTPS"},
        "hosts": ["shop.example.com"],
        "tls": {"mode": "SIMPLE", "credentialName": "shop"},
    }
    return (custom("Gateway", {"selector": {"istio": "ingressgateway"}, "servers": [server]}, "shop", "shop"),)


def test_each_port_of_a_service_is_asked_in_what_it_speaks() -> None:
    made = found("http://stock")
    assert [str(one) for one in made.cases] == [
        "grpc://stock:9000/grpc.health.v1.Health/Check from web",
        "tcp://stock:9001 from web",
    ]
    assert [one.way.port for one in made.cases] == [9000, 9001]


def test_connections_to_a_port_of_several_services_are_not_tried_unless_the_others_are_gateways() -> None:
    edge = service("istio-ingressgateway", "istio-system", EDGE, {"name": "tcp", "port": 9001})
    tcp = {"name": "tcp", "port": 9001}
    assert len(found("http://stock:9001", EMBEDDED, edge).cases) == 1
    with pytest.raises(
        CommandError, match="no request to stock can be tried: all are requests to ports that several services"
    ):
        found("http://stock:9001", EMBEDDED, service("other", "shop", tcp))


def test_calls_that_may_change_something_are_made_in_the_sandbox_alone() -> None:
    stock = {"route": [{"destination": {"host": "stock", "port": {"number": 9000}}}]}
    http = [{"match": [{"uri": {"prefix": "/shop.Stock/"}}], **stock}, stock]
    of_stock = custom(
        "VirtualService", {"hosts": ["shop.example.com"], "gateways": ["shop"], "http": http}, "shop", "shop"
    )
    mesh = Mesh(map(Object.read, (*SHOP[:-1], of_stock)), DEFAULT_NAMES)
    for context, left in ((EMBEDDED, {}), (OTHER, {"whose method may change something": 1})):
        made = cases.of(mesh, context, urlsplit("http://shop.example.com"), "")
        asked = [one.sample.path for one in made.cases if one.spoken == spoken.GRPC]
        assert asked == ["/grpc.health.v1.Health/Check", *(["/shop.Stock/0"] if context == EMBEDDED else [])]
        assert made.left == left


def test_a_request_has_the_limits_of_its_route_and_of_the_pods_behind_it_once_for_each_proxy() -> None:
    limit = config.Limit(requests=10, per="second")
    labels = {"workloadSelector": {"labels": {"app": "cart"}}}
    of_pods = custom(
        "EnvoyFilter", {**labels, "configPatches": [envoy.local_filter("SIDECAR_INBOUND", limit)]}, "pods", "shop"
    )
    for context, proxies in ((EMBEDDED, 1), (OTHER, 3)):
        cart = deployment("cart-v1", "shop", app="cart", version="v1")
        cart["spec"]["replicas"] = 3
        others = [one for one in SHOP if one["metadata"]["name"] != "cart-v1"]
        mesh = Mesh(map(Object.read, (*others, of_pods, cart)), DEFAULT_NAMES)
        made = cases.of(mesh, context, urlsplit("http://shop.example.com"), "")
        by_path = {one.sample.path: one.limits for one in made.cases if one.sample.method == "GET"}
        assert by_path["/old/0"] == (), "a redirect is the gateway's own"
        assert len(by_path["/"]) == 1 + proxies, "cart-v2 has one"


def test_a_host_that_nobody_serves_is_said_with_those_that_are_served() -> None:
    with pytest.raises(CommandError, match=r"nothing serves http://nope\.example\.com; the Gateways serve shop\.exam"):
        found("http://nope.example.com")
    with pytest.raises(CommandError, match="the address of the gateways is not known: set URL="):
        found("", OTHER)


def test_a_service_that_cannot_be_called_is_said_with_the_reason() -> None:
    with pytest.raises(
        CommandError, match=r"cart\.shop is a service: requests to services are tried in the live sandbox"
    ):
        found("http://cart.shop", OTHER)
    with pytest.raises(CommandError, match=r"cart\.shop has no port 81; it has \d+"):
        found("http://cart.shop:81")
    alone = [one for one in SHOP if one["metadata"]["name"].startswith("cart") or one["kind"] == "Namespace"]
    with pytest.raises(CommandError, match=r"cart\.shop has no caller: .* through the sidecar of another workload"):
        cases.of(Mesh(map(Object.read, alone), DEFAULT_NAMES), EMBEDDED, urlsplit("http://cart.shop"), "")


def test_routes_that_need_a_token_are_not_tried_with_another_ones() -> None:
    rule = {"from": [{"source": {"requestPrincipals": ["issuer/one"]}}]}
    spec = {"selector": {"matchLabels": {"istio": "ingressgateway"}}, "rules": [rule]}
    policy = {**custom("AuthorizationPolicy", spec, "edge", "istio-system"), "apiVersion": "security.istio.io/v1"}
    assert found("http://shop.example.com", EMBEDDED, policy).left == {"that need a specific token": 1}


# Who has answered

POD = {"x-envoy-upstream-service-time": "1"}


@pytest.mark.parametrize(
    ("status", "headers", "body", "stand_ins", "name"),
    [
        (200, {"x-stand-in": "cart-v1", **POD}, b"", True, "cart-v1"),
        (404, {"x-stand-in": "cart-v1", **POD}, b"", True, "cart-v1"),
        (500, {"x-stand-in": "cart-v1", **POD}, b"", True, "cart-v1, status 500"),
        (403, POD, b"RBAC: access denied", True, "403"),
        (503, POD, b"", True, "503"),
        (200, POD, b"", False, "a pod"),
        (503, POD, b"", False, "a pod, status 503"),
        (403, POD, b"RBAC: access denied", False, "403"),
        (418, {}, b"", False, "418"),
        (302, {"location": "/new"}, b"", False, "302 /new"),
        (429, {}, b"", True, shares.LIMITED),
    ],
)
def test_an_answer_is_a_pods_or_a_proxys_own(
    status: int, headers: Mapping[str, str], body: bytes, stand_ins: bool, name: str
) -> None:
    assert name_of(status, headers, body, stand_ins) == name


def test_the_principal_of_a_token_is_its_issuer_and_subject() -> None:
    payload = base64.urlsafe_b64encode(json.dumps({"iss": "https://i", "sub": "s"}).encode()).decode().rstrip("=")
    assert principal_of(f"head.{payload}.tail") == "https://i/s"
    assert [principal_of(text) for text in ("", "opaque", "a.b.c", "a.e30.c")] == [""] * 4


# Judging


class Answering(Handler):
    """Answers in turn as its server's list says, each with a name or a status."""

    def do_GET(self) -> None:
        with self.server.lock:  # type: ignore[attr-defined]
            turn = self.server.turns.pop(0)  # type: ignore[attr-defined]
            self.server.turns.append(turn)  # type: ignore[attr-defined]
            self.server.asked.add((self.path, self.headers["Host"], self.headers["Authorization"]))  # type: ignore[attr-defined]
        if isinstance(turn, str):
            self.answer(200, x_stand_in=turn)
        else:
            self.answer(turn)


class Site(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.turns: list[str | int] = []
        self.lock = threading.Lock()
        self.asked: set[tuple[str, str, str]] = set()


@pytest.fixture
def site() -> Iterator[Site]:
    with served(Site()) as server:
        yield server


SAMPLE = Sample(source="istio-system/edge", outside=True, host="shop.example.com", port=80, secure=False, path="/cart")


def judged(site: Site, wanted: dict[str, float], late: Mapping[float, float] = {}, limits: bool = False) -> list[str]:
    way = Way("127.0.0.1", site.server_port, stand_ins=True)
    case = Case(SAMPLE, Outcome(), Answers(shares=wanted, late=late), way)
    return [f"{line.strip()}{' <-' if wrong else ''}" for wrong, line in hosts._judged(case, "secret", limits)]


def test_answers_in_the_configured_shares_are_right_and_others_wrong(site: Site) -> None:
    site.turns = [*["cart-v1"] * 4, 418]
    assert judged(site, {"cart-v1": 0.8, "418": 0.2}) == [
        "418             20% configured   20.0% of 400",
        "cart-v1         80% configured   80.0% of 400",
    ]
    assert site.asked == {("/cart", "shop.example.com", "Bearer secret")}
    assert [line[-2:] for line in judged(site, {"cart-v1": 0.5, "418": 0.5})] == ["<-", "<-"]
    assert judged(site, {"cart-v2": 1.0})[1].startswith("cart-v1          0% configured   80.0% of 20 <-")


def test_workloads_of_one_subset_count_together(site: Site) -> None:
    site.turns = ["cart-v1", "cart-v2", "cart-v2", "cart-v2"]
    [line] = judged(site, {"cart-v1 or cart-v2": 1.0})
    assert line == "cart-v1 or cart-v2  100% configured  100.0% of 20"


def test_pods_that_do_not_say_their_names_count_together() -> None:
    wanted, told = hosts._told({"cart-v1": 0.5, "cart-v2": 0.3, "418": 0.2}, Counter({"a pod": 8, "418": 2}))
    assert wanted == {"a pod": pytest.approx(0.8), "418": 0.2}
    assert told == {"a pod": 8, "418": 2}


def test_a_delay_that_does_not_come_is_wrong(site: Site) -> None:
    site.turns = ["cart"]
    lines = judged(site, {"cart": 1.0}, {0.6: 1.0, 0.1: 1.0})
    assert lines[1:] == ["0.6 s late     100% configured    0.0% of 64 <-"], "0.1 s may be any answer's"


def test_a_limit_leaves_enough_to_judge_where_there_is_one_answer(site: Site) -> None:
    site.turns = ["cart", *[429] * 99]
    assert [line[-2:] == "<-" for line in judged(site, {"cart": 1.0}, limits=True)] == [False, False]
    assert [line[-2:] == "<-" for line in judged(site, {"cart": 1.0})] == [False, True]


def limited_case(limit: Limit, *names: str) -> Case:
    answers = Answers(shares=dict.fromkeys(names, 1 / len(names)), late={})
    return Case(SAMPLE, Outcome(), answers, Way("127.0.0.1", 1), limits=(limit,))


@pytest.mark.parametrize(
    ("per_second", "names", "pace"),
    [(100, ("a", "b"), (400, 0.05)), (5, ("a", "b"), (40, 1.0)), (5, ("a",), (20, 1.0)), (0.1, ("a",), (4, 50.0))],
)
def test_requests_wait_so_that_no_limit_refuses_them(
    per_second: float, names: tuple[str, ...], pace: tuple[int, float]
) -> None:
    limit = Limit(owner="EnvoyFilter shop/limit", most=100, fill=10, interval=10 / per_second)
    assert hosts._pace(limited_case(limit, *names), {}, True) == pytest.approx(pace)


def test_shares_are_not_tried_where_a_limit_leaves_too_few_answers() -> None:
    limit = Limit(owner="EnvoyFilter shop/limit", most=10, fill=10, interval=60)
    [(wrong, line)] = hosts._judged(limited_case(limit, "a", "b"), "", False)
    assert wrong == ""
    assert line.strip() == "shares are not tried: a limit of 10 in 60 s leaves fewer than 20 answers in 10 s"


def test_no_answer_is_right_where_no_connection_is_expected() -> None:
    assert hosts._told({"no connection": 1.0}, Counter({shares.NO_ANSWER: 3}))[1] == {"no connection": 3}


def test_nobody_at_the_address_is_no_answer() -> None:
    way = Way("127.0.0.1", 1)
    assert [name for name, _ in asking.asked(SAMPLE, way, "", 2)] == [shares.NO_ANSWER] * 2


# The command


def test_a_url_of_another_host_than_the_page_is_asked_by_its_routes(
    site: Site,
) -> None:
    site.turns = ["web"]
    lists = {kind: [one for one in SHOP if one["kind"] == kind] for kind in standing.READ}
    api = FakeApi({f"GET {path}": listing(*lists[kind]) for kind, path in standing.READ.items()})
    settings = stacks.load("dev").settings
    url = f"http://127.0.0.1:{site.server_port}/x"
    lines = list(hosts.rows(api, settings, url))
    assert lines[0] == ("", "shop.example.com/x through istio-ingressgateway: VirtualService shop/shop http[2]")
    assert [wrong for wrong, _ in lines[1:4]] == [shares.CONTRADICTS] * 3, "web answers in place of cart"


@pytest.mark.parametrize(
    ("url", "by_host"),
    [("", False), ("http://127.0.0.1:1/productpage", False), ("http://127.0.0.1:1/", True), ("http://shop/cart", True)],
)
def test_a_stack_with_bookinfo_is_asked_for_its_page_unless_the_url_is_another_one(
    url: str, by_host: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("URL", url)
    monkeypatch.setattr(Target, "named", lambda _: None)
    monkeypatch.setattr(proxy, "connect", nullcontext)
    monkeypatch.setattr(smoke, "_recorded_page", lambda _: "http://127.0.0.1:1/productpage")
    monkeypatch.setattr(smoke, "_of_bookinfo", lambda *_: [("", "page")])
    monkeypatch.setattr(hosts, "rows", lambda *_: [("wrong", "hosts")])
    assert smoke.run("dev") == by_host
    assert capsys.readouterr().out == ("hosts  <- wrong\n" if by_host else "page\n")


@pytest.mark.parametrize("url", ["shop.example.com", "ftp://shop", "http:///x"])
def test_a_url_that_is_none_is_one_message(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("URL", url)
    with pytest.raises(CommandError, match=r"URL is .*, not an address such as http://shop"):
        smoke.run("dev")
