"""`mesh:traffic.egress`: ServiceEntries for hosts outside the mesh, and routes to them through an egress gateway."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from pydantic import Field

from mesh import api
from mesh.api.names import SomeHost, Subnet
from mesh.core.kubernetes import Name, PortNumber
from mesh.core.typed import Documented, Findings
from mesh.traffic.context import GatewayRef, StackContext
from mesh.traffic.objects import ConfigObject

MESH: Final = "mesh"
"""Reserved gateway name that means all sidecars of the mesh."""
_DEFAULT_PORTS: Final = {"HTTP": 80, "TLS": 443, "TCP": None}
_HTTPS: Final = 443


class Egress(Documented):
    """Hosts outside the mesh. The key of the entry is the ServiceEntry's name; the objects that route through a gateway
    have the suffix `-egress`."""

    hosts: list[SomeHost] = Field(min_length=1)
    """DNS names. A wildcard such as `*.example.com` is possible without `gateway` and `originateTls`."""
    protocol: Literal["HTTP", "TLS", "TCP"] = "TLS"
    """Protocol that clients speak: `HTTP` for plain text, `TLS` for TLS from end to end (https, for example), `TCP` for
    anything else."""
    port: PortNumber | None = None
    """Port that clients connect to; if not set, 80 for HTTP and 443 for TLS. Required for TCP."""
    gateway: Name | None = None
    """Gateway of the stack through which the traffic leaves the mesh; if not set, sidecars connect directly. Not for
    `TCP`."""
    originateTls: bool = False
    """Whether the proxy upgrades plain HTTP of clients to https on port 443: the gateway, or without one the
    sidecar."""
    authorities: str = "/etc/ssl/certs/ca-certificates.crt"
    """Only with `originateTls`: path, in the proxy's container, of the CA certificates that verify the host's
    certificate. An empty text switches verification off."""
    addresses: list[Subnet] = []
    """IP addresses or CIDR ranges of the host, only for `TCP`: they distinguish its connections from others on the same
    port."""
    namespace: Name | None = None
    """Namespace of the objects; if not set, Bookinfo's, or the only injected namespace."""

    def check(self) -> Findings:
        if self.protocol == "TCP":
            if self.port is None:
                yield ("port",), "is required with protocol TCP"
            if self.gateway:
                yield ("gateway",), "is for HTTP and TLS only: TCP carries no host name"
            if len(self.hosts) > 1:
                yield ("hosts",), "only one is possible with protocol TCP, which carries no host name"
        if self.addresses and self.protocol != "TCP":
            yield ("addresses",), f"are for protocol TCP only: {self.protocol} carries the host name"
        if self.originateTls and self.protocol != "HTTP":
            yield ("originateTls",), "is for protocol HTTP only"
        if self.originateTls and self.port == _HTTPS:
            yield ("port",), f"is where clients send plain HTTP, so it cannot be {_HTTPS}"
        wild = [i for i, host in enumerate(self.hosts) if host.startswith("*")]
        if wild and (self.gateway or self.originateTls):
            yield ("hosts", wild[0]), "has no address to connect to: list each host, or remove gateway and originateTls"

    @property
    def caller_port(self) -> int:
        """Port that clients connect to."""
        return self.port or _DEFAULT_PORTS[self.protocol] or 0

    @property
    def target_port(self) -> int:
        """Port of the host itself."""
        return _HTTPS if self.originateTls else self.caller_port

    @property
    def has_wildcard(self) -> bool:
        """Whether one of the hosts is a wildcard."""
        return any(host.startswith("*") for host in self.hosts)


def objects(path: str, name: str, egress: Egress, stack: StackContext) -> Iterator[ConfigObject]:
    """The ServiceEntry, and the objects that route through a gateway or originate TLS. Raises ApiError if the namespace
    or the gateway is not the stack's, or the gateway's Service lacks the port."""
    namespace = stack.namespace_for(egress.namespace)

    def config_object(body: api.Kind, suffix: str = "", late: bool = False) -> ConfigObject:
        return ConfigObject(path=path, body=body, name=f"{name}{suffix}", namespace=namespace, late=late)

    yield config_object(_entry(egress))
    if egress.originateTls:
        for i, host in enumerate(egress.hosts):
            yield config_object(_origination(egress, host), f"-{i}" if i else "")
    if egress.gateway:
        ref = stack.gateway(egress.gateway)
        if egress.caller_port not in ref.ports:
            known = ", ".join(map(str, sorted(ref.ports)))
            raise api.ApiError([f"port {egress.caller_port} is none of the Service of {ref.name} ({known})"])
        yield config_object(_gateway(egress, ref), "-egress")
        yield config_object(_gateway_subset(name, egress, ref, stack), "-egress")
        yield config_object(_routes(name, egress, ref, stack), "-egress", late=True)
    elif egress.originateTls:
        to = [_to(host, egress.target_port) for host in egress.hosts]
        for i, host in enumerate(egress.hosts):
            routes = [api.HTTPRoute(match=[api.HTTPMatchRequest(port=egress.caller_port)], route=[to[i]])]
            yield config_object(api.VirtualService(hosts=[host], http=routes), f"-{i}" if i else "", late=True)


