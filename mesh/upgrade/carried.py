"""Splits the settings of a control plane into those that another release has, and those that it lacks."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from mesh.api import MeshConfig
from mesh.config import tags
from mesh.config.revisions import SHARED, ControlPlane
from mesh.config.settings import NAMESPACE
from mesh.core.merge import Data
from mesh.core.places import wire_names, written
from mesh.core.typed import Path
from mesh.releases import lacking
from mesh.upgrade.standing import Standing

KEYS: Final = tuple(name for name in wire_names(ControlPlane) if name not in ("release", "profile"))
"""The keys of a control plane. A stack has the same keys for its own control plane."""
_OF_RELEASE: Final = ("tag", "images", "compatibilityVersion")
"""The keys that are specific to one release."""
_IMAGES: Final = (
    *(("pilot", "image"), ("global", "proxy", "image"), ("global", "proxy_init", "image")),
    *(("cni", "image"), ("ztunnel", "image")),
)
_TAGS: Final = (("pilot", "tag"), ("cni", "tag"), ("ztunnel", "tag"))
"""Image tags of single components."""


def entry(at: Standing) -> tuple[dict[str, Any], list[str]]:
    """The entry of `mesh:controlPlanes` for the target, with the settings of the stack's own control plane; and the
    settings that the release lacks, one line each. Settings that all control planes share stay with the stack."""
    found: dict[str, Any] = {key: copy.deepcopy(at.own[key]) for key in KEYS if key in at.own}
    for path in SHARED:
        found = without(found, path)
    found, left = known(at, found, ControlPlane)
    return {"release": at.target.release, "profile": at.profile, **found}, left


def known(at: Standing, config: Data, model: type[BaseModel]) -> tuple[dict[str, Any], list[str]]:
    """The part of a config that the target's release has, and what is left out, one line each."""
    found, left = dict(config), list[str]()
    for path, why in sorted(_unknown(at, config, model), key=lambda one: list(map(str, one[0])), reverse=True):
        found = without(found, path)
        left.append(f"{NAMESPACE}:{written(path)}: {why}")
    return found, sorted(set(left))


def _unknown(at: Standing, config: Data, model: type[BaseModel]) -> Iterator[tuple[Path, str]]:
    if at.same_release:
        return
    release = at.target.release
    for path, text in lacking.of_config(release, model, config):
        yield path, text.partition(": ")[0]
    if model is ControlPlane:
        yield from (
            ((key,), f"it is specific to Istio {at.main.release.name}") for key in _OF_RELEASE if config.get(key)
        )
    images, own = _texts(config, _IMAGES), _texts(config, _TAGS)
    for path, _ in tags.release_mismatches(own, images, release):
        yield path, f"it is specific to Istio {at.main.release.name}"
    try:
        read = MeshConfig.model_validate(config.get("meshConfig") or {})
    except (
        ValidationError
    ):  # encrypted values fail here; for other values, the check of the whole config says what is wrong
        return
    for path, text in lacking.refused_mesh_config(release, read):
        yield ("meshConfig", *path), text.partition(": ")[0]


def _texts(config: Data, paths: Iterable[tuple[str, ...]]) -> dict[Path, str]:
    """The texts at the paths that have one."""
    return {path: value for path in paths if isinstance(value := _at(config, path), str)}


def shared(config: Data, key: str) -> dict[str, Any]:
    """The part of a key's map that all control planes share; empty if there is none."""
    found: dict[str, Any] = {}
    for first, *others in SHARED:
        if first == key and (value := _at(config, (first, *others))) is not None:
            at = found
            for step in others[:-1]:
                at = at.setdefault(step, {})
            at[others[-1]] = value
    return found


def without(config: Data, path: Iterable[str | int]) -> dict[str, Any]:
    """The config without the value at a path, and without the maps that are then empty."""
    made: dict[str, Any] = _without(dict(config), tuple(path)) or {}
    return made


def _without(value: Any, path: Path) -> Any:
    key, *rest = path
    if isinstance(value, list) and isinstance(key, int) and key < len(value):
        items = [_without(value[key], tuple(rest))] if rest else []
        return [*value[:key], *items, *value[key + 1 :]]
    if not isinstance(value, Mapping) or key not in value:
        return value
    kept = {name: item for name, item in value.items() if name != key}
    inner = _without(value[key], tuple(rest)) if rest else None
    return {name: inner if name == key else item for name, item in value.items()} if inner else kept


def _at(config: Data, path: tuple[str, ...]) -> Any:
    found: Any = config
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found
