"""The live data plane: requests to the page of a stack on the embedded cluster. Each test continues from the previous
one, and deletes the objects that it applies."""

from __future__ import annotations

import json
import os
import re
import socket
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import psutil
import pytest
import requests

from commands.docs_pictures.recorder import Command, RecordingFailed, Terminal
from mesh import releases
from mesh.releases.dashboards import Dashboard
from mesh.requests.types import Request
from tests.e2e.conftest import NO_CHANGES, SECOND_IS_LONG, Checkout, counts
from tests.e2e.live import (
    PRODUCT,
    RATINGS,
    RULE,
    answered,
    custom,
    differing,
    evaluator,
    expected,
    free_node_port,
    shop,
    soon,
    standing,
    statuses,
    to,
    version,
    versions,
    virtual_service,
    watched,
    within,
)

pytestmark = SECOND_IS_LONG
REQUESTS = 2000
LIVE = "LIVE=1"


@pytest.fixture(scope="module")
def port(checkout: Checkout) -> int:
    """A free node port. Everyone may call everyone, so that the gateway's routes may lead to each service."""
    own, found = checkout.given("security"), free_node_port()
    checkout.set(ingressNodePorts={"http2": found}, security=own and {"mtls": own["mtls"]})
    return found


@pytest.fixture(scope="module")
def site(checkout: Checkout, port: int) -> Iterator[str]:
    """The address of the live gateway, after `make up` of the stack."""
    checkout.make("up", LIVE)
    yield f"http://127.0.0.1:{port}"
    checkout.reset_files()


def processes(checkout: Checkout) -> dict[str, int]:
    """The process numbers of the live data plane, by name."""
    records = (checkout.cluster / "run").glob("live-*.json")
    return {record.stem: json.loads(record.read_text())["pid"] for record in records}


def family(numbers: Collection[int]) -> set[int]:
    """These processes and those that they have started: an agent starts its Envoy."""
    own = [psutil.Process(number) for number in numbers]
    return {*numbers, *(child.pid for one in own for child in one.children(recursive=True))}


def switch(checkout: Checkout, **wanted: Mapping[str, float]) -> None:
    """Switches on faults of stand-ins, as the docs describe."""
    text = json.dumps({name.replace("_", "-"): what for name, what in wanted.items()})
    (checkout.cluster / "live" / "switches.json").write_text(text)


