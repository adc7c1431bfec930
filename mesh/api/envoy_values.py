"""The types of Envoy's own fields at the top of a patch's value, as Istio's validation reads them (JSON of protobuf).

Fields that are not listed here, and what is inside of messages, count as valid. Names may be in snake or camel case.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from mesh.api.scalars import nanoseconds
from mesh.core.errors import show
from mesh.core.typed import Findings

_NUMBER: Final = re.compile(r"[0-9]+(\.0+)?(e\+?[0-9]+)?")
_TEXT, _SWITCH, _AMOUNT, _LENGTH = "a text", "true or false", "a number", "a duration"
_MAP, _MAPS, _LIST, _TEXTS = "a mapping", "a mapping of mappings", "a list of mappings", "a list of texts"

_HEADERS: Final = {
    **dict.fromkeys(("request_headers_to_add", "response_headers_to_add"), _LIST),
    **dict.fromkeys(("request_headers_to_remove", "response_headers_to_remove"), _TEXTS),
    "typed_per_filter_config": _MAPS,
}
_FILTER: Final = {"name": _TEXT, "typed_config": _MAP, "config_discovery": _MAP}
FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    "LISTENER": {
        **dict.fromkeys(("name", "stat_prefix"), _TEXT),
        **dict.fromkeys(("address", "default_filter_chain", "metadata", "connection_balance_config"), _MAP),
        **dict.fromkeys(("filter_chains", "listener_filters", "access_log", "socket_options"), _LIST),
        **dict.fromkeys(("per_connection_buffer_limit_bytes", "tcp_backlog_size"), _AMOUNT),
        **dict.fromkeys(("use_original_dst", "transparent", "freebind", "bind_to_port"), _SWITCH),
        **dict.fromkeys(("continue_on_listener_filters_timeout", "enable_reuse_port"), _SWITCH),
        "listener_filters_timeout": _LENGTH,
    },
    "FILTER_CHAIN": {
        "name": _TEXT,
        "filters": _LIST,
        **dict.fromkeys(("filter_chain_match", "transport_socket", "metadata"), _MAP),
        "transport_socket_connect_timeout": _LENGTH,
    },
    "NETWORK_FILTER": _FILTER,
    "HTTP_FILTER": {**_FILTER, "is_optional": _SWITCH, "disabled": _SWITCH},
    "LISTENER_FILTER": _FILTER,
    "EXTENSION_CONFIG": {"name": _TEXT, "typed_config": _MAP},
    "ROUTE_CONFIGURATION": {
        "name": _TEXT,
        **dict.fromkeys(("virtual_hosts", "request_mirror_policies"), _LIST),
        "internal_only_headers": _TEXTS,
        **_HEADERS,
        "validate_clusters": _SWITCH,
        "max_direct_response_body_size_bytes": _AMOUNT,
    },
    "VIRTUAL_HOST": {
        "name": _TEXT,
        "domains": _TEXTS,
        **dict.fromkeys(("routes", "virtual_clusters", "rate_limits"), _LIST),
        **_HEADERS,
        **dict.fromkeys(("retry_policy", "hedge_policy", "matcher"), _MAP),
        **dict.fromkeys(("include_request_attempt_count", "include_attempt_count_in_response"), _SWITCH),
        "per_request_buffer_limit_bytes": _AMOUNT,
    },
    "HTTP_ROUTE": {
        **dict.fromkeys(("name", "stat_prefix"), _TEXT),
        **dict.fromkeys(("match", "route", "redirect", "direct_response", "metadata", "decorator", "tracing"), _MAP),
        **_HEADERS,
        "per_request_buffer_limit_bytes": _AMOUNT,
    },
    "CLUSTER": {
        **dict.fromkeys(("name", "alt_stat_name"), _TEXT),
        **dict.fromkeys(("connect_timeout", "dns_refresh_rate", "cleanup_interval"), _LENGTH),
        **dict.fromkeys(("per_connection_buffer_limit_bytes", "max_requests_per_connection"), _AMOUNT),
        **dict.fromkeys(("load_assignment", "circuit_breakers", "outlier_detection", "transport_socket"), _MAP),
        "typed_extension_protocol_options": _MAPS,
        **dict.fromkeys(("metadata", "common_lb_config"), _MAP),
        **dict.fromkeys(("http2_protocol_options", "http_protocol_options", "upstream_connection_options"), _MAP),
        **dict.fromkeys(("lb_subset_config", "upstream_bind_config", "eds_cluster_config"), _MAP),
        **dict.fromkeys(("health_checks", "filters", "transport_socket_matches", "dns_resolvers"), _LIST),
        **dict.fromkeys(("respect_dns_ttl", "ignore_health_on_host_removal"), _SWITCH),
    },
    "BOOTSTRAP": {
        **dict.fromkeys(("node", "static_resources", "dynamic_resources", "cluster_manager", "admin"), _MAP),
        **dict.fromkeys(("stats_config", "tracing", "layered_runtime", "overload_manager"), _MAP),
        "stats_sinks": _LIST,
        "stats_flush_interval": _LENGTH,
        "header_prefix": _TEXT,
    },
}
"""The fields of the objects that a patch applies to, by `applyTo`."""


def problems(sort: str, value: Mapping[str, Any]) -> Findings:
    """The fields of a patch's value that Envoy's types refuse; `sort` is what the patch applies to."""
    known = FIELDS.get(sort, {})
    for name, given in value.items():
        wanted = known.get(re.sub("[A-Z]", lambda capital: f"_{capital[0].lower()}", str(name)))
        if wanted and given is not None and not _CHECKS[wanted](given):
            yield (str(name),), f"expected {wanted}, got {show(given)}: Envoy's own type"
    config = value.get("typed_config", value.get("typedConfig"))
    if isinstance(config, Mapping) and "typed_config" in known and not isinstance(config.get("@type"), str):
        yield ("typed_config", "@type"), "is required: the name of Envoy's type, type.googleapis.com/…"


def _all(kind: type, items: Iterable[Any]) -> bool:
    return all(isinstance(item, kind) for item in items)


def _is_amount(given: Any) -> bool:
    if isinstance(given, str):
        return bool(_NUMBER.fullmatch(given))
    if isinstance(given, bool) or not isinstance(given, int | float):
        return False
    return given >= 0 and (isinstance(given, int) or given.is_integer())


def _is_duration(given: Any) -> bool:
    try:
        nanoseconds(given.removeprefix("-"))
    except (AttributeError, ValueError):
        return False
    return True


_CHECKS: Final[Mapping[str, Callable[[Any], bool]]] = {
    _TEXT: lambda given: isinstance(given, str),
    _SWITCH: lambda given: isinstance(given, bool),
    _AMOUNT: _is_amount,
    _LENGTH: _is_duration,
    _MAP: lambda given: isinstance(given, Mapping),
    _MAPS: lambda given: isinstance(given, Mapping) and _all(Mapping, given.values()),
    _LIST: lambda given: isinstance(given, list) and _all(Mapping, given),
    _TEXTS: lambda given: isinstance(given, list) and _all(str, given),
}
