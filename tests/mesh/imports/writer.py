"""A stack's config written as an IstioOperator: what an import of that has to find again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mesh import releases
from mesh.core.merge import merged
from mesh.values import upstream

Data = Mapping[str, Any]

_OF_SPEC: Final = ("profile", "hub", "tag", "revision", "compatibilityVersion", "meshConfig")
"""Keys that an IstioOperator has outside of its values, under the same name."""
_SWITCHED: Final = ("base", "pilot", "istiodRemote", "cni", "ztunnel")
"""Keys whose `enabled` and `namespace` are those of a component."""
WRITTEN: Final = (
    *("release", *_OF_SPEC, *_SWITCHED, "pdb", "experimental", "global", "telemetry", "sidecarInjectorWebhook"),
    *("gatewayClasses", "injectedGateways"),
)
"""The keys that this can write, beside gateways."""


def spec(config: Data) -> dict[str, Any]:
    """The `spec` of an IstioOperator that installs what a config with keys of `WRITTEN` alone says."""
    found: dict[str, Any] = {"tag": releases.get(config["release"]).version}
    for key, value in config.items():
        if key in _OF_SPEC:
            found[key] = value
        elif key not in ("release", "namespaces"):
            found = merged(found, _part((key,), value))
    return found


def _part(path: tuple[str, ...], value: Any) -> Data:
    if len(path) == 2 and path[0] in _SWITCHED and path[1] in ("enabled", "namespace"):
        return _nested(("components", *path), value)
    if isinstance(value, Mapping) and value and (len(path) == 1 or _has_place_of_its_own(path)):
        found: Data = {}
        for key, inner in value.items():
            found = merged(found, _part((*path, key), inner))
        return found
    return _nested(_path(path), value)


def _has_place_of_its_own(path: tuple[str, ...]) -> bool:
    return upstream.has_parts_elsewhere(("values", *path))


def _path(place: tuple[str, ...]) -> tuple[str, ...]:
    """The path among an IstioOperator's values that has a place."""
    if upstream.place(("values", *place)) == place:
        return ("values", *place)
    for path, here in upstream.PLACES.items():
        steps = tuple(here.split("."))
        if path.startswith("values.") and place[: len(steps)] == steps:
            return (*path.split("."), *place[len(steps) :])
    raise AssertionError(f"{place} has no path")


def _nested(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    for step in reversed(path):
        value = {step: value}
    found: dict[str, Any] = value
    return found