def test_a_taken_node_port_is_one_error_message(checkout: Checkout, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        text = checkout.make("up", LIVE, code=None)
    assert f"node port {port}, http2 of istio-ingressgateway, is in use by" in text
    assert f"(process {os.getpid()})" in text
    assert "the stack is up, but its live sandbox is not" in text
    assert "Traceback" not in text


def test_the_printed_address_answers(site: str) -> None:
    answer = requests.get(f"{site}/productpage", timeout=20)
    assert answer.status_code == 200
    assert "The Comedy of Errors" in answer.text
    assert "not available" not in answer.text


def test_only_this_machine_can_reach_it(checkout: Checkout, site: str) -> None:
    assert site
    owners = family(processes(checkout).values())
    inodes = {str(d.readlink()) for pid in owners for d in Path(f"/proc/{pid}/fd").iterdir()}
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = {row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in inodes}
    assert len(listening) > 20
    assert all(address[6:8] == "7F" for address in listening), "the last byte comes first: 127.x.x.x"


def test_a_second_up_changes_nothing(checkout: Checkout, site: str) -> None:
    assert site
    before = processes(checkout)
    assert "already running" in checkout.make("up", NO_CHANGES, LIVE)
    assert processes(checkout) == before


def test_a_preview_of_down_and_a_declined_down_leave_everything_as_it_is(checkout: Checkout, site: str) -> None:
    before, present = processes(checkout), checkout.objects()
    assert re.search(r"- \d+ to delete", counts(checkout.make("down", "ARGS=--preview-only", LIVE)))
    assert (processes(checkout), checkout.objects()) == (before, present)
    terminal = Terminal(columns=120, rows=40, folder=checkout.root, environment=checkout.env)
    no = Command(shown="", argv=checkout.command("down", LIVE), answers={"perform this destroy": "no\r"})
    with pytest.raises(RecordingFailed, match="confirmation declined"):
        terminal.record([no])
    assert (processes(checkout).keys(), checkout.objects()) == (before.keys(), present)
    assert requests.get(f"{site}/productpage", timeout=20).status_code == 200
    checkout.make("up", NO_CHANGES, LIVE)


def test_status_shows_what_is_live_and_what_is_simulated(checkout: Checkout, site: str) -> None:
    text = checkout.make("status")
    assert f"live      http2 {site}; pilot, 8 proxies, stand-ins" in text
    assert "serving: productpage-v1, details-v1, reviews-v1" in text
    assert "simulated: " in text


def test_without_rules_every_version_answers(site: str) -> None:
    assert set(versions(site, 100)) == {"v1", "v2", "v3"}


def test_weights_and_a_users_route_are_followed(checkout: Checkout, site: str) -> None:
    jason = {"match": [{"headers": {"end-user": {"exact": "jason"}}}], **to(v2=100)}
    with standing(checkout, RULE, virtual_service("reviews", jason, to(v1=90, v3=10))):
        soon(lambda: set(versions(site, 40)) <= {"v1", "v3"})
        found = versions(site, REQUESTS)
        assert found.total() == REQUESTS
        assert set(found) == {"v1", "v3"}
        assert within(0.1, found["v3"], REQUESTS), found
        with requests.Session() as session:
            session.post(f"{site}/login", data={"username": "jason"}, timeout=20)
            assert {version(site, session) for _ in range(30)} == {"v2"}
            session.get(f"{site}/logout", timeout=20)
            assert version(site, session) != "v2"


def test_a_changed_weight_takes_effect_within_seconds(checkout: Checkout, site: str) -> None:
    with standing(checkout, RULE, virtual_service("reviews", to(v1=100))):
        soon(lambda: set(versions(site, 40)) == {"v1"})
        checkout.apply(virtual_service("reviews", to(v3=100)))
        soon(lambda: set(versions(site, 40)) == {"v3"}, limit=5)


def test_an_abort_fails_its_percentage_of_requests(checkout: Checkout, site: str) -> None:
    abort = {"fault": {"abort": {"httpStatus": 418, "percentage": {"value": 30}}}}
    with standing(checkout, virtual_service("ratings", {**abort, **RATINGS})):
        soon(lambda: statuses(site, 20)[418])
        found = statuses(site, 600)
        assert set(found) == {200, 418}
        assert within(0.3, found[418], 600), found


def test_a_delay_slows_requests_down(checkout: Checkout, site: str) -> None:
    def seconds() -> float:
        return requests.get(f"{site}{PRODUCT}/ratings", timeout=20).elapsed.total_seconds()

    delay = {"fault": {"delay": {"fixedDelay": "1.2s", "percentage": {"value": 100}}}}
    assert seconds() < 0.5
    with standing(checkout, virtual_service("ratings", {**delay, **RATINGS})):
        soon(lambda: seconds() > 0.5)
        assert 1.15 < seconds() < 2, "Envoy's timers may go off a few ms early"


def test_a_timeout_ends_slow_requests(checkout: Checkout, site: str) -> None:
    switch(checkout, ratings_v1={"delay": 2})
    with standing(checkout, virtual_service("ratings", {"timeout": "0.4s", **RATINGS})):
        soon(lambda: statuses(site, 1)[504])
        began = time.monotonic()
        assert statuses(site, 2) == {504: 2}
        assert time.monotonic() - began < 2
    switch(checkout)


def test_a_retry_hides_a_failure(checkout: Checkout, site: str) -> None:
    switch(checkout, ratings_v1={"failEvery": 2})
    found = statuses(site, 20)
    assert found == {200: 10, 500: 10}
    retries = {"retries": {"attempts": 2, "perTryTimeout": "2s", "retryOn": "5xx"}}
    with standing(checkout, virtual_service("ratings", {**retries, **RATINGS})):
        soon(lambda: set(statuses(site, 10)) == {200})
        assert statuses(site, 60) == {200: 60}
    switch(checkout)


def test_a_failing_service_is_shown_on_the_page_without_failing_it(checkout: Checkout, site: str) -> None:
    abort = {"fault": {"abort": {"httpStatus": 503, "percentage": {"value": 100}}}}
    rules = (RULE, virtual_service("reviews", to(v2=100)), virtual_service("ratings", {**abort, **RATINGS}))
    with standing(checkout, *rules):
        page = soon(lambda: (p := requests.get(f"{site}/productpage", timeout=20)).text.count("ratings service") and p)
        assert page.status_code == 200
        assert 'class="stars' not in page.text


@pytest.mark.parametrize(
    ("version", "stars"), [("v1", None), ("v2", '<p class="stars black"'), ("v3", '<p class="stars red"')]
)
def test_each_version_shows_its_stars(checkout: Checkout, site: str, version: str, stars: str | None) -> None:
    with standing(checkout, RULE, virtual_service("reviews", to(**{version: 100}))):
        soon(lambda: set(versions(site, 40)) == {version})
        text = requests.get(f"{site}/productpage", timeout=20).text
        assert (stars in text) if stars else ("stars" not in text)


TRY = "try.example.com"
JASON = {"headers": {"end-user": {"exact": "jason"}}}
RULED = (
    RULE,
    custom(
        "VirtualService",
        "try",
        {
            "hosts": [TRY],
            "gateways": ["bookinfo-gateway"],
            "http": [
                {"match": [{"uri": {"exact": "/moved"}}], "redirect": {"uri": "/reviews/0"}},
                {"match": [{"uri": {"prefix": "/stars"}}], "rewrite": {"uri": "/ratings"}, **RATINGS},
                {
                    "match": [{"uri": {"exact": "/half"}}],
                    "rewrite": {"uri": "/ratings/0"},
                    "fault": {"abort": {"httpStatus": 418, "percentage": {"value": 30}}},
                    **RATINGS,
                },
                {
                    "match": [{"uri": {"regex": "/b[0-9]+"}, "method": {"exact": "GET"}}],
                    "rewrite": {"uri": "/details/0"},
                    "route": [{"destination": {"host": "details"}}],
                },
                {"match": [{"uri": {"prefix": "/reviews"}, **JASON}], **to(v2=100)},
                {"match": [{"uri": {"prefix": "/REVIEWS"}, "ignoreUriCase": True}], **to(v1=70, v3=30)},
                {"match": [{"uri": {"prefix": "/shut"}}], **to(v1=100)},
            ],
        },
    ),
    virtual_service("ratings", {"fault": {"abort": {"httpStatus": 503, "percentage": {"value": 20}}}, **RATINGS}),
    {
        "apiVersion": "security.istio.io/v1beta1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": "shut", "namespace": "default"},
        "spec": {
            "selector": {"matchLabels": {"app": "reviews"}},
            "action": "DENY",
            "rules": [{"to": [{"operation": {"paths": ["/shut*"]}}]}],
        },
    },
)
SAMPLES: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    (TRY, "/reviews/0", {}),
    (TRY, "/reviews/0", {"end-user": "jason"}),
    (TRY, "/reviews/0", {"end-user": "jasonette"}),
    (TRY, "/half", {}),
    (TRY, "/stars/0", {}),
    (TRY, "/moved", {}),
    (TRY, "/moved/on", {}),
    (TRY, "/b42", {}),
    (TRY, "/bad", {}),
    (TRY, "/shut/up", {}),
    (TRY, "/productpage", {}),
    ("nowhere.example.com", "/reviews/0", {}),
)


