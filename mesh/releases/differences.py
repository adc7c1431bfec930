"""What a release of Istio changed in meaning: different defaults and behavior, and parts that are gone.

Each fact has the minor release of the change, so that an upgrade from a later release lists fewer changes. It also has
its source: the name of a file of istio/istio, `releasenotes/notes/NAME`, or another source that is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum


class Severity(IntEnum):
    """The severity of a change; a larger value is worse."""

    NOTE = 1
    """It has no effect on requests."""
    CHANGED = 2
    """Something has another meaning."""
    REFUSED = 3
    """Something is refused, or no longer read."""

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A behavior that a release changed. Its texts may have `{words}` that a rule fills in for an object."""

    since: str
    """The minor release that changed it, such as `1.24`."""
    severity: Severity = Severity.CHANGED
    before: str
    """What happens before that release."""
    after: str
    """What happens since."""
    remedy: str
    """What to do."""
    source: str
    variable: tuple[str, str] | None = None
    """The environment variable of istiod, with the value, that keeps the earlier behavior; None if none does."""


@dataclass(frozen=True, kw_only=True)
class Gone:
    """A part that a release no longer has."""

    since: str
    """The first minor release without it."""
    after: str
    """What happens in its place."""
    remedy: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Differences:
    """All that a release and those before it changed, as far as an older release here differs."""

    changed: Mapping[str, Difference] = field(default_factory=dict)
    """By name; the rule that finds the objects concerned has the same name in `mesh.upgrade.rules`."""
    settings: Mapping[str, Gone] = field(default_factory=dict)
    """By field of the installation's values, as `mesh.releases.lacks` writes it."""
    variables: Mapping[str, Gone] = field(default_factory=dict)
    """By environment variable of istiod, an agent or a gateway."""
    annotations: Mapping[str, Gone] = field(default_factory=dict)
    """By annotation."""
    profiles: Mapping[str, Gone] = field(default_factory=dict)
    """By installation profile."""
    filters: Mapping[str, Gone] = field(default_factory=dict)
    """By name of a filter of a proxy that EnvoyFilters may name."""
    filter_names: Mapping[str, str] = field(default_factory=dict)
    """The names of Envoy's filters by their former names, which `filter-names` is about."""


def order(release: str) -> tuple[int, ...]:
    """The key by which names of releases, such as `1.9` and `1.10`, are in order."""
    return tuple(map(int, release.split(".")))