def _entry(egress: Egress) -> api.ServiceEntry:
    ports = [api.ServicePort(number=egress.caller_port, name=egress.protocol.lower(), protocol=egress.protocol)]
    if egress.originateTls:
        ports.append(api.ServicePort(number=egress.target_port, name="http-to-tls", protocol="HTTP"))
    return api.ServiceEntry(
        hosts=list(egress.hosts),
        addresses=egress.addresses or None,
        ports=ports,
        location="MESH_EXTERNAL",
        resolution="NONE" if egress.has_wildcard else "DNS",
    )


def _origination(egress: Egress, host: str) -> api.DestinationRule:
    """TLS origination: the proxy gets plain HTTP and connects to the host with TLS."""
    checked = egress.authorities
    tls = api.ClientTLSSettings(
        mode="SIMPLE",
        caCertificates=checked or None,
        subjectAltNames=[host] if checked else None,  # otherwise a certificate for any host is accepted
        sni=host,
    )
    port = api.PortTrafficPolicy(port=api.PortSelector(number=egress.target_port), tls=tls)
    return api.DestinationRule(host=host, trafficPolicy=api.TrafficPolicy(portLevelSettings=[port]))


def _gateway(egress: Egress, ref: GatewayRef) -> api.Gateway:
    """The egress Gateway. It passes TLS through; plain HTTP reaches it over the mesh's mutual TLS, so it is never in
    plain text on the network inside the mesh."""
    passed = egress.protocol == "TLS"
    tls = api.ServerTLSSettings(mode="PASSTHROUGH" if passed else "ISTIO_MUTUAL")
    port = api.Port(number=egress.caller_port, name="tls" if passed else "https", protocol="TLS" if passed else "HTTPS")
    server = api.Server(port=port, hosts=list(egress.hosts), tls=tls)
    return api.Gateway(selector={"istio": ref.selector["istio"]}, servers=[server])


def _gateway_subset(name: str, egress: Egress, ref: GatewayRef, stack: StackContext) -> api.DestinationRule:
    """A subset of the gateway for traffic from sidecars. The SNI of the first host is enough, because the gateway
    routes all hosts of the entry alike."""
    policy = None
    if egress.protocol == "HTTP":
        tls = api.ClientTLSSettings(mode="ISTIO_MUTUAL", sni=egress.hosts[0])
        port = api.PortTrafficPolicy(port=api.PortSelector(number=egress.caller_port), tls=tls)
        policy = api.TrafficPolicy(portLevelSettings=[port])
    host = stack.full_host(ref.name, ref.namespace)
    return api.DestinationRule(host=host, subsets=[api.Subset(name=name, trafficPolicy=policy)])


def _routes(name: str, egress: Egress, ref: GatewayRef, stack: StackContext) -> api.VirtualService:
    """Routes from sidecars to the gateway, and one for each host from the gateway to that host."""
    gateway, used = f"{name}-egress", egress.caller_port
    hop = api.Destination(
        host=stack.full_host(ref.name, ref.namespace), subset=name, port=api.PortSelector(number=used)
    )
    hosts = list(egress.hosts)
    if egress.protocol == "TLS":
        inner = [api.TLSMatchAttributes(gateways=[MESH], port=used, sniHosts=hosts)]
        tls = [api.TLSRoute(match=inner, route=[api.RouteDestination(destination=hop)])]
        for host in hosts:
            outer = [api.TLSMatchAttributes(gateways=[gateway], port=used, sniHosts=[host])]
            out = api.Destination(host=host, port=api.PortSelector(number=used))
            tls.append(api.TLSRoute(match=outer, route=[api.RouteDestination(destination=out)]))
        return api.VirtualService(hosts=hosts, gateways=[MESH, gateway], tls=tls)
    http = [
        api.HTTPRoute(
            match=[api.HTTPMatchRequest(gateways=[MESH], port=used)],
            route=[api.HTTPRouteDestination(destination=hop)],
        )
    ]
    for host in hosts:
        authority = api.StringMatch(exact=host) if len(hosts) > 1 else None
        outer_match = api.HTTPMatchRequest(gateways=[gateway], port=used, authority=authority)
        http.append(api.HTTPRoute(match=[outer_match], route=[_to(host, egress.target_port)]))
    return api.VirtualService(hosts=hosts, gateways=[MESH, gateway], http=http)


def _to(host: str, port: int) -> api.HTTPRouteDestination:
    return api.HTTPRouteDestination(destination=api.Destination(host=host, port=api.PortSelector(number=port)))