def test_envoy_behaves_as_the_evaluation_of_routes_predicts(checkout: Checkout, site: str) -> None:
    with standing(checkout, *RULED):
        with requests.Session() as session:
            soon(lambda: answered(site, session, "/moved", {"Host": TRY})[0] == 301)
            soon(lambda: answered(site, session, "/shut", {"Host": TRY})[0] == 403)
            soon(lambda: statuses(site, 20)[503])
        judge = evaluator(checkout)
        gateway = judge.mesh.workloads.named("istio-system", "istio-ingressgateway")
        page = judge.mesh.workloads.named("default", "productpage-v1")
        assert gateway
        assert page
        wrong = []
        for host, path, headers in SAMPLES:
            wanted = expected(judge.from_outside(Request(host=host, path=path, headers=headers), gateway))
            if found := differing(site, wanted, path, {"Host": host, **headers}):
                wrong.append((host, path, headers, wanted, found))
        inside = expected(judge.from_workload(Request(host="ratings", path="/ratings/0", port=9080), page))
        if found := differing(site, inside, f"{PRODUCT}/ratings", {}):
            wrong.append(("ratings", "/ratings/0", {}, inside, found))
    assert wrong == []
    assert inside == {(503, ""): 0.2, (200, "ratings-v1"): 0.8}


