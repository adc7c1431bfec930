"""The last step: removes the old control plane, and moves the target to the stack's own keys."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from mesh.config.edits import Drop, Edit, Put
from mesh.config.settings import Settings
from mesh.core.merge import Data, merged
from mesh.upgrade import carried
from mesh.upgrade.standing import Standing


def config(at: Standing) -> tuple[dict[str, Any], list[str]]:
    """The stack's own keys after the step, and the settings that the release lacks, one line each."""
    entry = at.own["controlPlanes"][at.target.revision]
    found = copy.deepcopy(dict(at.own))
    for key in carried.KEYS:
        value = entry.get(key, {})
        if value := merged(carried.shared(at.own, key), value) if isinstance(value, Mapping) else value:
            found[key] = value
        else:
            found.pop(key, None)
    found = carried.without(found, ("controlPlanes", at.target.revision))
    if at.settings.base.release == at.target.release:
        found = carried.without(found, ("base", "release"))
    profile = entry.get("profile", "default")
    said = {"profile": profile} if profile != at.settings.profile else {}
    found, left = carried.known(at, {**found, "release": at.target.release, **said}, Settings)
    return {**_with_gateways(at, found, profile), "revision": at.target.revision}, left


def _with_gateways(at: Standing, found: dict[str, Any], profile: str) -> dict[str, Any]:
    """The keys, with further ones so that each gateway stays installed or not installed."""
    given: Data = found.get("gateways") or {}
    new = at.release.values_data(profile, {"gateways": given})["gateways"]
    more: dict[str, Any] = {}
    for name, gateway in new.items():
        before = at.settings.gateways.get(name)
        is_enabled = before is not None and before.enabled
        if gateway.get("enabled", True) != is_enabled:
            more[name] = {"enabled": is_enabled}
    return {**found, "gateways": merged(given, more)} if more else found


def differences(old: Data, new: Data, path: tuple[str, ...] = ()) -> Iterator[Edit]:
    """The edits that turn the old config into the new one."""
    for key in (*old, *(key for key in new if key not in old)):
        here = (*path, key)
        if key not in new:
            yield Drop(here)
        elif isinstance(old.get(key), Mapping) and isinstance(new[key], Mapping):
            yield from differences(old[key], new[key], here)
        elif key not in old or old[key] != new[key]:
            yield Put(here, new[key])
