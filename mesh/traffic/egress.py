"""Hosts outside the mesh: what makes them known to it, and the way through the egress gateway."""

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
"""The gateway that stands for all sidecars."""
_USUAL: Final = {"HTTP": 80, "TLS": 443, "TCP": None}
_SECURED: Final = 443


class Egress(Documented):
    """Hosts outside the mesh. The name under which they are listed is the ServiceEntry's; what leads through a
    gateway has `-egress` after it."""

    hosts: list[SomeHost] = Field(min_length=1)
    """DNS names, or `*.example.com` where no gateway is named."""
    protocol: Literal["HTTP", "TLS", "TCP"] = "TLS"
    """What callers speak: `HTTP` in plain text, `TLS` (such as https) from end to end, or anything else over TCP."""
    port: PortNumber | None = None
    """The port that callers use; 80 for HTTP and 443 for TLS if not set."""
    gateway: Name | None = None
    """One of the stack's gateways, through which the traffic leaves; directly if not set. Not for `TCP`."""
    originateTls: bool = False
    """Whether plain HTTP of callers becomes https on port 443 on the way out: at the gateway, or in the sidecar."""
    authorities: str = "/etc/ssl/certs/ca-certificates.crt"
    """With `originateTls`: file in the proxy's container with the authorities that the host must be certified by. The
    usual ones if not set; empty: nothing is checked."""
    addresses: list[Subnet] = []
    """Addresses or ranges of the host, by which `TCP` is told from what goes elsewhere on the same port."""
    namespace: Name | None = None
    """Where the objects go; Bookinfo's, or the only injected one if not set."""

    def check(self) -> Findings:
        if self.protocol == "TCP":
            if self.port is None:
                yield ("port",), "is required with protocol TCP"
            if self.gateway:
                yield ("gateway",), "is for HTTP and TLS, which say for which host they are"
            if len(self.hosts) > 1:
                yield ("hosts",), "only one is possible with protocol TCP, which names no host"
        if self.addresses and self.protocol != "TCP":
            yield ("addresses",), f"are for protocol TCP; {self.protocol} says for which host it is"
        if self.originateTls and self.protocol != "HTTP":
            yield ("originateTls",), "is for protocol HTTP; others speak TLS themselves, or something else"
        if self.originateTls and self.port == _SECURED:
            yield ("port",), f"is what callers use in plain text, so it cannot be {_SECURED}"
        wild = [i for i, host in enumerate(self.hosts) if host.startswith("*")]
        if wild and (self.gateway or self.originateTls):
            yield ("hosts", wild[0]), "has no address to go on to: name each host, or leave gateway and TLS away"

    @property
    def used(self) -> int:
        """The port that callers use."""
        return self.port or _USUAL[self.protocol] or 0

    @property
    def final(self) -> int:
        """The port of the host itself."""
        return _SECURED if self.originateTls else self.used

    @property
    def wild(self) -> bool:
        """Whether a host stands for many."""
        return any(host.startswith("*") for host in self.hosts)


def objects(path: str, name: str, egress: Egress, stack: StackContext) -> Iterator[ConfigObject]:
    """ServiceEntry, and what it takes to go through a gateway or to TLS. Raises ApiError."""
    namespace = stack.namespace_for(egress.namespace)

    def made(body: api.Kind, suffix: str = "", late: bool = False) -> ConfigObject:
        return ConfigObject(path=path, body=body, name=f"{name}{suffix}", namespace=namespace, late=late)

    yield made(_entry(egress))
    if egress.originateTls:
        for i, host in enumerate(egress.hosts):
            yield made(_origination(egress, host), f"-{i}" if i else "")
    if egress.gateway:
        ref = stack.gateway(egress.gateway)
        if egress.used not in ref.ports:
            known = ", ".join(map(str, sorted(ref.ports)))
            raise api.ApiError([f"port {egress.used} is none of the Service of {ref.name} ({known})"])
        yield made(_gateway(egress, ref), "-egress")
        yield made(_hop(name, egress, ref, stack), "-egress")
        yield made(_routes(name, egress, ref, stack), "-egress", late=True)
    elif egress.originateTls:
        to = [_to(host, egress.final) for host in egress.hosts]
        for i, host in enumerate(egress.hosts):
            routes = [api.HTTPRoute(match=[api.HTTPMatchRequest(port=egress.used)], route=[to[i]])]
            yield made(api.VirtualService(hosts=[host], http=routes), f"-{i}" if i else "", late=True)


def _entry(egress: Egress) -> api.ServiceEntry:
    ports = [api.Port(number=egress.used, name=egress.protocol.lower(), protocol=egress.protocol)]
    if egress.originateTls:
        ports.append(api.Port(number=egress.final, name="http-to-tls", protocol="HTTP"))
    return api.ServiceEntry(
        hosts=list(egress.hosts),
        addresses=egress.addresses or None,
        ports=ports,
        location="MESH_EXTERNAL",
        resolution="NONE" if egress.wild else "DNS",
    )


def _origination(egress: Egress, host: str) -> api.DestinationRule:
    """TLS to the host itself; whoever leads there speaks plain HTTP to the proxy."""
    checked = egress.authorities
    tls = api.ClientTLSSettings(
        mode="SIMPLE",
        caCertificates=checked or None,
        subjectAltNames=[host] if checked else None,  # else a certificate for any other host would do
        sni=host,
    )
    port = api.PortTrafficPolicy(port=api.PortSelector(number=egress.final), tls=tls)
    return api.DestinationRule(host=host, trafficPolicy=api.TrafficPolicy(portLevelSettings=[port]))


def _gateway(egress: Egress, ref: GatewayRef) -> api.Gateway:
    """TLS is passed through; plain HTTP comes in mutual TLS of the mesh, so that it is plain nowhere within it."""
    passed = egress.protocol == "TLS"
    tls = api.ServerTLSSettings(mode="PASSTHROUGH" if passed else "ISTIO_MUTUAL")
    port = api.Port(number=egress.used, name="tls" if passed else "https", protocol="TLS" if passed else "HTTPS")
    server = api.Server(port=port, hosts=list(egress.hosts), tls=tls)
    return api.Gateway(selector={"istio": ref.selector["istio"]}, servers=[server])


def _hop(name: str, egress: Egress, ref: GatewayRef, stack: StackContext) -> api.DestinationRule:
    """From sidecars to the gateway. One name is enough to be let in: all hosts have the same routes behind it."""
    policy = None
    if egress.protocol == "HTTP":
        tls = api.ClientTLSSettings(mode="ISTIO_MUTUAL", sni=egress.hosts[0])
        port = api.PortTrafficPolicy(port=api.PortSelector(number=egress.used), tls=tls)
        policy = api.TrafficPolicy(portLevelSettings=[port])
    host = stack.full_host(ref.name, ref.namespace)
    return api.DestinationRule(host=host, subsets=[api.Subset(name=name, trafficPolicy=policy)])


def _routes(name: str, egress: Egress, ref: GatewayRef, stack: StackContext) -> api.VirtualService:
    """From sidecars to the gateway, and from the gateway out; for each host, as it is the last receiver."""
    gateway, used = f"{name}-egress", egress.used
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
        http.append(api.HTTPRoute(match=[outer_match], route=[_to(host, egress.final)]))
    return api.VirtualService(hosts=hosts, gateways=[MESH, gateway], http=http)


def _to(host: str, port: int) -> api.HTTPRouteDestination:
    return api.HTTPRouteDestination(destination=api.Destination(host=host, port=api.PortSelector(number=port)))
