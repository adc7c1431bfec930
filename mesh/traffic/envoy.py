"""Pieces of Envoy's own configuration for limits of requests, as Istio 1.10 documents them."""

from __future__ import annotations

from typing import Any, Final

from mesh.traffic.limits import SECONDS, Limit

Node = dict[str, Any]

DOMAIN: Final = "mesh"
"""Under which the rate-limit service knows the stack's limits."""
CLUSTER: Final = "rate_limit_cluster"
SERVICE: Final = "ratelimit"
"""Name of the rate-limit service."""
PORT: Final = 8081
"""Its port for gRPC."""
_LOCAL: Final = "envoy.filters.http.local_ratelimit"
_GLOBAL: Final = "envoy.filters.http.ratelimit"
_MANAGER: Final = "envoy.filters.network.http_connection_manager"
_PATIENCE: Final = "0.25s"  # Envoy's own 20 ms are too short for the first request, which connects
_TYPES: Final = "type.googleapis.com"


def local_filter(context: str, limit: Limit | None) -> Node:
    """Counts in the proxy itself, before all other filters; without a limit only where a route has one."""
    value = {"name": _LOCAL, "typed_config": _bucket(limit)}
    return _patch(
        "HTTP_FILTER", context, "INSERT_BEFORE", value, {"listener": {"filterChain": {"filter": {"name": _MANAGER}}}}
    )


def local_route(route: str, limit: Limit) -> Node:
    """The limit of one route at a gateway."""
    return _route(route, {"typed_per_filter_config": {_LOCAL: _bucket(limit)}})


def global_filter(context: str, deny: bool) -> Node:
    """Asks the rate-limit service, after who calls is known and right before requests are passed on."""
    config = {
        "@type": f"{_TYPES}/envoy.extensions.filters.http.ratelimit.v3.RateLimit",
        "domain": DOMAIN,
        "failure_mode_deny": deny,
        "timeout": _PATIENCE,
        "rate_limit_service": {
            "grpc_service": {"envoy_grpc": {"cluster_name": CLUSTER}},
            "transport_api_version": "V3",
        },
    }
    chain = {"filter": {"name": _MANAGER, "subFilter": {"name": "envoy.filters.http.router"}}}
    value = {"name": _GLOBAL, "typed_config": config}
    return _patch("HTTP_FILTER", context, "INSERT_BEFORE", value, {"listener": {"filterChain": chain}})


def cluster(context: str, host: str) -> Node:
    """Where the rate-limit service is."""
    address = {"socket_address": {"address": host, "port_value": PORT}}
    value = {
        "name": CLUSTER,
        "type": "STRICT_DNS",
        "connect_timeout": "1s",
        "lb_policy": "ROUND_ROBIN",
        "http2_protocol_options": {},
        "load_assignment": {
            "cluster_name": CLUSTER,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
    }
    return _patch("CLUSTER", context, "ADD", value)


def global_route(route: str, name: str, limit: Limit) -> Node:
    """What the service is told of requests of one route at a gateway."""
    return _route(route, {"route": {"rate_limits": [_actions(name, limit)]}})


def global_hosts(context: str, name: str, limit: Limit) -> Node:
    """What the service is told of every request."""
    return _patch("VIRTUAL_HOST", context, "MERGE", {"rate_limits": [_actions(name, limit)]})


def descriptor(name: str, limit: Limit) -> Node:
    """The limit as the service's own configuration has it; `name` is what it is told by."""
    rate = {"rate_limit": {"unit": limit.per, "requests_per_unit": limit.requests}}
    if not limit.by:
        return {"key": "generic_key", "value": name, **rate}
    return {"key": "generic_key", "value": name, "descriptors": [{"key": limit.by.header or "remote_address", **rate}]}


def _actions(name: str, limit: Limit) -> Node:
    actions: list[Node] = [{"generic_key": {"descriptor_value": name}}]
    if limit.by and limit.by.header:
        header = limit.by.header
        actions.append({"request_headers": {"header_name": header, "descriptor_key": header}})
    elif limit.by:
        actions.append({"remote_address": {}})
    return {"actions": actions}


def _bucket(limit: Limit | None) -> Node:
    value: Node = {"stat_prefix": "http_local_rate_limiter"}
    if limit:
        value["token_bucket"] = {
            "max_tokens": limit.burst or limit.requests,
            "tokens_per_fill": limit.requests,
            "fill_interval": f"{SECONDS[limit.per]}s",
        }
        always = {"numerator": 100, "denominator": "HUNDRED"}
        for what in ("enabled", "enforced"):
            value[f"filter_{what}"] = {"runtime_key": f"local_rate_limit_{what}", "default_value": always}
        value["response_headers_to_add"] = [{"append": False, "header": {"key": "x-local-rate-limit", "value": "true"}}]
    url = f"{_TYPES}/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"
    return {"@type": f"{_TYPES}/udpa.type.v1.TypedStruct", "type_url": url, "value": value}


def _route(name: str, value: Node) -> Node:
    """A change to the routes of that name, in whichever virtual host they are."""
    return _patch("HTTP_ROUTE", "GATEWAY", "MERGE", value, {"routeConfiguration": {"vhost": {"route": {"name": name}}}})


def _patch(sort: str, context: str, operation: str, value: Node, where: Node | None = None) -> Node:
    return {
        "applyTo": sort,
        "match": {"context": context, **(where or {})},
        "patch": {"operation": operation, "value": value},
    }