def question(dashboard: Dashboard, metric: str, title: str = "", **chosen: str) -> str:
    """The only query of a dashboard about a metric, or that of the panel with this title, with these values of the
    dashboard's variables; others match everything."""
    panels = [panel for _, panel in dashboard.panels if title in ("", panel.title)]
    [expr] = [query.expr for panel in panels for query in panel.queries if metric in query.expr]
    values = {"__rate_interval": "1m", **chosen}
    return re.sub(r"\$(\w+)", lambda name: values.get(name[1], ".*"), expr)


def test_a_prometheus_with_the_live_configuration_answers_the_dashboards_queries(checkout: Checkout, site: str) -> None:
    assert set(versions(site, 100)) == {"v1", "v2", "v3"}, "what counts is how numbers grow, so all are to be there"
    folders = releases.get(checkout.as_cloned.settings.release).addons.grafana.dashboards.folders
    active = question(folders["istio"]["pilot-dashboard"], "envoy_cluster_upstream_cx_active")
    of_bookinfo, title = folders["bookinfo"]["bookinfo-dashboard"], "Share of its service's requests"
    split = question(of_bookinfo, "istio_requests_total", title, service="reviews")
    with standing(checkout, RULE, virtual_service("reviews", to(v1=90, v3=10))), watched(checkout) as ask:
        soon(lambda: ask(active) == {"": 8}, limit=20)
        until = time.monotonic() + 12  # several looks at all numbers
        found: Counter[str] = Counter()
        while time.monotonic() < until:
            found += versions(site, 100)
        shares = soon(lambda: ask(split), limit=20)
        assert abs(shares["v3"] - found["v3"] / found.total()) < 0.03, (shares, found)
        assert abs(shares["v1"] - found["v1"] / found.total()) < 0.03, (shares, found)


def test_traffic_settings_of_the_stack_apply_to_requests(checkout: Checkout, site: str) -> None:
    reviews = {"versions": ["v1", "v2", "v3"], "rules": [{"match": {"user": "jason"}, "route": "v2"}]}
    limited = {"ratings": {"limit": {"requests": 7, "per": "hour"}}}
    checkout.set(traffic={"services": {"reviews": {**reviews, "route": {"v1": 75, "v3": 25}}, **limited}})
    checkout.make("up", LIVE)
    soon(lambda: statuses(site, 1)[429])
    assert statuses(site, 5) == {429: 5}
    assert re.search(r"reviews +v1 +75% configured.*\n +v3 +25%.*\nuser jason +v2 +100%", checkout.make("smoke"))
    checkout.set(traffic={"services": {"reviews": {**reviews, "route": {"v1": 0, "v3": 100}}}})
    checkout.make("up", LIVE)
    soon(lambda: set(versions(site, 100)) == {"v3"})
    soon(lambda: statuses(site, 1)[200])
    checkout.set(traffic=None)
    checkout.make("up", LIVE)
    soon(lambda: set(versions(site, 100)) == {"v1", "v2", "v3"})


KEY = {  # the public key of RFC 7517's example
    "kty": "EC",
    "crv": "P-256",
    "kid": "1",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
}
SHOP = "https://shop.example.com"
PREFLIGHT = {"Host": "app.example.com", "Access-Control-Request-Method": "GET"}


