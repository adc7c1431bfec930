"""Installation profiles, each defined by its differences from a parent profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
    """Default values of a gateway by kind, `ingress` or `egress`."""
    differences: Mapping[str, tuple[str | None, Data]]
    """By profile, its parent (None for a root) and the differences from it."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the profiles."""
        return tuple(self.differences)

    def values_data(self, name: str, differences: Data) -> dict[str, Any]:
        """A profile's values with `differences` merged in, as data that is not validated.

        Raises KeyError for an unknown profile.
        """
        return merged_values(self._values(name), differences, self._kinds)

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
