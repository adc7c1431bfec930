"""`mesh:traffic.egress`: ServiceEntries for hosts outside the mesh, and routes to them through an egress gateway."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final, Literal

from pydantic import Field

from mesh import api
from mesh.analysis import codes
from mesh.analysis.suppression import ANNOTATION
from mesh.api.names import SomeHost, Subnet
from mesh.core.kubernetes import Name, PortNumber
from mesh.core.typed import Documented, Findings
from mesh.traffic import origination
from mesh.traffic.context import GatewayRef, StackContext
from mesh.traffic.objects import ConfigObject
from mesh.traffic.origination import ClientCertificate

MESH: Final = "mesh"
"""Reserved gateway name that means all sidecars of the mesh."""
_BY_SECRET: Final = {ANNOTATION: codes.NO_CA_ON_PORT.code}
"""Suppresses a finding of Istio's analysis, which looks for a file: here, the CA certificates are in the Secret."""
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
    """Whether the proxy upgrades plain HTTP of clients to https: the gateway, or without one the sidecar."""
    tlsPort: PortNumber | None = None
    """Only with `originateTls`: port on which the host speaks https; 443 if not set."""
    clientCertificate: ClientCertificate | None = None
    """Only with `originateTls`: the client certificate for the host (mutual TLS); none if not set."""
    passThrough: bool = False
    """Only with `originateTls`: whether clients may also speak TLS to the host themselves, on `tlsPort`."""
    authorities: str = "/etc/ssl/certs/ca-certificates.crt"
    """Only with `originateTls`: path, in the proxy's container, of the CA certificates that verify the host's
    certificate. An empty text turns verification off."""
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
        elif self.originateTls and self.port == self.target_port:
            yield ("port",), f"is where clients send plain HTTP, so it cannot be {self.target_port}"
        elif self.originateTls and self.caller_port == self.target_port:
            yield ("tlsPort",), f"cannot be {self.target_port}, where clients send plain HTTP: set port to another"
        yield from self._check_origination()
        wild = [i for i, host in enumerate(self.hosts) if host.startswith("*")]
        if wild and (self.gateway or self.originateTls):
            yield ("hosts", wild[0]), "has no address to connect to: list each host, or remove gateway and originateTls"

    def _check_origination(self) -> Findings:
        for name in ("tlsPort", "clientCertificate", "passThrough"):
            if getattr(self, name) and not self.originateTls:
                yield (name,), "is for originateTls: set it to true"
        own = self.clientCertificate
        if own and own.secret and not self.gateway:
            yield ("clientCertificate", "secret"), "is for a gateway: name files in the sidecar's container instead"
        if own and own.secret and "authorities" in self.model_fields_set:
            yield (
                ("authorities",),
                "is not read together with clientCertificate.secret, whose ca.crt has them: leave it out",
            )

    @property
    def caller_port(self) -> int:
        """Port that clients connect to."""
        return self.port or _DEFAULT_PORTS[self.protocol] or 0

    @property
    def target_port(self) -> int:
        """Port of the host itself."""
        return self.tlsPort or _HTTPS if self.originateTls else self.caller_port

    @property
    def route_port(self) -> int:
        """Port of the ServiceEntry to which requests are routed: the host's own, unless connections that are passed
        through use it."""
        return self.caller_port if self.passThrough else self.target_port

    @property
    def gateway_ports(self) -> tuple[int, ...]:
        """Ports of the gateway's Service that are needed."""
        return (self.caller_port, self.target_port) if self.passThrough else (self.caller_port,)

    @property
    def passed_ports(self) -> tuple[int, ...]:
        """Ports on which clients' TLS is passed through."""
        if self.protocol == "TLS":
            return (self.caller_port,)
        return (self.target_port,) if self.passThrough else ()

    @property
    def has_wildcard(self) -> bool:
        """Whether one of the hosts is a wildcard."""
        return any(host.startswith("*") for host in self.hosts)


