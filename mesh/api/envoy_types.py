"""Envoy's types: the protobuf messages of its API, as the package `xds-protos` describes them.

The newest version of the package that works with the protobuf of Pulumi's SDK describes the Envoy of early 2025, with
API v2 and without the extensions of Envoy's `contrib`. Istio 1.30 has an Envoy of 2026: its newer parts count as valid,
and are not read. Modules are imported when one of their messages is needed.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from mesh.core.errors import nearest
from mesh.core.places import json_name

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

OBJECTS: Final[Mapping[str, str]] = {
    "BOOTSTRAP": "envoy.config.bootstrap.v3.Bootstrap",
    "CLUSTER": "envoy.config.cluster.v3.Cluster",
    "EXTENSION_CONFIG": "envoy.config.core.v3.TypedExtensionConfig",
    "FILTER_CHAIN": "envoy.config.listener.v3.FilterChain",
    "HTTP_FILTER": "envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter",
    "HTTP_ROUTE": "envoy.config.route.v3.Route",
    "LISTENER": "envoy.config.listener.v3.Listener",
    "LISTENER_FILTER": "envoy.config.listener.v3.ListenerFilter",
    "NETWORK_FILTER": "envoy.config.listener.v3.Filter",
    "ROUTE_CONFIGURATION": "envoy.config.route.v3.RouteConfiguration",
    "VIRTUAL_HOST": "envoy.config.route.v3.VirtualHost",
}
"""The messages of the objects that a patch applies to, by `applyTo`."""

_ROOTS: Final = ("envoy", "google", "opencensus", "opentelemetry", "udpa", "validate", "xds")
"""The first steps of the names of messages in the package."""
_ROOTS_OF_ISTIO: Final = ("io", "istio")
"""The first steps of the names of messages that Istio adds for its own proxies."""
_FULL_NAME: Final = re.compile(r"(?P<package>[a-z]\w*(?:\.[a-z]\w*)*)\.(?P<message>[A-Z]\w*(?:\.[A-Z]\w*)*)", re.ASCII)
_LATER_MESSAGES: Final = (
    "envoy.config.bootstrap.v3.ApiListenerManager",
    "envoy.config.bootstrap.v3.ListenerManager",
    "envoy.config.bootstrap.v3.ValidationListenerManager",
    "envoy.config.overload.v3.ShrinkHeapConfig",
    "envoy.extensions.clusters.aggregate.v3.AggregateClusterResource",
    "envoy.extensions.filters.http.composite.v3.CompositePerRoute",
    "envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilterPerRoute",
    "envoy.extensions.filters.http.oauth2.v3.OAuth2PerRoute",
    "envoy.extensions.matching.common_inputs.network.v3.NetworkNamespaceInput",
    "envoy.extensions.tracers.opentelemetry.samplers.v3.CELSamplerConfig",
    "envoy.extensions.tracers.opentelemetry.samplers.v3.ParentBasedSamplerConfig",
    "envoy.extensions.tracers.opentelemetry.samplers.v3.TraceIdRatioBasedSamplerConfig",
    "envoy.type.matcher.v3.HttpResponseLocalReplyMatchInput",
)
"""Messages that `typed_config` may name and that are newer than the package, which has others with the same prefix."""
_LATER_VALUES: Final[Mapping[str, Sequence[str]]] = {
    "envoy.config.accesslog.v3.ComparisonFilter.Op": ("NE",),
    "envoy.config.cluster.v3.UpstreamConnectionOptions.FirstAddressFamilyVersion": ("INTERNAL", "PIPE"),
    "envoy.config.overload.v3.ScaleTimersOverloadActionConfig.TimerType": ("HTTP_DOWNSTREAM_STREAM_FLUSH",),
    "envoy.config.route.v3.RateLimit.Action.MetaData.Source": ("CLUSTER_ENTRY", "CLUSTER_LOCALITY_ENTRY"),
    "envoy.data.accesslog.v3.AccessLogType": ("TcpConnectionStart",),
    "envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode": ("GRPC",),
    "envoy.extensions.filters.http.oauth2.v3.OAuth2Config.AuthType": ("PRIVATE_KEY_JWT", "TLS_CLIENT_AUTH"),
    "envoy.extensions.filters.http.proto_message_extraction.v3.MethodExtraction.ExtractDirective": (
        "EXTRACT_REPEATED_CARDINALITY",
    ),
    "envoy.extensions.filters.network.redis_proxy.v3.RedisProxy.ConnPoolSettings.ReadPolicy": (
        "LOCAL_ZONE_AFFINITY",
        "LOCAL_ZONE_AFFINITY_REPLICAS_AND_PRIMARY",
    ),
}
"""Values of enums that are newer than the package."""
_LATER_FIELDS: Final = (
    "asn_db_path",
    "channel_credentials_plugin",
    "dns_min_refresh_rate",
    "enable_ja4_fingerprinting",
    "match_included_headers",
    "max_connection_duration_jitter",
    "record_upstream_connection",
    "secrets",
    "transport_socket_matcher",
)
"""Fields that are newer than the package, with names that are similar to other fields of their messages."""
_MISSPELT: Final = 0.85
"""The similarity from which a name counts as a misspelt name of a field, from 0 to 1."""
CHANGED: Final = frozenset({"envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter.filter_config"})
"""Fields whose type has changed since."""


@lru_cache(maxsize=256)
def message(name: str) -> Descriptor | None:
    """The message with a full name, such as `envoy.config.cluster.v3.Cluster`; None if the package does not have it."""
    found = _FULL_NAME.fullmatch(name)
    return found and messages(found["package"]).get(found["message"])


@lru_cache(maxsize=256)
def fields(of: Descriptor) -> Mapping[str, FieldDescriptor]:
    """The fields of a message that are read, by both names that they have in JSON: in snake case and in camel case."""
    known = [field for field in of.fields if field.full_name not in CHANGED]
    return {name: field for field in known for name in (field.name, field.json_name)}


def misspelt(name: str, of: Descriptor) -> str | None:
    """The problem of a field that a message does not have, if its name is similar to that of an existing field; None
    for other names, which a later Envoy may have."""
    if name in {form for later in _LATER_FIELDS for form in (later, json_name(later))}:
        return None
    close = nearest(name, fields(of), _MISSPELT)
    return f"Envoy's {of.name} has no such field, so nothing reads it{close}" if close else None


def values(of: EnumDescriptor) -> list[str]:
    """The names of an enum's values."""
    return [*of.values_by_name, *_LATER_VALUES.get(of.full_name, ())]