def test_browsers_preflights_need_no_token_and_nothing_else_passes_without(checkout: Checkout, site: str) -> None:
    page = {"service": "productpage", "port": 9080}
    cors = {"allowOrigins": [{"exact": SHOP}], "allowHeaders": ["authorization"]}
    limited = {"match": {"path": "/api*"}, "to": page, "cors": cors, "limit": {"requests": 5, "per": "hour"}}
    issuer = {"issuer": "https://issuer.example.com", "jwks": json.dumps({"keys": [KEY]})}
    app = {"hosts": ["app.example.com"], "routes": [limited, {"to": page}]}
    jwt = {"issuers": [issuer], "hosts": ["app.example.com"]}
    own = checkout.given("security")
    checkout.set(traffic={"hosts": {"app": app}}, security={**(own or {}), "jwt": jwt})
    checkout.make("up", LIVE)

    def ask(method: str, path: str = PRODUCT, without: str = "", origin: str = SHOP) -> requests.Response:
        headers = {name: value for name, value in {**PREFLIGHT, "Origin": origin}.items() if name != without}
        return requests.request(method, f"{site}{path}", headers=headers, timeout=20)

    soon(lambda: ask("GET", "/productpage").status_code == 403)
    for _ in range(20):  # none is counted
        assert ask("OPTIONS").status_code == 200
    assert ask("OPTIONS").headers["access-control-allow-origin"] == SHOP
    assert ask("OPTIONS", origin="https://evil.example.com").status_code == 403
    assert ask("OPTIONS", without="Origin").status_code == 403
    assert ask("OPTIONS", without="Access-Control-Request-Method").status_code == 403
    assert ask("OPTIONS", "/productpage").status_code == 403  # another route, without CORS
    refused = ask("GET")
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (403, SHOP)
    soon(lambda: ask("GET").status_code == 429)
    assert ask("GET").headers["access-control-allow-origin"] == SHOP
    checkout.set(traffic=None, security=own)
    checkout.make("up", LIVE)


