"""Istio 1.30's ProxyConfig: its defaults (istio/api, mesh/v1alpha1/proxy.proto; pkg/config/mesh), and Istio's checks of
it in addition to the types (pkg/config/validation/agent)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mesh.api.scalars import nanoseconds
from mesh.core.errors import show
from mesh.core.typed import Findings
from mesh.releases.common.proxy_config import SECOND, defaults, incomplete_tracers

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
DEFAULTS: Final[Mapping[str, Any]] = defaults(_VALUES)


def refused(config: Mapping[str, Any]) -> Findings:
    """The problems that Istio finds in a whole ProxyConfig whose fields have valid values, including the defaults of
    fields that are not set."""
    yield from incomplete_tracers(config)
    drain = config["drainDuration"] or _VALUES["drainDuration"]
    if nanoseconds(drain) % SECOND or not nanoseconds(drain):
        yield ("drainDuration",), f"{show(drain)} is not a whole number of seconds, 1s or more"