def objects(path: str, name: str, egress: Egress, stack: StackContext) -> Iterator[ConfigObject]:
    """The ServiceEntry, and the objects that route through a gateway or originate TLS. Raises ApiError if the namespace
    or the gateway is not the stack's, or the gateway's Service lacks the port."""
    namespace = stack.namespace_for(egress.namespace)

    def config_object(
        body: api.Kind, suffix: str = "", late: bool = False, notes: Mapping[str, str] = MappingProxyType({})
    ) -> ConfigObject:
        return ConfigObject(
            path=path, body=body, name=f"{name}{suffix}", namespace=namespace, late=late, annotations=notes
        )

    yield config_object(_entry(egress))
    if egress.originateTls:
        for i, host in enumerate(egress.hosts):
            checked = bool(egress.clientCertificate and egress.clientCertificate.secret)
            yield config_object(_origination(egress, host), f"-{i}" if i else "", notes=_BY_SECRET if checked else {})
    if egress.gateway:
        ref = stack.gateway(egress.gateway)
        for port in egress.gateway_ports:
            if port not in ref.ports:
                known = ", ".join(map(str, sorted(ref.ports)))
                raise api.ApiError([f"port {port} is not a port of the Service of {ref.name} ({known})"])
        yield config_object(_gateway(egress, ref), "-egress")
        yield config_object(_gateway_subset(name, egress, ref, stack), "-egress")
        yield config_object(_routes(name, egress, ref, stack), "-egress", late=True)
    elif egress.originateTls and not egress.passThrough:
        to = [_to(host, egress.route_port) for host in egress.hosts]
        for i, host in enumerate(egress.hosts):
            routes = [api.HTTPRoute(match=[api.HTTPMatchRequest(port=egress.caller_port)], route=[to[i]])]
            yield config_object(api.VirtualService(hosts=[host], http=routes), f"-{i}" if i else "", late=True)


def _entry(egress: Egress) -> api.ServiceEntry:
    ports = [api.ServicePort(number=egress.caller_port, name=egress.protocol.lower(), protocol=egress.protocol)]
    if egress.passThrough:
        port, passed = egress.caller_port, egress.target_port
        ports = [
            api.ServicePort(number=port, name="http", protocol="HTTP", targetPort=passed),
            api.ServicePort(number=passed, name="tls", protocol="TLS"),
        ]
    elif egress.originateTls:
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
    tls = origination.settings(host, egress.authorities, egress.clientCertificate)
    port = api.PortTrafficPolicy(port=api.PortSelector(number=egress.route_port), tls=tls)
    return api.DestinationRule(host=host, trafficPolicy=api.TrafficPolicy(portLevelSettings=[port]))


def _gateway(egress: Egress, ref: GatewayRef) -> api.Gateway:
    """The egress Gateway. It passes TLS through; plain HTTP reaches it over the mesh's mutual TLS, so it is never in
    plain text on the network inside the mesh."""
    servers = [_server("TLS", number, egress) for number in egress.passed_ports]
    if egress.protocol == "HTTP":
        servers.insert(0, _server("HTTPS", egress.caller_port, egress))
    return api.Gateway(selector={"istio": ref.selector["istio"]}, servers=servers)


def _server(protocol: str, number: int, egress: Egress) -> api.Server:
    tls = api.ServerTLSSettings(mode="PASSTHROUGH" if protocol == "TLS" else "ISTIO_MUTUAL")
    port = api.Port(number=number, name=protocol.lower(), protocol=protocol)
    return api.Server(port=port, hosts=list(egress.hosts), tls=tls)


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
    gateway, hosts = f"{name}-egress", list(egress.hosts)
    hop = api.Destination(host=stack.full_host(ref.name, ref.namespace), subset=name)
    tls = [route for port in egress.passed_ports for route in _passed(gateway, port, hosts, hop)]
    http = _requests(gateway, egress, hop) if egress.protocol == "HTTP" else []
    return api.VirtualService(hosts=hosts, gateways=[MESH, gateway], http=http or None, tls=tls or None)


def _passed(gateway: str, port: int, hosts: list[str], hop: api.Destination) -> Iterator[api.TLSRoute]:
    """The routes of connections with clients' own TLS, distinguished by server name."""
    number = api.PortSelector(number=port)
    inner = [api.TLSMatchAttributes(gateways=[MESH], port=port, sniHosts=hosts)]
    through = hop.model_copy(update={"port": number})
    yield api.TLSRoute(match=inner, route=[api.RouteDestination(destination=through)])
    for host in hosts:
        outer = [api.TLSMatchAttributes(gateways=[gateway], port=port, sniHosts=[host])]
        out = api.Destination(host=host, port=number)
        yield api.TLSRoute(match=outer, route=[api.RouteDestination(destination=out)])


def _requests(gateway: str, egress: Egress, hop: api.Destination) -> list[api.HTTPRoute]:
    used, hosts = egress.caller_port, egress.hosts
    through = hop.model_copy(update={"port": api.PortSelector(number=used)})
    http = [
        api.HTTPRoute(
            match=[api.HTTPMatchRequest(gateways=[MESH], port=used)],
            route=[api.HTTPRouteDestination(destination=through)],
        )
    ]
    for host in hosts:
        authority = api.StringMatch(exact=host) if len(hosts) > 1 else None
        outer_match = api.HTTPMatchRequest(gateways=[gateway], port=used, authority=authority)
        http.append(api.HTTPRoute(match=[outer_match], route=[_to(host, egress.route_port)]))
    return http


def _to(host: str, port: int) -> api.HTTPRouteDestination:
    return api.HTTPRouteDestination(destination=api.Destination(host=host, port=api.PortSelector(number=port)))
