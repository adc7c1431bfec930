"""Whether rate limits hold: requests until one is refused; for `make smoke LIMITS=1`."""

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
"""Requests by which a limit should be exceeded at most."""
LONGEST: Final = 15.0
"""Seconds of them at most."""
WAIT: Final = 60.0
"""Seconds to wait at most until a limit counts from zero."""
THREADS: Final = 8
UNTRIED: Final = ("", "not tried: whether limits hold; say LIMITS=1 to use them up, which others notice")
"""The row in place of those of the limits."""


def wanted() -> bool:
    """Whether the environment asks for limits to be tried."""
    return bool(os.environ.get("LIMITS"))


def rows(cases: Sequence[Case], token: str) -> Iterator[tuple[str, str]]:
    """A problem, empty if there is none, and a line: for each limit a request that counts for it, then how many were
    answered before one was refused. One row without LIMITS=1."""
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
            yield "", f"not tried: the limit of {limit}, {limit.owner}: others refuse requests before, or it is of gRPC"


def _is_first(limit: Limit, case: Case) -> bool:
    """Whether a request shows a limit: it is of HTTP, and no other limit refuses it before."""
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
    each = f", of {proxies} proxies each" if proxies > 1 else ""
    text = f"{'':<14} {LIMITED} after {passed} requests in {seconds:.1f} s; {limit.most} at once configured{each}"
    early = full and case.way.stand_ins and passed < limit.most  # elsewhere those of others count as well
    return CONTRADICTS if early or passed > most else "", text


def _wait(limit: Limit) -> None:
    """Waits until a limit counts from zero, whatever was asked before."""
    if limit.refill > PROGRESS:
        print(f"waiting {limit.refill:.0f} s until the limit counts from zero", file=sys.stderr, flush=True)
    time.sleep(limit.refill)


def _used_up(case: Case, token: str) -> tuple[int, bool, float]:
    """Asks until an answer is 429: the number of other answers, whether there was one, and the seconds that it took."""
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
