"""The EnvoyFilters of Istio 1.10 for telemetry v2: metadata exchange between proxies, and Istio's standard metrics.

Each inserts an extension, which is compiled into the proxy (and runs in Envoy's "null" VM) or is WebAssembly. There is
one filter for HTTP and one for TCP, for each minor version of proxies that may be connected.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from mesh import api
from mesh.releases.release import Installation

Json = dict[str, Any]

_IN, _OUT, _EDGE = "SIDECAR_INBOUND", "SIDECAR_OUTBOUND", "GATEWAY"
_HTTP, _TCP = "http", "network"

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
    """The filters that the values enable, by name: two or four for each generation, a minor version of proxies such
    as `1.10`."""
    chosen = mesh.values.telemetry.v2
    for generation in generations if mesh.values.telemetry.installed else ():
        exchange = _exchange(chosen.metadataExchange.wasmEnabled)
        patches = [_patch(_HTTP, context, exchange) for context in (_IN, _OUT, _EDGE)]
        yield f"metadata-exchange-{generation}", _filter(generation, patches)
        yield f"tcp-metadata-exchange-{generation}", _filter(generation, _tcp_exchange())
        for kind, prefix in ((_HTTP, ""), (_TCP, "tcp-")) if chosen.prometheus.enabled else ():
            stats = [_stats(kind, context, generation, chosen.prometheus.wasmEnabled) for context in _order(kind)]
            yield f"{prefix}stats-filter-{generation}", _filter(generation, stats)


def _order(kind: str) -> tuple[str, str, str]:
    return (_OUT, _IN, _EDGE) if kind == _HTTP else (_IN, _OUT, _EDGE)


def _filter(generation: str, patches: list[Json]) -> api.EnvoyFilter:
    """An EnvoyFilter with these patches, for proxies of one generation only."""
    proxy = {"proxyVersion": f"^{re.escape(generation)}.*"}
    limited = [{**patch, "match": {**patch["match"], "proxy": proxy}} for patch in patches]
    return api.EnvoyFilter.model_validate({"configPatches": limited})


def _patch(kind: str, context: str, value: Json, before: str | None = None) -> Json:
    """A patch that inserts a filter into a listener's chain: before filter `before`, or before all others."""
    manager = "http_connection_manager" if kind == _HTTP else "tcp_proxy"
    chain: Json = {"name": f"envoy.filters.network.{manager}"}
    if before:
        chain["subFilter"] = {"name": before}
    return {
        "applyTo": f"{kind.upper()}_FILTER",
        "match": {"context": context, "listener": {"filterChain": {"filter": chain}}},
        "patch": {"operation": "INSERT_BEFORE", "value": value},
    }


def _typed(name: str, url: str, value: Json) -> Json:
    struct = "type.googleapis.com/udpa.type.v1.TypedStruct"
    return {
        "name": name,
        "typed_config": {"@type": struct, "type_url": f"type.googleapis.com/{url}", "value": value},
    }


def _compiled(code: str) -> Json:
    """The VM configuration of an extension that is compiled into the proxy under the name `code`."""
    return {"code": {"local": {"inline_string": code}}, "runtime": "envoy.wasm.runtime.null"}


def _wasm(file: str) -> Json:
    """The VM configuration of a WebAssembly extension, which the proxy's image contains precompiled."""
    code = {"local": {"filename": f"/etc/istio/extensions/{file}.compiled.wasm"}}
    return {"code": code, "runtime": "envoy.wasm.runtime.v8", "allow_precompiled": True}


def _extension(name: str, kind: str, machine: Json, settings: Json, root: str = "", vm: str = "") -> Json:
    """The filter of an extension, with its settings as JSON text; `root` is the root ID, `vm` the VM ID."""
    text = {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": json.dumps(settings, indent=2) + "\n"}
    config: Json = {"configuration": text, "vm_config": machine}
    if root:
        config["root_id"] = root
    if vm:
        config["vm_config"] = {**machine, "vm_id": vm}
    return _typed(name, f"envoy.extensions.filters.{kind}.wasm.v3.Wasm", {"config": config})


def _exchange(wasm: bool) -> Json:
    machine = _wasm("metadata-exchange-filter") if wasm else _compiled("envoy.wasm.metadata_exchange")
    return _extension("istio.metadata_exchange", _HTTP, machine, {})


def _tcp_exchange() -> list[Json]:
    """Patches for TCP metadata exchange: in inbound listeners, and in outbound clusters of sidecars and gateways."""
    name, url = "istio.metadata_exchange", "envoy.tcp.metadataexchange.config.MetadataExchange"
    value = _typed(name, url, {"protocol": "istio-peer-exchange"})
    listener = {
        "applyTo": "NETWORK_FILTER",
        "match": {"context": _IN, "listener": {}},
        "patch": {"operation": "INSERT_BEFORE", "value": value},
    }
    clusters = [
        {
            "applyTo": "CLUSTER",
            "match": {"context": context, "cluster": {}},
            "patch": {"operation": "MERGE", "value": {"filters": [value]}},
        }
        for context in (_OUT, _EDGE)
    ]
    return [listener, *clusters]


def _stats(kind: str, context: str, generation: str, wasm: bool) -> Json:
    settings: Json = {"debug": "false", "stat_prefix": "istio"}
    if context == _EDGE and kind == _HTTP:
        settings["disable_host_header_fallback"] = True  # else callers could choose the value of a label
    if context == _IN:
        settings["metrics"] = [{"dimensions": _AS_CALLEE}]
    elif generation in _PROXIES_THAT_ADD_CALLER_CLUSTERS:
        settings["metrics"] = [{"dimensions": _AS_CALLER}]
    root = "stats_inbound" if context == _IN else "stats_outbound"
    vm = root if kind == _HTTP else f"tcp_{root}"
    machine = _wasm("stats-filter") if wasm else _compiled("envoy.wasm.stats")
    value = _extension("istio.stats", kind, machine, settings, root, vm)
    return _patch(kind, context, value, "envoy.filters.http.router" if kind == _HTTP else None)
