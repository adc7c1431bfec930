"""Istio 1.10's ProxyConfig: its defaults (istio/api, mesh/v1alpha1/proxy.proto; pkg/config/mesh), and Istio's checks of
it in addition to the types (pkg/config/validation)."""

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
DEFAULTS: Final[Mapping[str, Any]] = defaults(_VALUES)

_LONGEST: Final = 3600 * SECOND
_DURATIONS: Final = ("drainDuration", "parentShutdownDuration")


def refused(config: Mapping[str, Any]) -> Findings:
    """The problems that Istio finds in a whole ProxyConfig whose fields have valid values, including the defaults of
    fields that are not set."""
    yield from incomplete_tracers(config)
    yield from _hot_restart(config)


def _hot_restart(config: Mapping[str, Any]) -> Findings:
    """The times of a hot restart: whole seconds, an hour at most, and the old Envoy outlives the draining."""
    drain, shutdown = (config[name] or _VALUES[name] for name in _DURATIONS)
    wrong = [(name, text) for name, text in zip(_DURATIONS, (drain, shutdown), strict=True) if not _in_seconds(text)]
    for name, text in wrong:
        yield (name,), f"{show(text)} is not a whole number of seconds, 1s to 1h"
    if wrong or nanoseconds(shutdown) > nanoseconds(drain):
        return
    if nanoseconds(drain) != nanoseconds(_VALUES["drainDuration"]):
        yield (
            ("drainDuration",),
            f"{show(drain)} must be shorter than parentShutdownDuration, {show(shutdown)}; set both",
        )
    else:
        yield (
            ("parentShutdownDuration",),
            f"{show(shutdown)} must be longer than drainDuration, {show(drain)}; set both",
        )


def _in_seconds(duration: str) -> bool:
    length = nanoseconds(duration)
    return length % SECOND == 0 and 0 < length <= _LONGEST
