"""Pages that show, or change, a mesh: whether one has to say who one is."""

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
"""What Grafana makes of a visitor whose role nobody has named."""


def anonymous(thing: Object) -> Iterator[tuple[str, str]]:
    """Grafana's anonymous access and Kiali's strategy of the name, in what configures them: where, and what to do."""
    if thing.kind in kinds.POD_TEMPLATE_KINDS:
        yield from _environment(thing)
    elif thing.kind == kinds.CONFIG_MAP:
        for name, text in (thing.body.get("data") or {}).items():
            if name.endswith(".ini"):
                yield from _ini(name, text)
            elif name.endswith((".yaml", ".yml")) and "anonymous" in text:
                yield from _kiali(name, text)


def _environment(thing: Object) -> Iterator[tuple[str, str]]:
    path, pod = pods.pod_spec(thing.kind, thing.body)
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
        return  # not an INI file, and so none of Grafana's


def _kiali(name: str, text: str) -> Iterator[tuple[str, str]]:
    try:
        config: Any = yaml.safe_load(text)
    except yaml.YAMLError:
        return
    auth = config.get("auth") if isinstance(config, Mapping) else None
    if isinstance(auth, Mapping) and auth.get("strategy") == "anonymous":
        what = "Kiali lets everybody in with its own rights: set auth.strategy to token, openid or openshift"
        yield f"data[{name}]", what


def _grafana(role: str) -> str:
    return f"Grafana lets everybody in, as {role}: switch anonymous access off, and have people log in"
