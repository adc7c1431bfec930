"""Installation profiles: each as differences from its parent."""

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
    """What every profile starts from, beside the defaults of the types."""
    gateways: Mapping[str, Data]
    """What a gateway of each kind is like before anything is said of it."""
    differences: Mapping[str, tuple[str | None, Data]]
    """Name: parent, and differences from it."""

    @property
    def names(self) -> tuple[str, ...]:
        """The profiles that there are."""
        return tuple(self.differences)

    def changed(self, name: str, differences: Data) -> dict[str, Any]:
        """A profile's values as data with further differences, not validated; KeyError for a name that is none."""
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