def test_an_https_gateway_uses_the_certificate_of_its_secret(checkout: Checkout, site: str) -> None:
    assert site
    pki = checkout.cluster / "pki"
    pair = (f"--cert={pki / 'server.crt'}", f"--key={pki / 'server.key'}")
    checkout.kubectl("create", "secret", "tls", "page", "--namespace=istio-system", *pair)
    tls = {"mode": "SIMPLE", "credentialName": "page"}
    server = {"port": {"number": 443, "name": "https", "protocol": "HTTPS"}, "hosts": ["*"], "tls": tls}
    gateway = custom("Gateway", "secure", {"selector": {"istio": "ingressgateway"}, "servers": [server]})
    route = {"route": [{"destination": {"host": "productpage", "port": {"number": 9080}}}]}
    routes = custom("VirtualService", "secure", {"hosts": ["*"], "gateways": ["secure"], "http": [route]})
    with standing(checkout, gateway, routes):
        notes = checkout.cluster / "live" / "notes.json"
        port = soon(lambda: json.loads(notes.read_text())["nodePorts"].get("https"))
        soon(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
        page = f"https://127.0.0.1:{port}/productpage"
        assert requests.get(page, verify=str(pki / "ca.crt"), timeout=20).status_code == 200
        assert f"https https://127.0.0.1:{port}" in checkout.make("status")
    checkout.kubectl("delete", "secret", "page", "--namespace=istio-system")


def test_smoke_succeeds_with_correct_routes_and_fails_if_the_page_contradicts_them(
    checkout: Checkout, site: str
) -> None:
    assert site
    jason = {"match": [{"headers": {"end-user": {"exact": "jason"}}}], **to(v2=100)}
    with standing(checkout, RULE, virtual_service("reviews", jason, to(v1=90, v3=10))):
        soon(lambda: set(versions(site, 40)) <= {"v1", "v3"})
        text = checkout.make("smoke")
        assert re.search(r"reviews +v1 +90% configured +\d\d\.\d% of 400\n +v3 +10% configured", text)
        assert re.search(r"user jason +v2 +100% configured +100.0% of 40", text)
        checkout.kubectl("scale", "deployment", "reviews-v1", "--replicas=0")
        soon(lambda: version_is_missing(site))
        text = checkout.make("smoke", code=None)
        assert re.search(r"no answer .*<- contradicts the configuration", text)
        checkout.kubectl("scale", "deployment", "reviews-v1", "--replicas=1")


def version_is_missing(site: str) -> bool:
    """Whether v1, which should answer, does not. The page calls twice, so that a rare failure would seldom show."""
    return not versions(site, 100)["v1"]


def test_an_object_that_pilot_rejects_is_reported_and_affects_no_other(checkout: Checkout, site: str) -> None:
    bad = custom("DestinationRule", "bad", {"host": "ratings", "trafficPolicy": {}})
    with pytest.raises(AssertionError, match="denied the request"):
        checkout.apply(bad)  # istiod sees to it that pilot never has to reject it
    if checkout.as_cloned.installation.release.runs_istiod:
        return
    checkout.kubectl("delete", "validatingwebhookconfigurations", "istiod-istio-system")
    with standing(checkout, bad):
        text = soon(lambda: (t := checkout.make("status")).count("pilot rejects") and t)
        assert "traffic policy must have at least one field" in text
        assert requests.get(f"{site}/productpage", timeout=20).status_code == 200
    checkout.make("up", LIVE, "ARGS=--refresh")  # the webhook is back
    with pytest.raises(AssertionError, match="denied the request"):
        checkout.apply(bad)


def test_a_service_without_a_stand_in_is_reported(checkout: Checkout, site: str) -> None:
    assert site
    checkout.apply(*shop())
    missing = "since there is no stand-in: shop/cart, shop/store, shop/web; `make up` starts one"
    soon(lambda: missing in checkout.make("status"), limit=20)


def test_the_next_up_starts_what_was_killed_and_stand_ins_for_new_services(checkout: Checkout, site: str) -> None:
    before = processes(checkout)
    os.kill(before["live-pilot"], 9)
    soon(lambda: "live-pilot has ended" in checkout.make("status"))
    checkout.make("up", LIVE)
    after = processes(checkout)
    assert {name for name in before if before[name] != after[name]} == {"live-pilot", "live-stand-ins", "live-sync"}
    new = {f"live-proxy-{name}.shop" for name in ("cart-v1", "cart-v2", "store", "web")}
    assert after.keys() - before.keys() == new
    assert requests.get(f"{site}/productpage", timeout=20).status_code == 200


def asked(site: str, path: str) -> requests.Response:
    """The answer of shop.example.com."""
    return requests.get(
        f"{site}{path}", headers={"Host": "shop.example.com", "x-request-id": "of-the-test"}, timeout=20
    )


def test_every_service_of_an_app_answers_in_the_protocol_of_its_port(site: str) -> None:
    soon(lambda: asked(site, "/").ok)
    assert asked(site, "/status/503").status_code == 503
    answer = asked(site, "/?call=cart,web&call=grpc://cart:9000&call=tcp://store:6379").json()
    assert (answer["name"], answer["namespace"]) == ("web", "shop")
    cart, health, store = answer["calls"]
    [web] = cart["answer"]["calls"]
    assert (cart["answer"]["version"] in ("v1", "v2"), web["answer"]["name"]) == (True, "web")
    assert web["answer"]["headers"]["x-request-id"] == answer["headers"]["x-request-id"]
    assert (health["status"], health["answer"] in ("cart-v1", "cart-v2")) == ("OK", True)
    assert store["answer"] == "store: hello\n"


def test_smoke_of_a_service_compares_its_canary_with_its_route(checkout: Checkout, site: str) -> None:
    assert site
    text = checkout.make("smoke", "URL=http://cart.shop:80")
    assert re.search(r"VirtualService shop/cart http\[0\]\n +cart-v1 +80% .* of 400\n +cart-v2 +20% .* of 400\n$", text)
    checkout.kubectl("scale", "deployment", "cart-v2", "--replicas=0", "--namespace=shop")
    soon(lambda: asked(site, "/?call=cart").json()["calls"][0]["status"] == 503)
    text = checkout.make("smoke", "URL=http://cart.shop:80", code=None)
    assert re.search(r"503 +0% .*<- contradicts the configuration\n", text)
    checkout.kubectl("delete", "namespace", "shop")


def test_a_deleted_deployment_gets_no_more_requests(checkout: Checkout, site: str) -> None:
    checkout.kubectl("delete", "deployment", "reviews-v3")
    # The test before has killed pilot: Envoy tries to connect again after pauses that grow to 30 s.
    soon(lambda: set(versions(site, 100)) == {"v1", "v2"}, limit=40)


def test_down_stops_the_live_data_plane_and_leaves_no_process(checkout: Checkout, site: str) -> None:
    before = processes(checkout)
    assert len(before) == 15
    all_of_them = family(before.values())
    checkout.make("down", LIVE)
    assert processes(checkout) == {}
    for number in all_of_them:
        with pytest.raises(ProcessLookupError):
            os.kill(number, 0)
    with pytest.raises(requests.ConnectionError):
        requests.get(site, timeout=5)
