"""Finds Grafana and Kiali configured without a login."""

from __future__ import annotations

import configparser
from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

from mesh.analysis.objects import Object
from mesh.core import kinds, pods

_SWITCH, _ROLE = "GF_AUTH_ANONYMOUS_ENABLED", "GF_AUTH_ANONYMOUS_ORG_ROLE"
_SECTION: Final = "auth.anonymous"
_VIEWER: Final = "Viewer"
"""Grafana's default role of anonymous visitors."""


def find(obj: Object) -> Iterator[tuple[str, str]]:
    """The settings of an object that let anybody in without a login, as pairs of path and effect.

    It looks at Grafana's environment variables and INI files, and at Kiali's `auth.strategy`.
    """
    if obj.kind in pods.TEMPLATES:
        yield from _environment(obj)
    elif obj.kind == kinds.CONFIG_MAP:
        for name, text in (obj.body.get("data") or {}).items():
            if name.endswith(".ini"):
                yield from _ini(name, text)
            elif name.endswith((".yaml", ".yml")) and "anonymous" in text:
                yield from _kiali(name, text)


def _environment(obj: Object) -> Iterator[tuple[str, str]]:
    path, pod = pods.pod_spec(obj.kind, obj.body)
    for container in pods.running_containers(pod):
        values = {entry["name"]: entry.get("value") or "" for entry in container.body.get("env") or ()}
        if values.get(_SWITCH, "").lower() in ("true", "1"):
            yield f"{path}.{container.path}.env", _grafana(values.get(_ROLE) or _VIEWER)


def _ini(name: str, text: str) -> Iterator[tuple[str, str]]:
    ini = configparser.RawConfigParser(strict=False)
    try:
        ini.read_string(text)
        if ini.getboolean(_SECTION, "enabled", fallback=False):
            role = ini.get(_SECTION, "org_role", fallback=_VIEWER)
            yield f"data[{name}]", _grafana(role)
    except (configparser.Error, ValueError):
        return  # not an INI file, so not Grafana's


def _kiali(name: str, text: str) -> Iterator[tuple[str, str]]:
    try:
        config: Any = yaml.safe_load(text)
    except yaml.YAMLError:
        return
    auth = config.get("auth") if isinstance(config, Mapping) else None
    if isinstance(auth, Mapping) and auth.get("strategy") == "anonymous":
        yield f"data[{name}]", "Kiali lets everybody in, with its own permissions"


def _grafana(role: str) -> str:
    return f"Grafana lets everybody in, as {role}"
