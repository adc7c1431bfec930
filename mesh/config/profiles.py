"""Installation profiles: what decides what is installed, in types, and each profile as differences from its parent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mesh.config.values.gateway import Gateway, Port
from mesh.config.values.values import Cni, Values
from mesh.config.values.workload import Workload
from mesh.core.kubernetes import Name, PortNumber, Resources, ServiceType
from mesh.core.merge import Data, merged, with_gateways
from mesh.releases.v1_10 import profiles

__all__ = [
    "NAMES",
    "Cni",
    "Gateway",
    "Name",
    "Port",
    "PortNumber",
    "Resources",
    "ServiceType",
    "Values",
    "Workload",
    "changed",
    "profile",
]

NAMES: Final = tuple(profiles.PROFILES)
_KINDS: Final = {kind: merged(Gateway.model_construct().model_dump(), own) for kind, own in profiles.KINDS.items()}


def profile(name: str, differences: Data | None = None) -> Values:
    """The profile called `name`, one of `NAMES`, with further differences; KeyError for any other name."""
    return Values.model_validate(changed(name, differences or {}))


def changed(name: str, differences: Data) -> dict[str, Any]:
    """The profile's values as data with further differences, not validated."""
    return with_gateways(_values(name), differences, _KINDS)


def _values(name: str) -> Mapping[str, Any]:
    parent, differences = profiles.PROFILES[name]
    if parent is None:
        defaults = Values().model_dump(by_alias=True, exclude={"meshConfig"})
        return merged(merged(defaults, profiles.ROOT), differences)
    return with_gateways(_values(parent), differences, _KINDS)
