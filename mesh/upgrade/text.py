"""Changes as lines for a terminal."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from mesh.releases.differences import Severity
from mesh.upgrade.changes import Change, Place

_WIDTH: Final = 120
_SHOWN: Final = 3
"""The most places of a change that are listed. The others are counted."""
_TITLES: Final = {
    Severity.REFUSED: "Refused, or no longer read",
    Severity.CHANGED: "Means something else",
    Severity.NOTE: "Notes",
}
_NOUNS: Final = {Severity.REFUSED: "refused", Severity.CHANGED: "changed", Severity.NOTE: "to note"}


def lines(changes: Iterable[Change]) -> Iterator[str]:
    """The changes by severity, the worst first, each with its remedy, and their number at the end."""
    found = list(changes)
    for severity in reversed(Severity):
        group = [one for one in found if one.severity == severity]
        if group:
            yield f"{_TITLES[severity]}:"
        for one in group:
            yield from _of(one)
    counts = Counter(one.severity for one in found)
    said = (f"{counts[severity]} {_NOUNS[severity]}" for severity in reversed(Severity) if counts[severity])
    yield ", ".join(said) or "nothing changes in meaning"


def _of(change: Change) -> Iterator[str]:
    yield f"  {change.name}, since Istio {change.since}"
    parts = {
        "where": _places(change.places),
        "now": change.before,
        "then": change.after,
        "do": change.remedy,
        "or": change.kept,
        "source": change.source,
    }
    for title, text in parts.items():
        if text:
            yield from _wrapped(f"    {title + ':':8}", text)


def _wrapped(title: str, text: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=title,
        subsequent_indent=" " * len(title),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _places(places: Sequence[Place]) -> str:
    """The places as text: the kind once for adjacent places of one kind, and a common config key at the end."""
    origins = {place.origin for place in places}
    shared = origins.pop() if len(origins) == 1 else ""
    shown: list[str] = []
    before = ""
    for place in places[:_SHOWN]:
        kind, _, name = place.subject.rpartition(" ")
        text = str(
            place._replace(subject=name if kind == before else place.subject, origin="" if shared else place.origin)
        )
        shown.append(text)
        before = kind
    more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    return ", ".join(shown) + more + (f" (from {shared})" if shared else "")
