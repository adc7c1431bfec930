"""EnvoyFilter: patches to the Envoy configuration that istiod generates."""

from typing import ClassVar, Literal

from pydantic import Field

from mesh.api import envoy_values
from mesh.api.common import TargetReferences, WorkloadSelector
from mesh.api.enforced import Rule, at_most_one
from mesh.api.model import Findings, Kind, Message, Names, nested, optional
from mesh.api.model import at_most_one as at_most_one_of
from mesh.api.regex import Regex
from mesh.api.scalars import EndpointPort, Int32, Struct, UInt32

__all__ = [
    "ClusterMatch",
    "EnvoyConfigObjectMatch",
    "EnvoyConfigObjectPatch",
    "EnvoyFilter",
    "FilterChainMatch",
    "FilterMatch",
    "ListenerMatch",
    "Patch",
    "ProxyMatch",
    "RouteConfigurationMatch",
    "RouteMatch",
    "SubFilterMatch",
    "VirtualHostMatch",
    "WaypointMatch",
    "WaypointRouteMatch",
]

HTTP_MANAGERS = ("envoy.filters.network.http_connection_manager", "envoy.http_connection_manager")
"""The HTTP connection manager, by its current and its deprecated name: the only network filter with sub-filters."""

_OF_LISTENERS = ("LISTENER", "FILTER_CHAIN", "NETWORK_FILTER", "HTTP_FILTER")
_OF_ROUTES = ("ROUTE_CONFIGURATION", "VIRTUAL_HOST", "HTTP_ROUTE")


class ProxyMatch(Message):
    """Conditions on the proxy that is configured."""

    proxyVersion: Regex | None = optional("A regular expression in RE2 syntax for the proxy's version of Istio.")
    metadata: dict[str, str] | None = optional("Metadata that the proxy must have sent, all of them.")


class ClusterMatch(Message):
    """Conditions on an Envoy cluster, which is an upstream destination."""

    portNumber: UInt32 | None = optional("Port of the service.")
    service: str | None = optional("Full DNS name of the service.")
    subset: str | None = optional("Subset of the service.")
    name: str | None = optional("Name of the cluster itself; nothing else may be asked for then.")


class RouteMatch(Message):
    """Conditions on a route."""

    name: str | None = optional("Name of the route; default where no VirtualService names it.")
    action: Literal["ANY", "ROUTE", "REDIRECT", "DIRECT_RESPONSE"] | None = optional("What the route does.")


class VirtualHostMatch(Message):
    """Conditions on a virtual host."""

    name: str | None = optional("Name of the virtual host, as host:port.")
    route: RouteMatch | None = optional("Conditions on one of its routes.")
    domainName: str | None = optional("One of its domains.")


class RouteConfigurationMatch(Message):
    """Conditions on a route configuration."""

    portNumber: UInt32 | None = optional("Port of the service, or of the gateway's server.")
    portName: str | None = optional("Name of the port of a gateway's server.")
    gateway: str | None = optional("Gateway that the routes belong to, as namespace/name.")
    vhost: VirtualHostMatch | None = optional("Conditions on one of its virtual hosts.")
    name: str | None = optional("Name of the route configuration itself.")


class SubFilterMatch(Message):
    """Conditions on an HTTP filter within the HTTP connection manager."""

    name: str | None = optional("Name of the filter, such as envoy.filters.http.router.")


class FilterMatch(Message):
    """Conditions on a network filter."""

    name: str | None = optional("Name of the filter, such as envoy.filters.network.http_connection_manager.")
    subFilter: SubFilterMatch | None = optional("Conditions on an HTTP filter within it.")


class FilterChainMatch(Message):
    """Conditions on one of a listener's filter chains."""

    name: str | None = optional("Name of the filter chain.")
    sni: str | None = optional("Server name that the chain is for.")
    transportProtocol: str | None = optional("raw_buffer, or tls where a handshake has been seen; for inbound traffic.")
    applicationProtocols: str | None = optional("Protocols with commas between them: h2, http/1.1, http/1.0.")
    filter: FilterMatch | None = optional("Conditions on one of its filters.")
    destinationPort: UInt32 | None = optional("Port that the chain is for.")


class ListenerMatch(Message):
    """Conditions on a listener."""

    portNumber: UInt32 | None = optional("Port of the service, or of the gateway's server.")
    portName: str | None = optional("Not implemented by any release.")
    filterChain: FilterChainMatch | None = optional("Conditions on one of its filter chains.")
    name: str | None = optional("Name of the listener itself, usually address_port.")
    listenerFilter: str | None = optional("Name of one of its listener filters.")


class WaypointRouteMatch(Message):
    """Conditions on a route of a waypoint."""

    name: str | None = optional("Name of the route.")


class WaypointMatch(Message):
    """Conditions on the configuration of a waypoint."""

    portNumber: EndpointPort | None = optional("Port of the service.")
    filter: FilterMatch | None = optional("Conditions on a network filter.")
    route: WaypointRouteMatch | None = optional("Conditions on a route.")


