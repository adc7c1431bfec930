"""A request and the calls that follow from it, one hop after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mesh.analysis.workloads import Workload
from mesh.requests.evaluator import Evaluator
from mesh.requests.types import Outcome, Request

_DEEPEST: Final = 10
"""So many hops are followed: calls may go in a circle."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call that an application makes in order to answer one."""

    caller: Mapping[str, str]
    """Labels of the workloads that make it."""
    host: str
    """As the caller writes it."""
    port: int
    path: str
    passed_on: tuple[str, ...] = ("end-user",)
    """Headers of the caller's own request that the call has, too."""


@dataclass(frozen=True, kw_only=True)
class Hop:
    """A request on its way."""

    source: str
    """Name of the workload that sends it."""
    request: Request
    outcome: Outcome
    share: float
    """0.0 to 1.0 of the first requests that get here; faults are not counted."""
    depth: int = 0
    """0 for the first."""


def follow(
    evaluator: Evaluator, pod: Workload, asked: Request, calls: Sequence[Call], outside: bool = True
) -> Iterator[Hop]:
    """The request that comes to a gateway, or is sent by a workload, and all calls that follow, in their order."""
    outcome = evaluator.from_outside(asked, pod) if outside else evaluator.from_workload(asked, pod)
    first = Hop(source=pod.object.name, request=asked, outcome=outcome, share=1.0)
    yield from _on(evaluator, first, calls)


def _on(evaluator: Evaluator, hop: Hop, calls: Sequence[Call]) -> Iterator[Hop]:
    yield hop
    if hop.depth == _DEEPEST:
        return
    for receiver in hop.outcome.receivers:
        for name in receiver.workloads if receiver.status == 200 else ():
            share = hop.share * receiver.share / len(receiver.workloads)
            yield from _calls(evaluator, hop, name, receiver.host, share, calls)


def _calls(evaluator: Evaluator, hop: Hop, name: str, host: str, share: float, calls: Sequence[Call]) -> Iterator[Hop]:
    service = evaluator.mesh.services.named(host)[0]
    pod = next(pod for pod in evaluator.mesh.behind(service) if pod.object.name == name)
    for call in calls:
        if call.caller.items() <= pod.labels.items():
            headers = {key: value for key, value in hop.request.headers.items() if key in call.passed_on}
            asked = Request(host=call.host, path=call.path, port=call.port, headers=headers)
            outcome = evaluator.from_workload(asked, pod)
            next_hop = Hop(source=name, request=asked, outcome=outcome, share=share, depth=hop.depth + 1)
            yield from _on(evaluator, next_hop, calls)


def shares(hops: Sequence[Hop]) -> Mapping[tuple[str, str], float]:
    """How often each workload is called for one first request, by host and workload; 0.5 is every other time."""
    found: dict[tuple[str, str], float] = {}
    for hop in hops:
        for receiver in hop.outcome.receivers:
            for name in receiver.workloads if receiver.status == 200 else ():
                key = receiver.host, name
                found[key] = found.get(key, 0) + hop.share * receiver.share / len(receiver.workloads)
    return found
