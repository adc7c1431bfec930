"""Checks whether rate limits hold: sends requests until one is refused; for `make smoke LIMITS=1`."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from commands import asking, spoken
from commands.cases import Case
from commands.shares import CONTRADICTS, LIMITED, PROGRESS
from mesh.requests.rate_limits import Limit

MOST: Final = 4000
"""The most requests to send to exceed a limit."""
LONGEST: Final = 15.0
"""The most seconds to send them for."""
WAIT: Final = 60.0
"""The most seconds to wait until a limit counts from zero."""
THREADS: Final = 8
UNTRIED: Final = ("", "not tried: whether rate limits hold; set LIMITS=1 to use them up, which affects other clients")
"""The row that replaces those of the limits without LIMITS=1."""


def wanted() -> bool:
    """Whether the environment asks for limits to be tried."""
    return bool(os.environ.get("LIMITS"))


def rows(cases: Sequence[Case], token: str) -> Iterator[tuple[str, str]]:
    """Pairs of a problem, empty if there is none, and a line: for each limit a request that counts toward it, then the
    number of requests that were answered before one was refused. Only one row without LIMITS=1."""
    by_limit = {limit: case for case in cases for limit in case.limits}
    if not by_limit:
        return
    if not wanted():
        yield UNTRIED
        return
    for limit in by_limit:
        case = next((one for one in cases if _is_first(limit, one)), None)
        if case:
            yield "", f"{case}: limit of {limit}, {limit.owner}"
            yield _tried(case, limit, token)
        else:
            yield (
                "",
                f"not tried: the limit of {limit}, {limit.owner}: another limit refuses first, or it is for gRPC",
            )


def _is_first(limit: Limit, case: Case) -> bool:
    """Whether a request can exceed a limit: it uses HTTP, and no other limit refuses it before."""
    if limit not in case.limits or case.spoken != spoken.HTTP:
        return False
    return all(one.most >= limit.most and one.rate >= limit.rate for one in case.limits)


def _tried(case: Case, limit: Limit, token: str) -> tuple[str, str]:
    full = limit.refill <= WAIT
    if full:
        _wait(limit)
    passed, refused, seconds = _used_up(case, token)
    proxies = case.limits.count(limit)
    most = proxies * (limit.most + limit.fill + limit.rate * seconds)
    if not refused:
        text = f"{'':<14} all of {passed} requests in {seconds:.1f} s were answered"
        return (CONTRADICTS, text) if passed > most else ("", f"{text}: too few to exceed it")
    each = f" in each of {proxies} proxies" if proxies > 1 else ""
    text = f"{'':<14} {LIMITED} after {passed} requests in {seconds:.1f} s; {limit.most} at once configured{each}"
    early = full and case.way.stand_ins and passed < limit.most  # elsewhere requests of other clients count as well
    return CONTRADICTS if early or passed > most else "", text


def _wait(limit: Limit) -> None:
    """Waits until a limit counts from zero, regardless of earlier requests."""
    if limit.refill > PROGRESS:
        print(f"waiting {limit.refill:.0f} s until the limit counts from zero", file=sys.stderr, flush=True)
    time.sleep(limit.refill)


def _used_up(case: Case, token: str) -> tuple[int, bool, float]:
    """Sends requests until an answer is 429. Returns the number of other answers, whether a request got 429, and the
    seconds that it took."""
    answers: list[str] = []
    done, began = threading.Event(), time.monotonic()

    def ask() -> None:
        for name, _ in asking.asked(case.sample, case.way, token, MOST // THREADS):
            answers.append(name)
            if name == LIMITED or time.monotonic() - began > LONGEST:
                done.set()
            if done.is_set():
                return

    with ThreadPoolExecutor(THREADS) as pool:
        for one in [pool.submit(ask) for _ in range(THREADS)]:
            one.result()
    return len(answers) - answers.count(LIMITED), LIMITED in answers, time.monotonic() - began
