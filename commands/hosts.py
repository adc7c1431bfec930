"""The routes of any host: who answers how often, and whether the objects on the cluster say so; for `make smoke`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from cluster.client import Api
from commands import asking, cases, shares, standing
from commands.asking import A_POD
from commands.cases import Case
from commands.routes import Expectation
from mesh.config.settings import Settings
from mesh.core import kinds
from mesh.requests.expected import OR

REQUESTS: Final = 400
"""Requests whose answers are expected to differ."""
FEW: Final = 20
"""Requests whose answers are expected to be all the same; with delays at least as many."""
PATIENCE: Final = 10.0
"""Seconds that the delays of a route should take at most."""
SHORTEST: Final = 0.5
"""Seconds of the shortest delay that is told from a slow answer."""


def rows(api: Api, chosen: Settings, url: str, limits: bool) -> Iterator[tuple[str, str]]:
    """A problem, empty if there is none, and a line: for each request its route, then each answer that is configured or
    has come. Without `url` all hosts are asked. `limits`: whether the stack sets limits. Raises CommandError if there
    is nothing to ask."""
    mesh, token = standing.mesh(api, chosen), os.environ.get("TOKEN", "")
    found = cases.of(mesh, str(chosen.context), urlsplit(url), token)
    limits = limits or any("ratelimit" in str(one.spec) for one in mesh.of(kinds.ENVOY_FILTER))
    for case in found.cases:
        yield "", f"{case.sample}: {case.outcome.rule or case.outcome.reason or 'no route of its own'}"
        yield from _judged(case, token, limits)
    for reason, count in sorted(found.left.items()):
        yield "", f"not tried: {count} request{'s' * (count > 1)} {reason}"


def _judged(case: Case, token: str, limits: bool) -> Iterator[tuple[str, str]]:
    late = {seconds: share for seconds, share in case.answers.late.items() if seconds >= SHORTEST}
    took: list[float] = []

    def ask(number: int) -> Iterator[str]:
        for name, seconds in asking.asked(case.sample, case.way, token, number):
            took.append(seconds)
            yield name

    seen = shares.gathered(ask, _count(case, late, limits), f" of {case.sample}")
    wanted, told = _told(case.answers.shares, seen)
    names = {seconds: f"{seconds:g} s late" for seconds in late}
    width = max(map(len, (*wanted, *told, *names.values(), shares.LIMITED))) + len("  100%")
    yield from shares.judged("", told, Expectation(wanted), limits, width)
    for seconds, share in late.items():
        hits = sum(one >= 0.95 * seconds for one in took)  # Envoy's timers may go off a few ms early
        yield shares.judged_one("", names[seconds], hits, len(took), share, width)


def _count(case: Case, late: Mapping[float, float], limits: bool) -> int:
    """The number of requests to ask."""
    if pause := sum(seconds * share for seconds, share in late.items()):
        return max(FEW, min(REQUESTS, int(PATIENCE * shares.THREADS / pause)))
    return REQUESTS if limits or len(case.answers.shares) > 1 else FEW


def _told(wanted: Mapping[str, float], seen: Counter[str]) -> tuple[Mapping[str, float], Counter[str]]:
    """The expected shares and the answers under the same names: workloads that the routes do not tell apart are one,
    and so are all if they do not say their names."""
    groups = {name: group for group in wanted for name in group.split(OR)}
    if A_POD in seen:
        groups = {name: name if name[:3].isdigit() else A_POD for name in groups}
    expected, told = dict[str, float](), Counter[str]()
    for group, share in wanted.items():
        name = groups[group.split(OR)[0]]
        expected[name] = expected.get(name, 0.0) + share
    for name, hits in seen.items():
        told[groups.get(name, name)] += hits
    return expected, told
