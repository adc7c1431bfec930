"""What a change does to requests, in few lines: those that change alike are one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from mesh.core import words
from mesh.requests import comparison
from mesh.requests.comparison import NO_SUCH_WORKLOAD, Change
from mesh.requests.evaluator import RETRIES
from mesh.review.subject import Subject

_MOST: Final = 3
"""So many callers or paths of a line are named."""
_RETRIES: Final = f"{RETRIES} retries"


@dataclass(frozen=True, kw_only=True)
class Shift:
    """Requests that change in the same way."""

    what: str
    """The requests, without those who send them."""
    sources: Sequence[str]
    """Workloads that send them, or gateways that they come to; by name."""
    outside: bool
    before: str
    """What they get, as far as it differs; empty if only something new is added."""
    after: str
    """Empty if something is only left out."""
    samples: int
    """How many of the requests that both meshes were asked about."""

    def __str__(self) -> str:
        way = "through" if self.outside else "from"
        told = f"{self.before} → {self.after}"
        if not (self.before and self.after):
            told = f"no longer {self.before}" if self.before else f"from now on {self.after}"
        return f"{self.what} {way} {words.some(self.sources, _MOST)}: {told}"


def shifts(subject: Subject) -> Sequence[Shift]:
    """The requests that get another answer. Those of workloads that come or go are left out: nothing changes for
    anybody; those at gateways are not."""
    if subject.first:
        return []
    found = [change for change in comparison.changes(subject.old, subject.new) if _counts(change)]
    return sorted(_joined(found), key=lambda shift: (not shift.outside, shift.what, shift.sources))


def _counts(change: Change) -> bool:
    return change.sample.outside or NO_SUCH_WORKLOAD not in (change.before, change.after)


def _joined(found: Sequence[Change]) -> Iterator[Shift]:
    """One line for callers who see the same, and of those one for paths of which that holds."""
    by_sources: dict[tuple[object, ...], list[Change]] = {}
    for change in found:
        place = change.sample
        kind = (place.outside, place.host, place.port, place.secure, place.method, place.headers, place.path)
        by_sources.setdefault((*kind, change.before, change.after), []).append(change)
    lines: dict[tuple[object, ...], list[Change]] = {}
    for key, changes in by_sources.items():
        sources = tuple(change.sample.source for change in changes)
        lines.setdefault((*key[:6], *key[7:], sources), []).extend(changes)
    for changes in lines.values():
        yield _shift(changes)


def _shift(changes: Sequence[Change]) -> Shift:
    first = changes[0]
    before, after = _different(first.before, first.after)
    return Shift(
        what=_what(changes),
        sources=sorted({change.sample.source.partition("/")[2] for change in changes}),
        outside=first.sample.outside,
        before=before,
        after=after,
        samples=len(changes),
    )


def _what(changes: Sequence[Change]) -> str:
    sample = changes[0].sample
    paths = sorted({change.sample.path for change in changes})
    where = sample.origin + (paths[0] if len(paths) == 1 else f" ({words.some(paths, _MOST)})")
    return f"{sample.method_prefix}{where}{sample.headers_suffix}"


def _different(before: str, after: str) -> tuple[str, str]:
    """The parts of two answers in which they differ."""
    was, now = before.split("; "), after.split("; ")
    old = [part for part in was if part not in now and not _usual(part, now)]
    new = [part for part in now if part not in was and not _usual(part, was)]
    return "; ".join(old), "; ".join(new)


def _usual(part: str, others: Sequence[str]) -> bool:
    """Whether a part says what holds everywhere, and the other answer has nothing of the kind."""
    return part == _RETRIES and not any(other.endswith(_RETRIES[1:]) for other in others)
