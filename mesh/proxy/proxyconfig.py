"""The proxy's configuration (Istio's ProxyConfig) of one workload: defaults, the mesh's, the pod's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import yaml

from mesh.core import errors
from mesh.proxy.annotations import InjectionError

ANNOTATION: Final = "proxy.istio.io/config"
METADATA: Final = "proxyMetadata"
DEFAULTS: Final[dict[str, Any]] = {
    "configPath": "./etc/istio/proxy",
    "binaryPath": "/usr/local/bin/envoy",
    "serviceCluster": "istio-proxy",
    "drainDuration": "45s",
    "parentShutdownDuration": "60s",
    "discoveryAddress": "istiod.istio-system.svc:15012",
    "discoveryRefreshDelay": None,
    "zipkinAddress": None,
    "statsdUdpAddress": None,
    "envoyMetricsServiceAddress": None,
    "proxyAdminPort": 15000,
    "availabilityZone": None,
    "controlPlaneAuthPolicy": "MUTUAL_TLS",
    "customConfigFile": None,
    "statNameLength": 189,
    "concurrency": 2,
    "proxyBootstrapTemplatePath": None,
    "interceptionMode": "REDIRECT",
    "tracing": {"zipkin": {"address": "zipkin.istio-system:9411"}},
    "sds": None,
    "envoyAccessLogService": None,
    "envoyMetricsService": None,
    METADATA: {},
    "statusPort": 15020,
    "extraStatTags": None,
    "gatewayTopology": None,
    "terminationDrainDuration": "5s",
    "meshId": None,
    "readinessProbe": None,
    "proxyStatsMatcher": None,
    "holdApplicationUntilProxyStarts": None,
    "caCertificatesPem": None,
}
"""Every field of Istio 1.10's ProxyConfig, and its default there if it has one that is not empty."""


def effective(mesh: Mapping[str, Any], annotations: Mapping[str, str]) -> dict[str, Any]:
    """The configuration for a pod with these annotations, in a mesh with this MeshConfig; metadata are merged.

    Raises InjectionError for an annotation that is no mapping, and for a field that there is not.
    """
    layers = {"defaultConfig": mesh.get("defaultConfig") or {}, ANNOTATION: _own(annotations)}
    config = dict(DEFAULTS)
    for place, layer in layers.items():
        for name in layer:
            if name not in DEFAULTS:
                nearest = errors.nearest(name, DEFAULTS)
                raise InjectionError(f"{place}: unknown field {errors.show(name)}{nearest}")
        config = {**config, **layer, METADATA: {**config[METADATA], **(layer.get(METADATA) or {})}}
    return config


def differences(config: Mapping[str, Any]) -> dict[str, Any]:
    """What of the configuration is not the default: all that the agent has to be told."""
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
