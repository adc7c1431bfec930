"""Installation profiles, each defined by its differences from a parent profile."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from mesh.core.merge import Data, merged, merged_values
from mesh.values.gateway import Gateway
from mesh.values.values import Values


@dataclass(frozen=True, kw_only=True)
class Profiles:
    """The installation profiles of a release."""

    root: Data
    """Values of every profile that differ from the defaults of `Values`."""
    gateways: Mapping[str, Data]
    """Default values of a gateway by kind, `ingress` or `egress`, or by chart where that differs."""
    differences: Mapping[str, tuple[str | None, Data]]
    """By profile, its parent (None for a root) and the differences from it."""
    by_name: Collection[str] = ()
    """Lists of a gateway whose items are merged with those of its profile by their names; other lists replace them."""
    platforms: Mapping[str, Data] = field(default_factory=dict)
    """Differences on a platform (`global.platform`), by name."""
    changed: Mapping[str, Data] = field(default_factory=dict)
    """By earlier release, the values that keep the behavior which the release after it changed. Newest first."""
    by_components: Mapping[str, Data] = field(default_factory=dict)
    """By profile, those of its differences that Istio's own profile makes in `components`, where they count more than
    the `values` of a user's IstioOperator."""
    merges_gateways: bool = False
    """Whether the gateways of a user's IstioOperator are merged by name with those of its profile, and are disabled if
    they do not say; otherwise their list replaces the profile's, and they are enabled."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the profiles."""
        return tuple(self.differences)

    def values_data(self, name: str, differences: Data) -> dict[str, Any]:
        """A profile's values with `differences` merged in, as data that is not validated: those of its platform and
        compatibility version count more than the profile's, and less than `differences`.

        Raises KeyError for an unknown profile. An unknown platform or version has no differences.
        """
        base = self._values(name)
        chosen = merged_values(base, differences, self._kinds, self.by_name)
        kept = self._kept(_at(chosen, "compatibilityVersion"))
        for part in (*kept, self.platforms.get(_at(chosen, "global", "platform"), {})):
            base = merged(base, part)
        return merged_values(base, differences, self._kinds, self.by_name)

    def _kept(self, version: Any) -> list[Data]:
        """The differences that keep the behavior of release `version`: those of all later ones, and its own."""
        names = list(self.changed)
        return [self.changed[name] for name in names[: names.index(version) + 1]] if version in names else []

    @cached_property
    def _kinds(self) -> Mapping[str, Data]:
        defaults = Gateway.model_construct().model_dump()
        return {kind: merged(defaults, own) for kind, own in self.gateways.items()}

    def _values(self, name: str) -> Mapping[str, Any]:
        parent, differences = self.differences[name]
        if parent is None:
            defaults = Values().model_dump(by_alias=True, exclude={"meshConfig"})
            return merged(merged(defaults, self.root), differences)
        return merged_values(self._values(parent), differences, self._kinds)


def _at(data: Mapping[str, Any], *path: str) -> Any:
    """The text at a path; empty if there is none."""
    found: Any = data
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else ""
