"""EnvoyFilter patches: local and global rate limits, as Istio 1.10 documents them, and the place of the CORS filter."""

from __future__ import annotations

from typing import Any, Final

from mesh.traffic.rate_limits import SECONDS, Limit

Node = dict[str, Any]

DOMAIN: Final = "mesh"
"""Domain of the stack's limits in the rate-limit service's configuration."""
CLUSTER: Final = "rate_limit_cluster"
"""Name of the Envoy cluster of the rate-limit service."""
SERVICE: Final = "ratelimit"
"""Name of the rate-limit service."""
PORT: Final = 8081
"""Port of the rate-limit service's gRPC API."""
_LOCAL: Final = "envoy.filters.http.local_ratelimit"
_GLOBAL: Final = "envoy.filters.http.ratelimit"
_CORS: Final = "envoy.filters.http.cors"
_MANAGER: Final = "envoy.filters.network.http_connection_manager"
_TIMEOUT: Final = "0.25s"  # Envoy's default of 20 ms is too short for the first request, which also connects
_TYPES: Final = "type.googleapis.com"


def local_filter(context: str, limit: Limit | None) -> Node:
    """Adds the local rate-limit filter before all other HTTP filters. Without a limit, it only applies the limits
    of routes."""
    value = {"name": _LOCAL, "typed_config": _bucket(limit)}
    return _patch(
        "HTTP_FILTER", context, "INSERT_BEFORE", value, {"listener": {"filterChain": {"filter": {"name": _MANAGER}}}}
    )


def cors_filter() -> Node:
    """Adds a CORS filter before all other HTTP filters of a gateway. Istio's own comes after authorization, so that the
    preflight request of a browser, which never carries a token, would be refused.

    The filter answers preflights itself: OPTIONS with `Access-Control-Request-Method`, from an origin that the CORS
    policy of the request's route allows. It passes every other request on unchanged."""
    value = {"name": _CORS, "typed_config": {"@type": f"{_TYPES}/envoy.extensions.filters.http.cors.v3.Cors"}}
    where = {"listener": {"filterChain": {"filter": {"name": _MANAGER}}}}
    return _patch("HTTP_FILTER", "GATEWAY", "INSERT_FIRST", value, where)


def local_route(route: str, limit: Limit) -> Node:
    """Sets the local limit of one route at a gateway."""
    return _route(route, {"typed_per_filter_config": {_LOCAL: _bucket(limit)}})


def global_filter(context: str, deny: bool) -> Node:
    """Adds the filter that asks the rate-limit service, as the last one before the router: after authentication and
    authorization. `deny`: requests are refused while the service does not answer."""
    config = {
        "@type": f"{_TYPES}/envoy.extensions.filters.http.ratelimit.v3.RateLimit",
        "domain": DOMAIN,
        "failure_mode_deny": deny,
        "timeout": _TIMEOUT,
        "rate_limit_service": {
            "grpc_service": {"envoy_grpc": {"cluster_name": CLUSTER}},
            "transport_api_version": "V3",
        },
    }
    chain = {"filter": {"name": _MANAGER, "subFilter": {"name": "envoy.filters.http.router"}}}
    value = {"name": _GLOBAL, "typed_config": config}
    return _patch("HTTP_FILTER", context, "INSERT_BEFORE", value, {"listener": {"filterChain": chain}})


def cluster(context: str, host: str) -> Node:
    """Adds the Envoy cluster of the rate-limit service at `host`."""
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
    """Sets the descriptor that is sent to the rate-limit service for one route at a gateway."""
    return _route(route, {"route": {"rate_limits": [_actions(name, limit)]}})


def global_hosts(context: str, name: str, limit: Limit) -> Node:
    """Sets the descriptor that is sent to the rate-limit service for every request."""
    return _patch("VIRTUAL_HOST", context, "MERGE", {"rate_limits": [_actions(name, limit)]})


def descriptor(name: str, limit: Limit) -> Node:
    """The limit as an entry of the rate-limit service's configuration. `name` is the value of its `generic_key`."""
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
    """A patch of the gateway's routes of that name, in any virtual host."""
    return _patch("HTTP_ROUTE", "GATEWAY", "MERGE", value, {"routeConfiguration": {"vhost": {"route": {"name": name}}}})


def _patch(apply_to: str, context: str, operation: str, value: Node, where: Node | None = None) -> Node:
    return {
        "applyTo": apply_to,
        "match": {"context": context, **(where or {})},
        "patch": {"operation": operation, "value": value},
    }
