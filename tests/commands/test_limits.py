"""Whether rate limits hold, by `make smoke LIMITS=1`."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import ThreadingHTTPServer
from typing import Any

import pytest

from commands import limits, spoken
from commands.asking import Way
from commands.cases import Case
from commands.shares import CONTRADICTS
from mesh.requests.expected import Answers
from mesh.requests.rate_limits import Limit
from mesh.requests.samples import Sample
from mesh.requests.types import Outcome
from tests.commands.serving import Handler, served

SAMPLE = Sample(source="istio-system/edge", outside=True, host="shop.example.com", port=80, secure=False)
FIVE = Limit(owner="EnvoyFilter shop/limit", most=5, fill=5, interval=3600)


class Answering(Handler):
    def do_GET(self) -> None:
        server: Any = self.server
        with server.lock:
            server.left -= 1
            status = 200 if server.left >= 0 else 429
        self.answer(status)


class Site(ThreadingHTTPServer):
    """Answers a number of requests, and then 429."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.left, self.lock = 5, threading.Lock()


@pytest.fixture
def site() -> Iterator[Site]:
    with served(Site()) as server:
        yield server


@pytest.fixture(autouse=True)
def asked_for(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """LIMITS=1; the seconds for which limits are waited for."""
    waits: list[float] = []
    monkeypatch.setenv("LIMITS", "1")
    monkeypatch.setattr(time, "sleep", waits.append)
    return waits


def case(site: Site | None, *own: Limit, stand_ins: bool = True) -> Case:
    way = Way("127.0.0.1", site.server_port if site else 1, stand_ins=stand_ins)
    return Case(SAMPLE, Outcome(), Answers(shares={"web": 1.0}, late={}), way, limits=own or (FIVE,))


def rows(*cases: Case) -> list[tuple[str, str]]:
    return [(wrong, " ".join(line.split())) for wrong, line in limits.rows(cases, "")]


def test_limits_are_not_used_up_unless_that_is_asked_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIMITS")
    assert rows(case(site)) == [limits.UNTRIED]
    assert site.left == 5
    assert rows(replace(case(site), limits=())) == []


def test_a_limit_that_holds_is_right(site: Site) -> None:
    first, (wrong, line) = rows(case(site))
    assert first == ("", "shop.example.com/ through edge: limit of 5 in 3600 s, EnvoyFilter shop/limit")
    assert wrong == ""
    assert line.startswith("limited (429) after 5 requests in ")
    assert line.endswith("5 at once configured")


def test_a_limit_that_does_not_hold_is_wrong(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST", 80)
    site.left = 1000
    assert [wrong for wrong, _ in rows(case(site))] == ["", CONTRADICTS]


def test_one_that_comes_late_is_wrong(site: Site) -> None:
    site.left = 30
    assert [wrong for wrong, _ in rows(case(site))] == ["", CONTRADICTS]
    site.left = 30
    assert [wrong for wrong, _ in rows(case(site, *[FIVE] * 3))] == ["", ""], "three proxies count for themselves"


def test_one_that_comes_early_is_wrong_where_nobody_else_asks_and_it_counts_from_zero(
    site: Site, asked_for: list[float]
) -> None:
    quick = replace(FIVE, interval=2.0)
    site.left = 3
    assert [wrong for wrong, _ in rows(case(site, quick))] == ["", CONTRADICTS]
    assert asked_for == [2.0]
    for one in (case(site, quick, stand_ins=False), case(site)):
        site.left = 3
        assert [wrong for wrong, _ in rows(one)] == ["", ""]


def test_a_limit_that_the_requests_are_too_slow_for_is_not_judged(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST", 16)
    site.left = 1000
    (_, (wrong, line)) = rows(case(site, replace(FIVE, most=900, fill=900, interval=1.0)))
    assert (wrong, line.endswith("too few to exceed it")) == ("", True)


def test_a_limit_is_tried_where_no_other_one_refuses_before(site: Site) -> None:
    narrow = replace(FIVE, most=2, fill=2, owner="EnvoyFilter shop/narrow")
    both, alone = case(site, FIVE, narrow), case(site, FIVE)
    site.left = 2
    first = [line for _, line in rows(both)]
    assert first[0].startswith(
        "not tried: the limit of 5 in 3600 s, EnvoyFilter shop/limit: another limit refuses first"
    )
    assert first[1].endswith("limit of 2 in 3600 s, EnvoyFilter shop/narrow")
    site.left = 5
    assert rows(both, alone)[0][1].endswith("limit of 5 in 3600 s, EnvoyFilter shop/limit")
    called = replace(alone, spoken=spoken.GRPC)
    assert rows(called)[0][1].startswith("not tried: the limit of 5")