def unknown(name: str) -> str | None:
    """The problem of a message's name that the package does not have; None if a later Envoy may have it."""
    found, root = _FULL_NAME.fullmatch(name), name.split(".")[0]
    if not found or root not in (*_ROOTS, *_ROOTS_OF_ISTIO):
        return f'"{name}" is not a type of Envoy, whose names are like envoy.extensions.filters.http.lua.v3.Lua'
    if name in _LATER_MESSAGES or root in _ROOTS_OF_ISTIO:
        return None
    if siblings := messages(found["package"]):
        return f'"{name}" is not a type of Envoy{nearest(found["message"], siblings)}'
    close = _similar(found["package"].split("."), found["message"])
    return close and f'"{name}" is not a type of Envoy; did you mean "{close}"?'


def _similar(steps: Sequence[str], message: str) -> str | None:
    """The full name of a message whose package is spelt a little otherwise, in one step; None if there is none."""
    for i, step in enumerate(steps):
        before, beside = steps[:i], list(_below(".".join(steps[:i]))) if i else _ROOTS
        if step not in beside:
            close = re.search('"(.*)"', nearest(step, beside))
            package = ".".join((*before, close[1], *steps[i + 1 :])) if close else ""
            return f"{package}.{message}" if message in messages(package) else None
    return None


@lru_cache(maxsize=256)
def messages(package: str) -> Mapping[str, Descriptor]:
    """The messages of a protobuf package, by their names in it. Its files are the modules of the folder of its name."""
    found: dict[str, Descriptor] = {}
    for name in _below(package):
        if name.endswith("_pb2"):
            file = importlib.import_module(f"{package}.{name}").DESCRIPTOR
            found |= _with_nested(file.message_types_by_name)
    return found


def _with_nested(messages: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Descriptor]]:
    for name, one in messages.items():
        if not one.GetOptions().map_entry:
            yield prefix + name, one
            yield from _with_nested(one.nested_types_by_name, f"{prefix}{name}.")


def _below(package: str) -> Iterator[str]:
    """The names of modules and packages in a package of the roots; none if there is no such package."""
    if package.split(".")[0] not in _ROOTS:
        return
    try:
        found = importlib.util.find_spec(package)
    except ModuleNotFoundError:
        return
    if found and found.submodule_search_locations:
        yield from (module.name for module in pkgutil.iter_modules(found.submodule_search_locations))
