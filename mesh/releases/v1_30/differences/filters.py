"""What changed for EnvoyFilters: names of filters and of the parts of the proxy's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mesh.releases.differences import Difference, Gone, Severity

CHANGED: Final[Mapping[str, Difference]] = {
    "filter-names": Difference(
        since="1.19",
        before="{name} means the filter {now}, too",
        after="nothing has this name, so the patch does nothing",
        remedy="write {now}, which the earlier release knows as well",
        source="deprecated-envoy-filter.yaml",
    ),
    "filter-types": Difference(
        since="1.19",
        severity=Severity.REFUSED,
        before="Envoy finds the filter {name} by its name",
        after="the proxy rejects the listener of a filter without typed_config, and keeps what it had",
        remedy="write typed_config with the filter's @type, which the earlier release knows as well",
        source="no_extension_lookup_by_name.yaml",
    ),
    "virtual-host-names": Difference(
        since="1.11",
        before="each domain has a virtual host of its own name",
        after="domains with the same routes may share one, so the patch may apply to more or to none",
        remedy="match on a route's name, or on domainName once only newer proxies run; try it on one workload",
        source="route-collapse.yaml",
        variable=("PILOT_ENABLE_ROUTE_COLLAPSE_OPTIMIZATION", "false"),
    ),
}

_WASM: Final = Gone(
    since="1.24",
    after="the proxy has no plugins of WebAssembly compiled in (envoy.wasm.runtime.null), and rejects the filter",
    remedy="use a Telemetry object for metrics and access logs, or a WasmPlugin with a module",
    source="istio/proxy: extensions/ of the release's tag",
)
_NETWORK: Final = Gone(
    since="1.20",
    after="the proxy has no such filter",
    remedy="do it with a WasmPlugin, or with a Gateway and a VirtualService that match on SNI",
    source="envoy-filter-removal.yaml",
)
_AUTHN: Final = Gone(
    since="1.24",
    after="no listener has this filter, and no request its metadata",
    remedy="use envoy.filters.http.jwt_authn, or to insert a filter, envoy.filters.http.router",
    source="istio/istio pull request 53534",
)
GONE: Final[Mapping[str, Gone]] = {
    "envoy.wasm.runtime.null": _WASM,
    "envoy.filters.network.forward_downstream_sni": _NETWORK,
    "envoy.filters.network.sni_verifier": _NETWORK,
    "envoy.filters.network.tcp_cluster_rewrite": _NETWORK,
    "istio_authn": _AUTHN,
}

_OF_HTTP: Final = {
    "buffer": "buffer",
    "cors": "cors",
    "csrf": "csrf",
    "ext_authz": "ext_authz",
    "fault": "fault",
    "grpc_http1_bridge": "grpc_http1_bridge",
    "grpc_json_transcoder": "grpc_json_transcoder",
    "grpc_web": "grpc_web",
    "health_check": "health_check",
    "ip_tagging": "ip_tagging",
    "lua": "lua",
    "rate_limit": "ratelimit",
    "router": "router",
}
_OF_NETWORK: Final = ("http_connection_manager", "mongo_proxy", "ratelimit", "redis_proxy", "tcp_proxy")
_OF_LISTENERS: Final = ("http_inspector", "original_dst", "original_src", "proxy_protocol", "tls_inspector")
NAMES: Final[Mapping[str, str]] = {
    **{f"envoy.{old}": f"envoy.filters.http.{new}" for old, new in _OF_HTTP.items()},
    **{f"envoy.{name}": f"envoy.filters.network.{name}" for name in _OF_NETWORK},
    **{f"envoy.listener.{name}": f"envoy.filters.listener.{name}" for name in _OF_LISTENERS},
}
"""Names of filters before Envoy 1.14, of those that both releases have, with the names since (Envoy's version history,
1.14.0, deprecated)."""
