"""Summarizes the effects of a change on requests: requests with the same effect are one line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from mesh.core import words
from mesh.requests.comparison import NO_SUCH_WORKLOAD, Change
from mesh.requests.evaluator import RETRIES
from mesh.review.subject import Subject

_MOST: Final = 3
"""The most callers or paths that a line names."""
_SAME: Final = "/…"
"""Stands for the requested path, in a redirect."""
_RETRIES: Final = f"{RETRIES} retries"


@dataclass(frozen=True, kw_only=True)
class RequestChange:
    """Requests whose outcome changes in the same way."""

    what: str
    """The requests, such as `reviews:9080/ with end-user: jason`, without their senders."""
    sources: Sequence[str]
    """Names of the workloads that send them, or of the gateways that they come through."""
    through_gateway: bool
    """Whether they come from outside of the mesh, through a gateway."""
    before: str
    """The parts of the outcome that the change removes; empty if it only adds parts."""
    after: str
    """The parts of the outcome that are new; empty if the change only removes parts."""
    samples: int
    """The number of sample requests that it stands for."""

    def __str__(self) -> str:
        way = "through" if self.through_gateway else "from"
        told = f"{self.before} → {self.after}"
        if not (self.before and self.after):
            told = f"no longer {self.before}" if self.before else f"from now on {self.after}"
        return f"{self.what} {way} {words.some(self.sources, _MOST)}: {told}"


def changes(subject: Subject) -> Sequence[RequestChange]:
    """The requests whose outcome changes; none if the stack is new.

    Requests from workloads that are added or removed are left out; requests through such gateways are not.
    """
    if subject.is_new:
        return []
    found = [change for change in subject.requests.changes if _counts(change)]
    return sorted(_joined(found), key=lambda change: (not change.through_gateway, change.what, change.sources))


def _counts(change: Change) -> bool:
    return change.sample.outside or NO_SUCH_WORKLOAD not in (change.before, change.after)


def not_evaluated(subject: Subject) -> Sequence[str]:
    """Possible effects on requests that no sample shows; none if the stack is new."""
    return [] if subject.is_new else subject.requests.missing


def _joined(found: Sequence[Change]) -> Iterator[RequestChange]:
    """Joins changes that differ only in the sender, and then changes that differ only in what they ask of the host."""
    by_sources: dict[tuple[object, ...], list[Change]] = {}
    for change in found:
        asked = replace(change.sample, source="")
        by_sources.setdefault((asked, *_answers(change)), []).append(change)
    lines: dict[tuple[object, ...], list[Change]] = {}
    for (_, *answers), changes in by_sources.items():
        place, sources = changes[0].sample, tuple(change.sample.source for change in changes)
        where = (place.outside, place.host, place.port, place.secure)
        lines.setdefault((*where, *answers, sources), []).extend(changes)
    for changes in lines.values():
        yield _request_change(changes)


def _answers(change: Change) -> tuple[str, str]:
    """Both answers. Redirects to the requested path are made equal for all paths."""
    place = change.sample
    one, other = f"://{place.host}{place.path}", f"://{place.host}{_SAME}"
    return change.before.replace(one, other), change.after.replace(one, other)


def _request_change(changes: Sequence[Change]) -> RequestChange:
    first = changes[0]
    alike = all((one.before, one.after) == (first.before, first.after) for one in changes)
    before, after = _different(*((first.before, first.after) if alike else _answers(first)))
    return RequestChange(
        what=_what(changes),
        sources=sorted({change.sample.source.partition("/")[2] for change in changes}),
        through_gateway=first.sample.outside,
        before=before,
        after=after,
        samples=len(changes),
    )


def _what(changes: Sequence[Change]) -> str:
    """The requests in words: what they have in common, and in parentheses the plainest of the differing parts."""
    samples = list(dict.fromkeys(replace(change.sample, source="") for change in changes))
    plain = [sample for sample in samples if not sample.further] or samples[:1]
    plain.sort(key=lambda one: (one.suffix != "", one.method != "GET", one))
    first = plain[0]
    alike = all((one.method, one.suffix) == (first.method, first.suffix) for one in plain)
    if alike:
        paths = [one.path for one in plain]
        asked = paths[0] if len(paths) == 1 else f" ({words.some(paths, _MOST)})"
        return f"{first.method_prefix}{first.origin}{asked}{first.suffix}"
    told = [f"{one.method_prefix}{one.path}{one.suffix}" for one in plain]
    return f"{first.origin} ({words.some(told, _MOST)})"


def _different(before: str, after: str) -> tuple[str, str]:
    """The parts in which two outcomes differ."""
    was, now = before.split("; "), after.split("; ")
    old = [part for part in was if part not in now and not _usual(part, now)]
    new = [part for part in now if part not in was and not _usual(part, was)]
    return "; ".join(old), "; ".join(new)


def _usual(part: str, others: Sequence[str]) -> bool:
    """Whether a part is the default number of retries, and the other outcome has no retries."""
    return part == _RETRIES and not any(other.endswith(_RETRIES[1:]) for other in others)
