"""VirtualService: routing of HTTP requests, TLS connections and TCP connections to hosts."""

from typing import Annotated, ClassVar

from annotated_types import MinLen
from pydantic import Field

from mesh.api.common import Destination, Weight
from mesh.api.http_match import is_claim
from mesh.api.http_route import HTTPRoute
from mesh.api.model import AGE, Column, Findings, Kind, Message, Names, optional
from mesh.api.names import ExportTo, GatewayName, HostOrIp, Label, Labels, Subnet, covers
from mesh.api.scalars import PortNumber
from mesh.core.errors import show

__all__ = [
    "L4MatchAttributes",
    "RouteDestination",
    "TCPRoute",
    "TLSMatchAttributes",
    "TLSRoute",
    "VirtualService",
]

MESH = "mesh"
"""The reserved gateway name that means all sidecars."""


class RouteDestination(Message):
    """One destination of a TLS or TCP route, and its weight."""

    destination: Destination = Field(description="The service, or the subset of it, that gets the connections.")
    weight: Weight | None = optional("Percentage of the route's connections; of several receivers they add up to 100.")


class TLSMatchAttributes(Message):
    """Match conditions on a TLS connection that is passed through, all of which must hold."""

    sniHosts: Annotated[list[HostOrIp], MinLen(1)] = Field(
        description="Server names, or *.example.com, any of which the client may ask for; among the hosts above."
    )
    destinationSubnets: list[Subnet] | None = optional("Addresses or ranges, one of which is the receiver's.")
    port: PortNumber | None = optional("Port that the connection is addressed to.")
    sourceLabels: Labels | None = optional("Labels of the workload that calls; for sidecars, not for gateways.")
    gateways: list[GatewayName] | None = optional("Gateways of this match, in place of the VirtualService's.")
    sourceNamespace: Label | None = optional("Namespace of the workload that calls; for sidecars only.")


class TLSRoute(Message):
    """A route of TLS connections that are passed through: match conditions and destinations."""

    required: ClassVar = ("match",)

    match: Annotated[list[TLSMatchAttributes], MinLen(1)] = Field(description="Conditions, any of which may hold.")
    route: Annotated[list[RouteDestination], MinLen(1)] = Field(description="Receivers of the connections.")


class L4MatchAttributes(Message):
    """Match conditions on a TCP connection, all of which must hold."""

    destinationSubnets: list[Subnet] | None = optional("Addresses or ranges, one of which is the receiver's.")
    port: PortNumber | None = optional("Port that the connection is addressed to.")
    sourceSubnet: str | None = optional("Address or range of the client; no proxy looks at it.")
    sourceLabels: Labels | None = optional("Labels of the workload that calls; for sidecars, not for gateways.")
    gateways: list[GatewayName] | None = optional("Gateways of this match, in place of the VirtualService's.")
    sourceNamespace: Label | None = optional("Namespace of the workload that calls; for sidecars only.")


class TCPRoute(Message):
    """A route of TCP connections: match conditions and destinations."""

    required: ClassVar = ()

    match: list[L4MatchAttributes] | None = optional("Conditions, any of which may hold; every connection if not set.")
    route: Annotated[list[RouteDestination], MinLen(1)] = Field(description="Receivers of the connections.")


class VirtualService(Kind):
    """Where the requests and connections to some hosts go, and what happens to them on the way."""

    names: ClassVar = Names(
        group="networking.istio.io",
        plural="virtualservices",
        short=("vs",),
        columns=(
            Column("Gateways", ".spec.gateways", "Gateways that the routes are for."),
            Column("Hosts", ".spec.hosts", "Hosts that the routes are for."),
            AGE,
        ),
    )

    hosts: list[HostOrIp] | None = optional(
        "Names that clients ask for: DNS names, *.example.com, or IP addresses. None makes it a delegate's routes."
    )
    gateways: list[GatewayName] | None = optional(
        "Gateways to which the routes apply, as name or namespace/name; mesh, the default, is all sidecars."
    )
    http: list[HTTPRoute] | None = optional("Routes of HTTP requests; the first that matches is taken.")
    tls: list[TLSRoute] | None = optional(
        "Routes of TLS connections that are passed through; the first match is taken."
    )
    tcp: list[TCPRoute] | None = optional("Routes of other connections; the first that matches is taken.")
    exportTo: ExportTo | None = optional(
        "Namespaces whose proxies see the routes: names, . for its own, * for all (the default)."
    )

    def check(self) -> Findings:
        if not (self.http or self.tls or self.tcp):
            yield (), "needs http, tls or tcp"
        if MESH in (self.gateways or [MESH]):
            yield from self._check_claims()
        if self.hosts:
            yield from self._check_hosts(self.hosts)
            yield from self._check_server_names(self.hosts)
        else:
            yield from self._check_delegate()

    def _check_claims(self) -> Findings:
        for i, route in enumerate(self.http or ()):
            for j, match in enumerate(route.match or ()):
                for name in ("headers", "withoutHeaders"):
                    for header in filter(is_claim, getattr(match, name) or ()):
                        text = "only gateways can match a claim: name them, and not mesh, in gateways"
                        yield ("http", i, "match", j, name, header), text

    def _check_hosts(self, hosts: list[str]) -> Findings:
        if "*" in hosts and MESH in (self.gateways or [MESH]):
            text = '"*" is for gateways only: name them, and not mesh, in gateways'
            yield ("hosts", hosts.index("*")), text
        for i, host in enumerate(hosts):
            for other in hosts[:i]:
                if covers(host, other) or covers(other, host):
                    yield ("hosts", i), f"{show(host)} and {show(other)} overlap"

    def _check_server_names(self, hosts: list[str]) -> Findings:
        for i, tls in enumerate(self.tls or ()):
            for j, match in enumerate(tls.match):
                for k, name in enumerate(match.sniHosts):
                    if not any(covers(host, name) for host in hosts):
                        yield ("tls", i, "match", j, "sniHosts", k), f"{show(name)} is not among the hosts"

    def _check_delegate(self) -> Findings:
        for name in ("gateways", "tls", "tcp"):
            if getattr(self, name):
                yield (name,), "is not for a delegate, a VirtualService without hosts"
        for i, route in enumerate(self.http or ()):
            if route.delegate:
                yield ("http", i, "delegate"), "a delegate cannot delegate further"