class EnvoyConfigObjectMatch(Message):
    """Conditions on the objects of Envoy's configuration to which a patch applies."""

    one_of: ClassVar = ("listener", "routeConfiguration", "cluster", "waypoint")
    enforced: ClassVar = (
        Rule(
            'has(self.context) ? ((self.context == "WAYPOINT") ? has(self.waypoint) : !has(self.waypoint)) :'
            " !has(self.waypoint)",
            "only support waypointMatch when context is WAYPOINT",
        ),
    )

    context: Literal["ANY", "SIDECAR_INBOUND", "SIDECAR_OUTBOUND", "GATEWAY", "WAYPOINT"] | None = optional(
        "Whose traffic: any (the default), that to or from a sidecar's workload, or that of a gateway."
    )
    proxy: ProxyMatch | None = optional("Conditions on the proxy.")
    listener: ListenerMatch | None = optional("Conditions on a listener.")
    routeConfiguration: RouteConfigurationMatch | None = optional("Conditions on routes.")
    cluster: ClusterMatch | None = optional("Conditions on a destination.")
    waypoint: WaypointMatch | None = optional("Conditions on a waypoint's configuration, with context WAYPOINT.")

    def check(self) -> Findings:
        if (self.context == "WAYPOINT") != self.is_set("waypoint"):
            yield ("waypoint",), "must be set with context WAYPOINT, and only then"


class Patch(Message):
    """The change that a patch makes to an object."""

    operation: (
        Literal["INVALID", "MERGE", "ADD", "REMOVE", "INSERT_BEFORE", "INSERT_AFTER", "INSERT_FIRST", "REPLACE"] | None
    ) = optional("What is done with the object that was found, or beside it.")
    value: Struct | None = optional("The object, or the part of it that changes, in Envoy's own JSON.")
    filterClass: Literal["UNSPECIFIED", "AUTHN", "AUTHZ", "STATS"] | None = optional(
        "With ADD: after which of Istio's own filters (authentication, authorization), or before its metrics."
    )

    def check(self) -> Findings:
        if self.operation in (None, "INVALID"):
            yield ("operation",), "is required"
        elif self.operation != "REMOVE" and not self.is_set("value"):
            yield ("value",), f"is required for {self.operation}"


class EnvoyConfigObjectPatch(Message):
    """A patch: the type of the objects, conditions on them, and the change."""

    required: ClassVar = ()

    applyTo: (
        Literal[
            "INVALID",
            "LISTENER",
            "FILTER_CHAIN",
            "NETWORK_FILTER",
            "HTTP_FILTER",
            "ROUTE_CONFIGURATION",
            "VIRTUAL_HOST",
            "HTTP_ROUTE",
            "CLUSTER",
            "EXTENSION_CONFIG",
            "BOOTSTRAP",
            "LISTENER_FILTER",
        ]
        | None
    ) = optional("What sort of object is changed.")
    match: EnvoyConfigObjectMatch | None = optional("Which objects of that sort; all of them if not set.")
    patch: Patch = Field(description="The change.")

    def check(self) -> Findings:
        if self.patch.value is not None:
            yield from nested(("patch", "value"), envoy_values.problems(self.applyTo or "", self.patch.value))
        if self.match and self.match.context == "WAYPOINT":
            return
        if self.applyTo in (None, "INVALID"):
            yield ("applyTo",), "is required"
        if not self.match:
            return
        for name, sorts in (
            ("listener", _OF_LISTENERS),
            ("routeConfiguration", _OF_ROUTES),
            ("cluster", ("CLUSTER",)),
        ):
            others = [other for other in self.match.one_of if other != name and self.match.is_set(other)]
            if self.applyTo in sorts and others:
                yield ("match", others[0]), f"does not go with applyTo {self.applyTo}; use {name}"
        chain = self.match.listener.filterChain if self.match.listener else None
        if chain and chain.filter and self.applyTo in _OF_LISTENERS:
            yield from self._check_filter(chain.filter)

    def _check_filter(self, wanted: FilterMatch) -> Findings:
        path = ("match", "listener", "filterChain", "filter")
        if not wanted.name:
            yield (*path, "name"), "is required"
        elif wanted.subFilter:
            if self.applyTo != "HTTP_FILTER":
                yield (*path, "subFilter"), "needs applyTo HTTP_FILTER"
            if wanted.name not in HTTP_MANAGERS:
                yield (*path, "name"), f"must be {HTTP_MANAGERS[0]}, the only filter with filters of its own"
            if not wanted.subFilter.name:
                yield (*path, "subFilter", "name"), "is required"


class EnvoyFilter(Kind):
    """Patches on the configuration that istiod makes for Envoy. They may break with any upgrade: a last resort."""

    names: ClassVar = Names(group="networking.istio.io", plural="envoyfilters")
    enforced: ClassVar = (
        at_most_one("only one of targetRefs or workloadSelector can be set", "workloadSelector", "targetRefs"),
    )

    workloadSelector: WorkloadSelector | None = optional(
        "Which workloads; all of the namespace if not set, or of the mesh if it is Istio's root namespace."
    )
    targetRefs: TargetReferences | None = optional(
        "Gateways of the Gateway API, or waypoints, that are changed; not with workloadSelector."
    )
    configPatches: list[EnvoyConfigObjectPatch] | None = optional("The changes, made in this order.")
    priority: Int32 | None = optional("Place among several EnvoyFilters: the lowest is applied first; 0 if not set.")

    def check(self) -> Findings:
        yield from at_most_one_of(self, "workloadSelector", "targetRefs")
