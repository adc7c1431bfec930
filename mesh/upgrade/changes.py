"""The results of an upgrade check: what changes in meaning, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from mesh.analysis.objects import Object, Ref
from mesh.releases.differences import Severity


class Place(NamedTuple):
    """A place that a change affects: an object or one of its fields, a setting, or the mesh as a whole."""

    subject: str
    """The object, such as `Service shop/cart`; the key of a setting, such as `mesh:pilot.env.PILOT_HTTP10`; or words
    for the mesh."""
    path: str = ""
    """The path of the field in the object; empty for the object as a whole, and for settings."""
    origin: str = ""
    """The config key that the field comes from, or its file and line; empty if unknown."""
    ref: Ref | None = None
    """The object; None if the place is not an object."""

    @classmethod
    def of(cls, obj: Object, path: str = "") -> Place:
        """A field of an object."""
        return cls(str(obj.ref), path, obj.source(path), obj.ref)

    def __str__(self) -> str:
        return " ".join(filter(None, (self.subject, self.path, f"(from {self.origin})" if self.origin else "")))


@dataclass(frozen=True, kw_only=True)
class Change:
    """Something that the newer release treats differently, with all places to which the same texts apply."""

    severity: Severity
    name: str
    """The name of the rule, such as `default-retries`."""
    since: str
    """The minor release that changed it, such as `1.24`."""
    places: Sequence[Place]
    before: str
    """What it means now; empty if that is obvious."""
    after: str
    """What it will mean, or why it is refused."""
    remedy: str
    """What to do."""
    source: str
    """The source of the fact: a file of istio/istio, `releasenotes/notes/NAME`, or another source by its name."""
    kept: str = ""
    """How the newer release keeps the earlier behavior, for a while; empty if it cannot."""

    @property
    def rank(self) -> tuple[Any, ...]:
        """The key by which changes are sorted: the worst first."""
        return -self.severity, self.name, self.after, [place[:3] for place in self.places]


def gathered(changes: Iterable[Change]) -> list[Change]:
    """The changes, the worst first. Changes with equal texts are joined into one, with the places of all."""
    found: dict[tuple[Any, ...], list[Place]] = {}
    for one in changes:
        words = (one.severity, one.name, one.since, one.before, one.after, one.remedy, one.source, one.kept)
        places = found.setdefault(words, [])
        places += (place for place in one.places if place not in places)
    names = ("severity", "name", "since", "before", "after", "remedy", "source", "kept")
    made = [
        Change(**dict(zip(names, words, strict=True)), places=sorted(places, key=lambda place: place[:3]))
        for words, places in found.items()
    ]
    return sorted(made, key=lambda change: change.rank)


def as_data(changes: Iterable[Change]) -> list[Mapping[str, Any]]:
    """The changes as data for JSON, without empty entries."""
    return [
        _filled(
            {
                "severity": str(one.severity),
                "change": one.name,
                "since": one.since,
                "places": [
                    _filled({"subject": place.subject, "path": place.path, "origin": place.origin})
                    for place in one.places
                ],
                "before": one.before,
                "after": one.after,
                "remedy": one.remedy,
                "kept": one.kept,
                "source": one.source,
            }
        )
        for one in changes
    ]


def _filled(said: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: value for key, value in said.items() if value}
