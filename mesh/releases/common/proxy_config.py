"""The ProxyConfig of several releases: its fields, and which of a tracer's fields Istio requires."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mesh.api.proxy_config import MeshProxyConfig
from mesh.core.typed import Findings

SECOND: Final = 10**9  # nanoseconds
_DEPRECATED: Final = {
    "discoveryAddress": ("discoveryRefreshDelay", "zipkinAddress"),
    "statsdUdpAddress": ("envoyMetricsServiceAddress",),
    "proxyAdminPort": ("availabilityZone",),
    "tracing": ("sds",),
}
"""Deprecated fields, which annotations may set and `mesh:meshConfig` may not, by the field that precedes them."""
_REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "lightstep": ("address", "accessToken"),
    "zipkin": ("address",),
    "datadog": ("address",),
}
"""The fields without which Istio refuses a tracer."""


def defaults(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The default of each field, in the order of the definition; None if `values` has none. Fields that a release lacks
    are among them."""
    return {
        name: values.get(name)
        for field in MeshProxyConfig.model_fields
        for name in (field, *_DEPRECATED.get(field, ()))
    }


def incomplete_tracers(config: Mapping[str, Any]) -> Findings:
    """Problems of tracers that lack required fields."""
    tracing = config["tracing"] or {}
    for tracer, fields in _REQUIRED.items():
        for field in fields:
            if tracer in tracing and not (tracing[tracer] or {}).get(field):
                yield ("tracing", tracer, field), "is required"
