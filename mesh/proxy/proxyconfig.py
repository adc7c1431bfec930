"""The effective ProxyConfig of a pod: Istio's defaults, MeshConfig's `defaultConfig`, the pod's annotation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import yaml

from mesh.api.proxy_config import ProxyConfig
from mesh.core import errors
from mesh.proxy.annotations import InjectionError

ANNOTATION: Final = "proxy.istio.io/config"
METADATA: Final = "proxyMetadata"
_VALUES: Final[dict[str, Any]] = {
    "configPath": "./etc/istio/proxy",
    "binaryPath": "/usr/local/bin/envoy",
    "serviceCluster": "istio-proxy",
    "drainDuration": "45s",
    "parentShutdownDuration": "60s",
    "discoveryAddress": "istiod.istio-system.svc:15012",
    "proxyAdminPort": 15000,
    "controlPlaneAuthPolicy": "MUTUAL_TLS",
    "statNameLength": 189,
    "concurrency": 2,
    "interceptionMode": "REDIRECT",
    "tracing": {"zipkin": {"address": "zipkin.istio-system:9411"}},
    METADATA: {},
    "statusPort": 15020,
    "terminationDrainDuration": "5s",
}
"""The defaults of Istio 1.10 that are not empty."""
_DEPRECATED: Final = {
    "discoveryAddress": ("discoveryRefreshDelay", "zipkinAddress"),
    "statsdUdpAddress": ("envoyMetricsServiceAddress",),
    "proxyAdminPort": ("availabilityZone",),
    "tracing": ("sds",),
}
"""Deprecated fields, which annotations may set and `mesh:meshConfig` may not, by the field that precedes them."""
DEFAULTS: Final[dict[str, Any]] = {
    name: _VALUES.get(name) for field in ProxyConfig.model_fields for name in (field, *_DEPRECATED.get(field, ()))
}
"""The default of each field of Istio 1.10's ProxyConfig, in the order of its definition; None if it is empty."""


def effective(mesh: Mapping[str, Any], annotations: Mapping[str, str]) -> dict[str, Any]:
    """The ProxyConfig of a pod with these annotations in a mesh with this MeshConfig.

    A field of the annotation replaces that of the mesh; `proxyMetadata` is merged. Raises InjectionError for an
    annotation that is not a mapping, and for unknown fields.
    """
    layers = {"defaultConfig": mesh.get("defaultConfig") or {}, ANNOTATION: _own(annotations)}
    config = dict(DEFAULTS)
    for origin, layer in layers.items():
        for name in layer:
            if name not in DEFAULTS:
                nearest = errors.nearest(name, DEFAULTS)
                raise InjectionError(f"{origin}: unknown field {errors.show(name)}{nearest}")
        config = {**config, **layer, METADATA: {**config[METADATA], **(layer.get(METADATA) or {})}}
    return config


def differences(config: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that differ from the default and are not empty, as the agent gets them (`PROXY_CONFIG`)."""
    empty: tuple[Any, ...] = (None, "", [], {})
    return {
        name: config[name]
        for name, default in DEFAULTS.items()
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
