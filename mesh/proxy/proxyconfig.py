"""The effective ProxyConfig of a pod: the release's defaults, MeshConfig's `defaultConfig`, the pod's annotation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mesh.api import spelling
from mesh.api.proxy_config import MeshProxyConfig
from mesh.api.scalars import port_of
from mesh.core import documents, errors, validation
from mesh.core.places import written
from mesh.core.typed import Findings
from mesh.proxy.annotations import InjectionError

ANNOTATION: Final = "proxy.istio.io/config"
METADATA: Final = "proxyMetadata"


def effective(defaults: Mapping[str, Any], mesh: Mapping[str, Any], annotations: Mapping[str, str]) -> dict[str, Any]:
    """The ProxyConfig of a pod with these annotations in a mesh with this MeshConfig.

    `defaults` has every field of the release's ProxyConfig and its default (`Release.proxy_config`). A field of the
    annotation replaces that of the mesh, and the others of a one-of group; `proxyMetadata` is merged. Raises
    InjectionError for an annotation that is not a mapping, and for unknown fields.
    """
    layers = {"defaultConfig": mesh.get("defaultConfig") or {}, ANNOTATION: _own(annotations)}
    config = dict(defaults)
    for origin, layer in layers.items():
        for name in layer:
            if name not in defaults:
                nearest = errors.nearest(name, defaults)
                raise InjectionError(f"{origin}: unknown field {errors.show(name)}{nearest}")
        if any(name in layer for name in MeshProxyConfig.one_of):
            config |= dict.fromkeys(name for name in MeshProxyConfig.one_of if name in defaults)
        config = {**config, **layer, METADATA: {**config[METADATA], **(layer.get(METADATA) or {})}}
    return config


def differences(defaults: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that differ from the default and are not empty, as the agent gets them (`PROXY_CONFIG`)."""
    empty: tuple[Any, ...] = (None, "", [], {})
    return {
        name: config[name]
        for name, default in defaults.items()
        if config[name] not in empty and config[name] != default
    }


def problems(
    defaults: Mapping[str, Any],
    refused: Callable[[Mapping[str, Any]], Findings],
    mesh: Mapping[str, Any],
    annotations: Mapping[str, str],
    *,
    injected: bool,
) -> Iterator[str]:
    """What Istio refuses in the annotation of a pod, one line each.

    Istio checks it twice. The injector checks the annotation on top of the release's `defaults`, and refuses the pod;
    the agent checks it on top of the mesh's ProxyConfig, and does not start. `refused` is the check of the release. For
    a pod that is not `injected`, such as a gateway's, only the agent checks.
    """
    try:
        own = _own(annotations)
        alone, merged = (effective(defaults, layer, annotations) for layer in ({}, mesh))
    except InjectionError as error:
        yield str(error)
        return
    if wrong := _invalid(own):
        yield from (f"{ANNOTATION}: {line}" for line in wrong)
        return
    by_injector, by_agent = list(refused(alone)) if injected else [], list(refused(merged))
    for path, text in dict.fromkeys([*by_injector, *by_agent]):
        line = f"{ANNOTATION}: {'.'.join(map(str, path))}: {text}"
        if (path, text) not in by_agent:
            line += " (the injector uses Istio's defaults, not the mesh's defaultConfig)"
        elif injected and (path, text) not in by_injector:
            line += " (with the mesh's defaultConfig)"
        yield line


def _invalid(config: Mapping[str, Any]) -> list[str]:
    """The fields with values that are invalid by themselves, one line each."""
    given = {
        name: value for name, value in config.items() if name in MeshProxyConfig.model_fields and value is not None
    }
    try:
        MeshProxyConfig.model_validate(given)
    except ValidationError as error:
        lines = validation.problems(error, MeshProxyConfig, "")
        return [line for line, one in zip(lines, error.errors(), strict=True) if not _quoted_number(one)]
    return []


def _quoted_number(error: ErrorDetails) -> bool:
    """Whether the error is only about a number in quotes, which Istio reads as one."""
    return error["type"] in ("int_type", "float_type") and port_of(str(error["input"])) is not None


def _own(annotations: Mapping[str, str]) -> dict[str, Any]:
    try:
        own = documents.load(annotations.get(ANNOTATION, "")) or {}
    except ValueError as error:
        raise InjectionError(f"{ANNOTATION}: {error}") from None
    except yaml.YAMLError as error:
        raise InjectionError(f"{ANNOTATION}: not YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(own, dict):
        raise InjectionError(f"{ANNOTATION}: expected a mapping, got {errors.show(own)}")
    for path, name in spelling.respell(MeshProxyConfig, own):
        raise InjectionError(f"{ANNOTATION}: {written(path)} and {name} are the same: leave one of them out")
    return own
