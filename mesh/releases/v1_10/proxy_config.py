"""The fields of Istio 1.10's ProxyConfig and their defaults (istio/api, mesh/v1alpha1/proxy.proto; pkg/config/mesh)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mesh.api.proxy_config import ProxyConfig

_VALUES: Final[Mapping[str, Any]] = {
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
    "proxyMetadata": {},
    "statusPort": 15020,
    "terminationDrainDuration": "5s",
}
"""The defaults that are not empty."""
_DEPRECATED: Final = {
    "discoveryAddress": ("discoveryRefreshDelay", "zipkinAddress"),
    "statsdUdpAddress": ("envoyMetricsServiceAddress",),
    "proxyAdminPort": ("availabilityZone",),
    "tracing": ("sds",),
}
"""Deprecated fields, which annotations may set and `mesh:meshConfig` may not, by the field that precedes them."""
DEFAULTS: Final[Mapping[str, Any]] = {
    name: _VALUES.get(name) for field in ProxyConfig.model_fields for name in (field, *_DEPRECATED.get(field, ()))
}
"""The default of each field, in the order of the definition; None if it is empty."""
