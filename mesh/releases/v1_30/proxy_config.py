"""Istio 1.30's ProxyConfig: its fields and their defaults (istio/api, mesh/v1alpha1/proxy.proto; pkg/config/mesh), and
what Istio refuses of it beyond the types (pkg/config/validation)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mesh.api.scalars import nanoseconds
from mesh.core.errors import show
from mesh.core.typed import Findings

_VALUES: Final[Mapping[str, Any]] = {
    "configPath": "./etc/istio/proxy",
    "binaryPath": "/usr/local/bin/envoy",
    "serviceCluster": "istio-proxy",
    "drainDuration": "45s",
    "discoveryAddress": "istiod.istio-system.svc:15012",
    "proxyAdminPort": 15000,
    "controlPlaneAuthPolicy": "MUTUAL_TLS",
    "statNameLength": 189,
    "interceptionMode": "REDIRECT",
    "proxyMetadata": {},
    "statusPort": 15020,
    "terminationDrainDuration": "5s",
}
"""The defaults that are not empty."""
_FIELDS: Final = """
    configPath binaryPath serviceCluster tracingServiceName drainDuration discoveryAddress discoveryRefreshDelay
    zipkinAddress statsdUdpAddress envoyMetricsServiceAddress proxyAdminPort availabilityZone controlPlaneAuthPolicy
    customConfigFile statNameLength concurrency proxyBootstrapTemplatePath interceptionMode tracing sds
    envoyAccessLogService envoyMetricsService proxyMetadata runtimeValues statusPort extraStatTags gatewayTopology
    terminationDrainDuration meshId readinessProbe proxyStatsMatcher holdApplicationUntilProxyStarts caCertificatesPem
    image privateKeyProvider proxyHeaders fileFlushInterval fileFlushMinSizeKb statsCompression
"""
"""All fields, in the order of the definition; annotations may set the deprecated ones, too."""
DEFAULTS: Final[Mapping[str, Any]] = {name: _VALUES.get(name) for name in _FIELDS.split()}
"""The default of each field; None if it is empty."""

_SECOND: Final = 10**9  # nanoseconds
_REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "lightstep": ("address", "accessToken"),
    "zipkin": ("address",),
    "datadog": ("address",),
}
"""The fields without which Istio refuses a tracer."""


def refused(config: Mapping[str, Any]) -> Findings:
    """What Istio refuses of a whole ProxyConfig, whose fields have valid values: with the defaults of the fields that
    nobody sets."""
    tracing = config["tracing"] or {}
    for tracer, fields in _REQUIRED.items():
        for field in fields:
            if tracer in tracing and not (tracing[tracer] or {}).get(field):
                yield ("tracing", tracer, field), "is required"
    drain = config["drainDuration"] or _VALUES["drainDuration"]
    if nanoseconds(drain) % _SECOND:
        yield ("drainDuration",), f"{show(drain)} is not a whole number of seconds"
