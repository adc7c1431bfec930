"""`make smoke`: the expectations from routes, and how answers are judged."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

from cluster import proxy
from cluster.target import Target
from commands import routes, shares, smoke, stacks
from commands.routes import Expectation, Expectations, expectations
from commands.shares import LIMITED, NO_ANSWER, UNRATED, fits, judged
from commands.smoke import has_limits, version_of
from commands.stackfiles import CommandError
from mesh.traffic.config import Traffic
from tests.commands.serving import served


def object_of(spec: dict[str, Any], namespace: str = "default") -> dict[str, Any]:
    return {"metadata": {"name": "one", "namespace": namespace}, "spec": spec}


def to(**weights: int) -> dict[str, Any]:
    targets = weights.items()
    return {"route": [{"destination": {"host": "reviews", "subset": s}, "weight": w} for s, w in targets]}


def user(name: str) -> dict[str, Any]:
    return {"headers": {"end-user": {"exact": name}}}


SUBSETS = [{"name": "old", "labels": {"version": "v1"}}, {"name": "new", "labels": {"version": "v3"}}]
DESTINATION = object_of({"host": "reviews", "subsets": SUBSETS})


def service(*http: dict[str, Any], host: str = "reviews", **more: Any) -> dict[str, Any]:
    return object_of({"hosts": [host], "http": list(http), **more})


def test_without_routes_any_version_may_answer() -> None:
    assert expectations([], [], "default").default == Expectation({})


def test_subsets_are_read_as_versions_and_weights_as_shares() -> None:
    found = expectations([service(to(old=90, new=10))], [DESTINATION], "default")
    assert found.default == Expectation({"v1": 0.9, "v3": 0.1})


def test_a_single_target_needs_no_weight() -> None:
    route = {"route": [{"destination": {"host": "reviews", "subset": "new"}}]}
    assert expectations([service(route)], [DESTINATION], "default").default == Expectation({"v3": 1.0})


def test_a_users_route_has_its_own_expectation() -> None:
    found = expectations([service({"match": [user("jason")], **to(new=100)}, to(old=100))], [DESTINATION], "default")
    assert found.users == {"jason": Expectation({"v3": 1.0})}
    assert found.default == Expectation({"v1": 1.0})


def test_routes_after_a_catch_all_route_are_ignored() -> None:
    found = expectations([service(to(old=100), {"match": [user("jason")], **to(new=100)})], [DESTINATION], "default")
    assert found.users == {}


def test_routes_with_other_conditions_are_counted_as_untested() -> None:
    other = {"match": [{"uri": {"prefix": "/x"}, **user("jason")}], **to(new=100)}
    assert expectations([service(other, to(old=100))], [DESTINATION], "default").untested == 1


@pytest.mark.parametrize(
    "match",
    [
        {"uri": {"prefix": "/reviews"}},
        {"uri": {"regex": r"/reviews/\d+"}},
        {"withoutHeaders": {"end-user": {}}},
        {"sourceLabels": {"app": "productpage"}, "port": 9080},
    ],
)
def test_conditions_that_the_product_pages_requests_meet_are_evaluated(match: dict[str, Any]) -> None:
    found = expectations([service({"match": [match], **to(new=100)}, to(old=100))], [DESTINATION], "default")
    assert found == Expectations(Expectation({"v3": 1.0}))


def test_a_users_route_is_ignored_if_an_earlier_route_matches() -> None:
    earlier = {"match": [{"uri": {"prefix": "/reviews"}}], **to(old=100)}
    found = expectations([service(earlier, {"match": [user("jason")], **to(new=100)})], [DESTINATION], "default")
    assert found == Expectations(Expectation({"v1": 1.0}), {"jason": Expectation({"v1": 1.0})})


def test_delegated_routes_are_followed() -> None:
    other = {"metadata": {"name": "other", "namespace": "default"}, "spec": {"http": [to(new=100)]}}
    to_other = {"match": [{"uri": {"prefix": "/reviews"}}], "delegate": {"name": "other"}}
    assert expectations([service(to_other), other], [DESTINATION], "default") == Expectations(Expectation({"v3": 1.0}))


@pytest.mark.parametrize("host", ["reviews", "reviews.default", "reviews.default.svc.cluster.local"])
def test_a_host_is_found_in_each_of_its_forms(host: str) -> None:
    assert expectations([service(to(old=100), host=host)], [DESTINATION], "default").default.shares


@pytest.mark.parametrize(
    "other",
    [
        service(to(old=100), host="ratings"),
        service(to(old=100), host="reviews.other"),
        service(to(old=100), gateways=["edge"]),
        object_of({"hosts": ["reviews"], "http": [to(old=100)]}, "other"),
    ],
)
def test_routes_of_other_hosts_and_of_gateways_are_ignored(other: dict[str, Any]) -> None:
    assert expectations([other], [DESTINATION], "default").default == Expectation({})


@pytest.mark.parametrize(
    ("version", "hits", "good"),
    [("v1", 360, True), ("v1", 400, False), ("v3", 40, True), ("v3", 0, False), ("v2", 0, True), ("v2", 1, False)],
)
def test_a_share_may_deviate_only_within_chance(version: str, hits: int, good: bool) -> None:
    assert fits(version, hits, 400, Expectation({"v1": 0.9, "v3": 0.1})) is good


def test_a_missing_answer_is_wrong_unless_the_route_injects_faults() -> None:
    assert not fits(NO_ANSWER, 1, 400, Expectation({}))
    assert fits(NO_ANSWER, 200, 400, Expectation({"v1": 1.0}, may_fail=True))


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        ({"podname": "reviews-v2-7bf8-x", "reviews": [{}]}, "v2"),
        ({"reviews": [{"text": "fine"}]}, "v1"),
        ({"reviews": [{"rating": {"stars": 5, "color": "black"}}]}, "v2"),
        ({"reviews": [{"rating": {"stars": 5, "color": "red"}}]}, "v3"),
        ({"reviews": [{"rating": {"error": "Ratings service is currently unavailable"}}]}, UNRATED),
        ({"error": "unavailable"}, NO_ANSWER),
        ([], NO_ANSWER),
    ],
)
def test_a_version_is_recognized_by_its_pod_or_its_stars(answer: Any, version: str) -> None:
    assert version_of(answer) == version


CANARY = Expectation({"v1": 0.9, "v3": 0.1})
TIMEOUT = {"requests": 1}


def lines(seen: dict[str, int], expected: Expectation = CANARY, limits: bool = True) -> list[str]:
    return [
        f"{line} <- {wrong}" if wrong else line for wrong, line in judged("reviews", Counter(seen), expected, limits)
    ]


def test_rate_limited_requests_have_their_own_row_and_count_for_no_version() -> None:
    assert lines({"v1": 230, "v3": 25, LIMITED: 145}) == [
        "reviews        v1           90% configured   90.2% of 255",
        "               v3           10% configured    9.8% of 255",
        "               limited (429)    configured   36.2% of 400",
    ]


def test_among_limited_requests_a_share_may_still_be_wrong() -> None:
    found = lines({"v1": 100, "v3": 100, LIMITED: 200})
    assert [shares.CONTRADICTS in line for line in found] == [True, True, False]


def test_status_429_without_a_rate_limit_is_wrong() -> None:
    (*_, last) = lines({"v1": 230, "v3": 25, LIMITED: 145}, limits=False)
    assert last == "               limited (429) 0% configured   36.2% of 400 <- contradicts the configuration"


def test_status_429_may_be_an_injected_fault() -> None:
    assert "<-" not in "".join(lines({LIMITED: 400}, Expectation({"v1": 1.0}, may_fail=True), limits=False))


def test_too_few_answers_without_limited_ones_are_reported() -> None:
    found = lines({"v3": 3, LIMITED: 397})
    assert [line.partition(" <- ")[2] for line in found] == ["", "", "too few are left to judge: 3"]
    assert lines({LIMITED: 400}, Expectation({}))[0].startswith(
        "reviews        limited (429)    configured  100.0% of 400 <-"
    )


def test_a_version_that_nobody_configured_is_wrong_however_few_answers_are_left() -> None:
    assert shares.CONTRADICTS in lines({"v2": 1, LIMITED: 399})[1]


@pytest.mark.parametrize(
    ("seen", "shares", "wrong"),
    [
        ({"v1": 360, UNRATED: 40}, {"v1": 0.9, "v2": 0.1}, []),
        ({"v1": 200, "v2": 10, UNRATED: 190}, {"v1": 0.5, "v2": 0.25, "v3": 0.25}, []),
        ({"v1": 360, UNRATED: 40}, {"v1": 1.0}, ["v1", UNRATED]),
        ({UNRATED: 400}, {"v1": 0.9, "v2": 0.1}, ["v1"]),
        ({"v1": 395, UNRATED: 5}, {"v1": 0.9, "v2": 0.1}, ["v1", "v2"]),
        ({UNRATED: 40}, {"v3": 1.0}, []),
        ({UNRATED: 40}, {}, []),
    ],
)
def test_answers_without_ratings_may_be_by_either_version_that_asks_for_them(
    seen: dict[str, int], shares: dict[str, float], wrong: list[str]
) -> None:
    found = lines(seen, Expectation(shares))
    assert [line[15:30].partition("  ")[0] for line in found if "<-" in line] == wrong
    assert f"{UNRATED}  configured" in found[-1]


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ({}, False),
        ({"services": {"reviews": {"versions": ["v1"]}}}, False),
        ({"services": {"reviews": {"limit": TIMEOUT}}}, True),
        ({"hosts": {"shop": {"hosts": ["*"], "routes": [{"to": "productpage"}]}}}, False),
        ({"hosts": {"shop": {"hosts": ["*"], "routes": [{"to": "productpage", "limit": TIMEOUT}]}}}, True),
    ],
)
def test_a_limit_counts_wherever_the_stack_sets_it(config: dict[str, Any], found: bool) -> None:
    assert has_limits(Traffic.model_validate(config)) is found


class Page(BaseHTTPRequestHandler):
    """Answers with the statuses that its server holds for each method."""

    def _answer(self) -> None:
        body = b'{"reviews": [{}], "podname": "reviews-v1-x"}'
        status, token = self.server.statuses[self.command], self.server.token  # type: ignore[attr-defined]
        good = not token or self.headers["Authorization"] == f"Bearer {token}"
        self.send_response(status if good else 403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.server.gate.wait(5)  # type: ignore[attr-defined]
        self._answer()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer()

    def log_message(self, *_: Any) -> None:
        """Logs nothing."""


class Site(ThreadingHTTPServer):
    """A product page that answers only while its gate is open."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self.statuses = {"GET": 200, "POST": 200}
        self.token = ""
        self.gate = threading.Event()
        self.gate.set()
        self.url = f"http://127.0.0.1:{self.server_port}/productpage"


