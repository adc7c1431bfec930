"""`mesh:traffic.hosts`: hosts that an ingress gateway serves, with TLS or without, and the routes to services."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

from mesh import api
from mesh.api.names import whole_host
from mesh.core.kubernetes import Name, PortNumber
from mesh.core.typed import Documented, Findings
from mesh.traffic.context import StackContext
from mesh.traffic.gateway_tls import GatewayTls
from mesh.traffic.ingress_routes import IngressRoute, Resolve
from mesh.traffic.objects import ConfigObject

HTTP, HTTPS = 80, 443
DEFAULT_GATEWAY: Final = "istio-ingressgateway"
"""Gateway of hosts that do not name one."""

HostName = Annotated[str, AfterValidator(whole_host)]


class Ingress(Documented):
    """Hosts that a gateway serves. The key of the entry is the VirtualService's name; the Gateway has the suffix
    `-gateway`."""

    hosts: list[HostName] = Field(min_length=1)
    """Full DNS names, wildcards such as `*.example.com`, or `*` for all hosts."""
    gateway: Name = DEFAULT_GATEWAY
    """Name of the stack's gateway that serves the hosts."""
    namespace: Name | None = None
    """Namespace of the objects, in which short names of services are resolved; if not set, Bookinfo's, or the only
    injected namespace."""
    protocol: Literal["HTTP", "TCP"] = "HTTP"
    """What the services get: requests, or connections as they are. Without `tls`, a TCP connection names no host, and
    `hosts` is `*`."""
    port: PortNumber | None = None
    """Port of the gateway's Service; if not set, 80, or 443 with `tls`. Required for TCP."""
    tls: GatewayTls | None = None
    """TLS; plain text if not set."""
    routes: list[IngressRoute] = Field(min_length=1)
    """Routes in order: the first that matches takes the request. Connections, of protocol TCP or with TLS that is
    passed on, have one route, which has a destination (`to`) and nothing else."""

    def check(self) -> Findings:
        yield from self._check_connections()
        for i, host in enumerate(self.hosts):
            if host in self.hosts[:i]:
                yield ("hosts", i), f'"{host}" is listed twice'
        for i, route in enumerate(self.routes[:-1]):
            if not route.match:
                yield ("routes", i + 1), f"is never reached: routes[{i}] has no match and takes every request"
                return

    def _check_connections(self) -> Findings:
        if self.protocol == "TCP":
            if self.port is None:
                yield ("port",), "is required with protocol TCP"
            if self.tls is None and self.hosts != ["*"]:
                yield ("hosts",), 'must be ["*"] with protocol TCP and no tls: such a connection names no host'
            if self.tls and (self.tls.before_gateway or self.tls.passed_on):
                yield ("tls",), "is not possible with protocol TCP: give a secret, or leave one of them out"
        if self.connections:
            if len(self.routes) > 1:
                yield ("routes", 1), "is never reached: connections have one route; list other hosts in another entry"
            for name in sorted(self.routes[0].model_fields_set - {"to"}):
                yield ("routes", 0, name), "is for requests, but the gateway sees only connections here: leave it out"

    @property
    def connections(self) -> bool:
        """Whether the gateway routes connections without reading requests."""
        return self.protocol == "TCP" or (self.tls is not None and self.tls.passed_on)

    @property
    def secured(self) -> bool:
        """Whether clients of the gateway speak TLS to it."""
        return self.tls is not None and not self.tls.before_gateway

    @property
    def served_port(self) -> int:
        """Port of the gateway's Service on which the hosts are served."""
        return self.port or (HTTPS if self.secured else HTTP)

    @property
    def served_ports(self) -> tuple[int, ...]:
        """All ports of the entry: the one that serves the hosts, and port 80 if it redirects."""
        return (self.served_port, HTTP) if self.redirecting_port else (self.served_port,)

    @property
    def redirecting_port(self) -> bool:
        """Whether port 80 only redirects."""
        return self.secured and self.protocol == "HTTP" and bool(self.tls and self.tls.redirects)


def has_cors(entry: Ingress) -> bool:
    """Whether a route of the entry has a CORS policy, so that the gateway answers browsers' preflight requests."""
    return any(route.cors for route in entry.routes)


def route_name(name: str, position: int) -> str:
    """Name of a route with a rate limit, by which EnvoyFilter patches select it."""
    return f"{name}-{position}"


