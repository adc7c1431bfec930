"""The answers that a client can expect from an outcome: who answers how often, and how often an answer is late."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from mesh.api.scalars import nanoseconds
from mesh.requests.types import Outcome, Receiver

NO_CONNECTION: Final = "no connection"
OR: Final = " or "
"""Separates the names of workloads that the routes do not distinguish."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """The expected answers to a request."""

    shares: Mapping[str, float]
    """The fraction of each answer, 0 to 1: the workload that answers, or the status of a proxy's own answer."""
    late: Mapping[float, float]
    """The fraction of answers that are late, by seconds."""


def answers(outcome: Outcome) -> Answers | None:
    """The expected answers to a request with this outcome; None if it leaves the mesh."""
    if not outcome.receivers:
        return None if outcome.status == 200 else Answers(shares={own(outcome.status, outcome.location): 1.0}, late={})
    shares: dict[str, float] = {}
    for answer, share in _shares(outcome):
        if share:
            shares[answer] = shares.get(answer, 0.0) + share
    late = {nanoseconds(fault.delay) / 1e9: fault.share for fault in outcome.faults if fault.delay and fault.share}
    return Answers(shares=shares, late=late)


def own(status: int, location: str = "") -> str:
    """The name of a proxy's own answer, such as `503`, or `301 https://…` for a redirect."""
    return f"{status} {location}".rstrip() if status else NO_CONNECTION


def _shares(outcome: Outcome) -> Iterator[tuple[str, float]]:
    aborted = [fault for fault in outcome.faults if fault.status]
    yield from ((own(fault.status), fault.share) for fault in aborted)
    rest = 1 - sum(fault.share for fault in aborted)
    yield from ((_name(receiver), rest * receiver.share) for receiver in outcome.receivers)


def _name(receiver: Receiver) -> str:
    return own(receiver.status) if receiver.status != 200 else OR.join(receiver.workloads) or receiver.host
