"""Tries the routes of any host, and compares the answers with the objects on the cluster; for `make smoke`."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from cluster.client import Api
from commands import asking, calling, cases, connecting, limits, shares, spoken, standing
from commands.asking import A_POD
from commands.cases import Case
from commands.routes import Expectation
from mesh.config.settings import Settings
from mesh.requests.expected import NO_CONNECTION, OR
from mesh.requests.rate_limits import Limit, RateLimits

REQUESTS: Final = 400
"""Number of requests for a case whose answers are expected to differ."""
FEW: Final = 20
"""Number of requests for a case whose answers are expected to be the same; the least number for one with delays."""
PATIENCE: Final = 10.0
"""The most seconds that the delays of a route should take in all, or its requests if they wait to stay below a
limit."""
BELOW: Final = 0.8
"""The share of a rate limit that the requests use."""
SHORTEST: Final = 0.5
"""The shortest delay, in seconds, that can be distinguished from a slow answer."""


ASK: Final = {
    spoken.HTTP: asking.asked,
    spoken.GRPC: calling.asked,
    spoken.TCP: connecting.plain,
    spoken.TLS: connecting.with_tls,
}
"""The function that sends requests, by protocol."""


def rows(api: Api, chosen: Settings, url: str) -> Iterator[tuple[str, str]]:
    """Pairs of a problem, empty if there is none, and a line: for each request its route, then each answer that is
    configured or was seen. Without `url`, requests go to all hosts. Raises CommandError if there is no request to
    try."""
    mesh, token = standing.mesh(api, chosen), os.environ.get("TOKEN", "")
    found = cases.of(mesh, str(chosen.context), urlsplit(url), token)
    limited = RateLimits(mesh).others
    for case in found.cases:
        yield "", f"{case}: {case.outcome.rule or case.outcome.reason or 'no route of its own'}"
        yield from _judged(case, token, limited)
    yield from limits.rows(found.cases, token)
    if limited:
        yield "", "not tried: limits of another kind, such as those of a rate-limit service"
    for reason, count in sorted(found.left.items()):
        yield "", f"not tried: {count} request{'s' * (count > 1)} {reason}"


def of_limits(api: Api, chosen: Settings, url: str) -> Iterator[tuple[str, str]]:
    """Only the rows about the limits, of all routes."""
    mesh, token = standing.mesh(api, chosen), os.environ.get("TOKEN", "")
    yield from limits.rows(cases.of(mesh, str(chosen.context), urlsplit(url), token).cases, token)


def _judged(case: Case, token: str, limited: bool) -> Iterator[tuple[str, str]]:
    late = {seconds: share for seconds, share in case.answers.late.items() if seconds >= SHORTEST}
    count, pause = _pace(case, late, limited)
    if count < shares.MIN_ANSWERS and len(case.answers.shares) > 1:
        few = f"fewer than {shares.MIN_ANSWERS} answers in {PATIENCE:.0f} s"
        yield "", f"{'':<14} shares are not tried: a limit of {min(case.limits, key=_rate)} leaves {few}"
        return
    took: list[float] = []

    def ask(number: int) -> Iterator[str]:
        for name, seconds in ASK[case.spoken](case.sample, case.way, token, number):
            took.append(seconds)
            yield name
            time.sleep(pause)

    seen = shares.gathered(ask, count, f" of {case}")
    wanted, told = _told(case.answers.shares, seen)
    names = {seconds: f"{seconds:g} s late" for seconds in late}
    width = max(map(len, (*wanted, *told, *names.values(), shares.LIMITED))) + len("  100%")
    expected = Expectation(wanted, may_fail=bool(case.limits) and shares.LIMITED in told)
    yield from shares.judged("", told, expected, limited or bool(case.limits), width)
    for seconds, share in late.items():
        hits = sum(one >= 0.95 * seconds for one in took)  # Envoy's timers may go off a few ms early
        yield shares.judged_one("", names[seconds], hits, len(took), share, width)


def _pace(case: Case, late: Mapping[float, float], limited: bool) -> tuple[int, float]:
    """The number of requests, and the seconds that each thread waits after a request so that no limit is exceeded:
    refused requests would not be spread over the versions like the others if pods have limits of their own."""
    count = REQUESTS if len(case.answers.shares) > 1 else FEW
    if pause := sum(seconds * share for seconds, share in late.items()):
        count = max(FEW, min(REQUESTS, int(PATIENCE * shares.THREADS / pause)))
    if not case.limits:
        return (REQUESTS if limited else count), 0.0
    rate = BELOW * min(map(_rate, case.limits))
    return max(shares.THREADS, min(count, int(PATIENCE * rate))), shares.THREADS / rate


def _rate(limit: Limit) -> float:
    return limit.rate


def _told(wanted: Mapping[str, float], seen: Counter[str]) -> tuple[Mapping[str, float], Counter[str]]:
    """The expected shares and the answers under the same names: workloads that the routes do not distinguish have one
    name, and so have all workloads if their answers do not name them."""
    groups = {name: group for group in wanted for name in group.split(OR)}
    if A_POD in seen:
        groups = {name: name if _is_own(name) else A_POD for name in groups}
    if NO_CONNECTION in wanted:
        groups[shares.NO_ANSWER] = NO_CONNECTION
    expected, told = dict[str, float](), Counter[str]()
    for group, share in wanted.items():
        name = groups[group.split(OR)[0]]
        expected[name] = expected.get(name, 0.0) + share
    for name, hits in seen.items():
        told[groups.get(name, name)] += hits
    return expected, told


def _is_own(name: str) -> bool:
    """Whether an answer is a proxy's own: a status, a code of gRPC, or none."""
    return name[:3].isdigit() or name.isupper() or name == NO_CONNECTION