def objects(path: str, name: str, ingress: Ingress, stack: StackContext, resolve: Resolve) -> Iterator[ConfigObject]:
    """The Gateway and the VirtualService. Raises ApiError if the namespace or the gateway is not the stack's, or the
    gateway's Service lacks a port."""
    namespace, ref, gateway = stack.namespace_for(ingress.namespace), stack.gateway(ingress.gateway), f"{name}-gateway"
    for port in ingress.served_ports:
        if port not in ref.ports:
            known = ", ".join(map(str, sorted(ref.ports)))
            raise api.ApiError([f"port {port} is not a port of the Service of {ref.name} ({known})"])
    body = api.Gateway(selector={"istio": ref.selector["istio"]}, servers=list(_servers(ingress)))
    yield ConfigObject(path=path, body=body, name=gateway, namespace=namespace, keys=_gateway_keys(ingress))
    virtual = api.VirtualService(
        hosts=list(ingress.hosts), gateways=[gateway], **_routes(name, ingress, namespace, resolve)
    )
    yield ConfigObject(path=path, body=virtual, name=name, namespace=namespace, keys=_route_keys(ingress), late=True)


def _gateway_keys(ingress: Ingress) -> dict[str, str]:
    found = {"selector": "gateway"}
    for i in range(len(ingress.served_ports)):
        port = "port" if ingress.port else "tls" if ingress.tls else ""
        found |= {f"servers[{i}].hosts": "hosts", f"servers[{i}].tls": "tls", f"servers[{i}].port": port}
    return found


def _route_keys(ingress: Ingress) -> dict[str, str]:
    found = {"hosts": "hosts"}
    protocol = "http" if not ingress.connections else "tcp" if ingress.protocol == "TCP" else "tls"
    for i, route in enumerate(ingress.routes):
        to = [f"routes[{i}].to[{j}]" for j in range(len(route.to))] if len(route.to) > 1 else [f"routes[{i}].to"]
        found |= {f"{protocol}[{i}]": f"routes[{i}]"}
        found |= {f"{protocol}[{i}].{part}": f"routes[{i}].{key}" for part, key in route.field_keys().items()}
        found |= {f"{protocol}[{i}].route[{j}]": key for j, key in enumerate(to)}
    return found


def _servers(ingress: Ingress) -> Iterator[api.Server]:
    hosts, tls, number = list(ingress.hosts), ingress.tls, ingress.served_port

    def server(protocol: str, number: int, settings: api.ServerTLSSettings | None = None) -> api.Server:
        return api.Server(
            port=api.Port(number=number, name=protocol.lower(), protocol=protocol), hosts=hosts, tls=settings
        )

    if tls and ingress.secured:
        yield server("TLS" if ingress.connections else "HTTPS", number, tls.settings())
    elif ingress.protocol == "TCP":
        yield server("TCP", number)
    if ingress.redirecting_port or not (ingress.secured or ingress.protocol == "TCP"):
        redirect = api.ServerTLSSettings(httpsRedirect=True) if tls and tls.redirects else None
        yield server("HTTP", HTTP if ingress.secured else number, redirect)


def _routes(name: str, ingress: Ingress, namespace: str, resolve: Resolve) -> dict[str, Any]:
    """The routes of the VirtualService, in the field of their protocol."""
    if not ingress.connections:
        return {"http": [_route(name, i, part, namespace, resolve) for i, part in enumerate(ingress.routes)]}
    to = ingress.routes[0].to
    shares = [
        api.RouteDestination(
            destination=one.destination(resolve, namespace), weight=one.weight if len(to) > 1 else None
        )
        for one in to
    ]
    port = ingress.served_port
    if ingress.protocol == "TCP":
        return {"tcp": [api.TCPRoute(match=[api.L4MatchAttributes(port=port)], route=shares)]}
    names = api.TLSMatchAttributes(port=port, sniHosts=list(ingress.hosts))
    return {"tls": [api.TLSRoute(match=[names], route=shares)]}


def _route(name: str, position: int, part: IngressRoute, namespace: str, resolve: Resolve) -> api.HTTPRoute:
    def receiver(service: str | None, version: str | None) -> api.Destination:
        return api.Destination(host=resolve(service or "", namespace), subset=version)

    shares = [
        api.HTTPRouteDestination(
            destination=one.destination(resolve, namespace), weight=one.weight if len(part.to) > 1 else None
        )
        for one in part.to
    ]
    return api.HTTPRoute(
        name=route_name(name, position) if part.limit else None,
        match=[match.http_match() for match in part.match] or None,
        route=shares or None,
        redirect=part.redirect,
        **part.route_fields(receiver),
    )
