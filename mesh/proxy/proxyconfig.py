"""The effective ProxyConfig of a pod: the release's defaults, MeshConfig's `defaultConfig`, the pod's annotation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import yaml

from mesh.core import errors
from mesh.proxy.annotations import InjectionError

ANNOTATION: Final = "proxy.istio.io/config"
METADATA: Final = "proxyMetadata"


def effective(defaults: Mapping[str, Any], mesh: Mapping[str, Any], annotations: Mapping[str, str]) -> dict[str, Any]:
    """The ProxyConfig of a pod with these annotations in a mesh with this MeshConfig.

    `defaults` has every field of the release's ProxyConfig and its default (`Release.proxy_config`). A field of the
    annotation replaces that of the mesh; `proxyMetadata` is merged. Raises InjectionError for an annotation that is not
    a mapping, and for unknown fields.
    """
    layers = {"defaultConfig": mesh.get("defaultConfig") or {}, ANNOTATION: _own(annotations)}
    config = dict(defaults)
    for origin, layer in layers.items():
        for name in layer:
            if name not in defaults:
                nearest = errors.nearest(name, defaults)
                raise InjectionError(f"{origin}: unknown field {errors.show(name)}{nearest}")
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


def _own(annotations: Mapping[str, str]) -> dict[str, Any]:
    try:
        own = yaml.safe_load(annotations.get(ANNOTATION, "")) or {}
    except yaml.YAMLError as error:
        raise InjectionError(f"{ANNOTATION}: not YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(own, dict):
        raise InjectionError(f"{ANNOTATION}: expected a mapping, got {errors.show(own)}")
    return own