@pytest.fixture
def site() -> Iterator[Site]:
    with served(Site()) as server:
        yield server


def test_an_answer_429_is_seen_as_limited(site: Site) -> None:
    assert smoke._observed(site.url, None, 8) == {"v1": 8}
    site.statuses["GET"] = 429
    assert smoke._observed(site.url, None, 8) == {LIMITED: 8}


def test_answers_to_a_user_whose_login_is_limited_are_not_taken_for_the_users(site: Site) -> None:
    site.statuses["POST"] = 429
    assert smoke._observed(site.url, "jason", 8) == {LIMITED: 8}


def test_the_page_itself_may_be_limited_where_the_stack_has_limits(site: Site) -> None:
    site.statuses["GET"] = 429
    assert [smoke._page(site.url, limits)[0] for limits in (True, False)] == ["", shares.CONTRADICTS]


def test_the_token_of_the_environment_is_sent(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.token = "abc"
    monkeypatch.delenv("TOKEN", raising=False)
    with pytest.raises(CommandError, match=r"answers 403: pass a token that it accepts as TOKEN="):
        smoke._page(site.url, False)
    monkeypatch.setenv("TOKEN", "abc")
    assert smoke._page(site.url, False)[0] == ""
    assert smoke._observed(site.url, "jason", 8) == {"v1": 8}


def test_a_quick_run_prints_no_progress(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    smoke._observed(site.url, None, 8)
    assert capsys.readouterr() == ("", "")


def test_a_slow_run_prints_its_progress(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "PROGRESS", 0.1)
    site.gate.clear()
    threading.Timer(0.5, site.gate.set).start()
    smoke._observed(site.url, "jason", 8)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[0] == "0 of 8 asked as user jason"


def ran(site: Site, monkeypatch: pytest.MonkeyPatch, expected: Expectation, traffic: dict[str, Any]) -> int:
    """Runs `make smoke` against the site; the exit code."""
    bookinfo = SimpleNamespace(namespace="default")
    chosen = SimpleNamespace(bookinfo=bookinfo, context="mesh-dev", traffic=Traffic.model_validate(traffic))
    monkeypatch.setenv("URL", site.url)
    monkeypatch.setattr(stacks, "load", lambda _: SimpleNamespace(settings=chosen))
    monkeypatch.setattr(Target, "named", lambda _: None)
    monkeypatch.setattr(proxy, "connect", nullcontext)
    monkeypatch.setattr(routes, "read", lambda *_: Expectations(expected))
    return smoke.run("dev")


def test_a_run_fails_if_the_answers_contradict_the_routes(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ran(site, monkeypatch, Expectation({"v1": 1.0}), {}) == 0
    assert ran(site, monkeypatch, Expectation({"v3": 1.0}), {}) == 1


def test_a_run_with_too_few_answers_fails_and_says_why(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    site.statuses["GET"] = 429
    assert ran(site, monkeypatch, Expectation({"v1": 1.0}), {"services": {"reviews": {"limit": TIMEOUT}}}) == 1
    out = capsys.readouterr().out
    assert "  <- too few are left to judge: 0\n" in out
    assert out.endswith("set LIMITS=1 to use them up, which affects other clients\n")
    assert shares.CONTRADICTS not in out
