"""The EnvoyFilters of Istio 1.10 for telemetry v2: metadata exchange between proxies, Istio's standard metrics, and
metrics and logs for Google Cloud.

There is one filter for HTTP and one for TCP, for each minor version of proxies that may be connected.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh import api
from mesh.proxy.text import go_json
from mesh.releases.release import Installation
from mesh.releases.v1_10 import extensions, stackdriver
from mesh.releases.v1_10.extensions import EDGE, HTTP, IN, OUT, ROUTER, TCP, Json
from mesh.values.telemetry import Prometheus

_AS_CALLER: Final = {
    "source_cluster": "node.metadata['CLUSTER_ID']",
    "destination_cluster": "upstream_peer.cluster_id",
}
_AS_CALLEE: Final = {
    "destination_cluster": "node.metadata['CLUSTER_ID']",
    "source_cluster": "downstream_peer.cluster_id",
}
_PROXIES_THAT_ADD_CALLER_CLUSTERS: Final = {"1.9"}
"""Later proxies report the clusters of outbound calls without configuration."""


def filters(generations: tuple[str, ...], mesh: Installation) -> Iterator[tuple[str, api.EnvoyFilter]]:
    """The filters that the values enable, by name: two to seven for each generation, a minor version of proxies such
    as `1.10`."""
    chosen = mesh.values.telemetry.v2
    for generation in generations if mesh.values.telemetry.installed else ():
        exchange = _exchange(chosen.metadataExchange.wasmEnabled)
        patches = [extensions.patch(HTTP, context, exchange) for context in (IN, OUT, EDGE)]
        yield f"metadata-exchange-{generation}", extensions.envoy_filter(generation, patches)
        yield f"tcp-metadata-exchange-{generation}", extensions.envoy_filter(generation, _tcp_exchange())
        for kind, prefix in ((HTTP, ""), (TCP, "tcp-")) if chosen.prometheus.enabled else ():
            stats = [_stats(kind, context, generation, chosen.prometheus) for context in _order(kind)]
            yield f"{prefix}stats-filter-{generation}", extensions.envoy_filter(generation, stats)
        if chosen.stackdriver.enabled:
            yield from stackdriver.filters(generation, chosen)


def _order(kind: str) -> tuple[str, str, str]:
    return (OUT, IN, EDGE) if kind == HTTP else (IN, OUT, EDGE)


def _exchange(wasm: bool) -> Json:
    compiled = extensions.compiled("envoy.wasm.metadata_exchange")
    machine = extensions.wasm("metadata-exchange-filter") if wasm else compiled
    return extensions.extension("istio.metadata_exchange", HTTP, machine, extensions.lines({}))


def _tcp_exchange() -> list[Json]:
    """Patches for TCP metadata exchange: in inbound listeners, and in outbound clusters of sidecars and gateways."""
    name, url = "istio.metadata_exchange", "envoy.tcp.metadataexchange.config.MetadataExchange"
    value = extensions.typed(name, url, {"protocol": "istio-peer-exchange"})
    listener = {
        "applyTo": "NETWORK_FILTER",
        "match": {"context": IN, "listener": {}},
        "patch": {"operation": "INSERT_BEFORE", "value": value},
    }
    clusters = [
        {
            "applyTo": "CLUSTER",
            "match": {"context": context, "cluster": {}},
            "patch": {"operation": "MERGE", "value": {"filters": [value]}},
        }
        for context in (OUT, EDGE)
    ]
    return [listener, *clusters]


def _stats(kind: str, context: str, generation: str, chosen: Prometheus) -> Json:
    override = chosen.configOverride
    given = {IN: override.inboundSidecar, OUT: override.outboundSidecar, EDGE: override.gateway}[context]
    settings = go_json(given, sort_keys=True) if given else extensions.lines(_settings(kind, context, generation))
    root = "stats_inbound" if context == IN else "stats_outbound"
    vm = root if kind == HTTP else f"tcp_{root}"
    machine = extensions.wasm("stats-filter") if chosen.wasmEnabled else extensions.compiled("envoy.wasm.stats")
    value = extensions.extension("istio.stats", kind, machine, settings, root, vm)
    return extensions.patch(kind, context, value, ROUTER if kind == HTTP else None)


def _settings(kind: str, context: str, generation: str) -> Json:
    settings: Json = {"debug": "false", "stat_prefix": "istio"}
    if context == EDGE and kind == HTTP:
        settings["disable_host_header_fallback"] = True  # else callers could choose the value of a label
    if context == IN:
        settings["metrics"] = [{"dimensions": _AS_CALLEE}]
    elif generation in _PROXIES_THAT_ADD_CALLER_CLUSTERS:
        settings["metrics"] = [{"dimensions": _AS_CALLER}]
    return settings
