"""`mesh:traffic.hosts`: hosts that an ingress gateway serves, with TLS or without, and the routes to services."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from mesh import api
from mesh.api import http_text
from mesh.api.names import Label, SomeHost, whole_host
from mesh.api.scalars import Percentage
from mesh.core.kubernetes import Name, PortNumber
from mesh.core.typed import Documented, Findings, ShortForm
from mesh.traffic.context import StackContext
from mesh.traffic.matching import Matches, as_list
from mesh.traffic.objects import ConfigObject
from mesh.traffic.rate_limits import Limit
from mesh.traffic.route_actions import RouteActions, targets

HTTP, HTTPS = 80, 443
DEFAULT_GATEWAY: Final = "istio-ingressgateway"
"""Gateway of hosts that do not name one."""

HostName = Annotated[str, AfterValidator(whole_host)]
Resolve = Callable[[str, str], str]
"""Turns a service (its name in `mesh:traffic.services`, or a host) and the namespace of the object that refers to it
into the host to write there."""


_FOR_FORWARDED: Final = ("timeout", "retries", "mirror", "cors")
"""Fields of a route that the proxy only applies to requests that it forwards."""


class WeightedDestination(ShortForm):
    """A destination of a route's requests."""

    short_forms = "a service"

    service: SomeHost
    """Name of a service in `services`, or any host of the mesh."""
    version: Label | None = None
    """One of the service's versions; any if not set."""
    port: PortNumber | None = None
    """The service's port; needed only if it has several."""
    weight: Percentage | None = None
    """Percentage of requests, where a route has several destinations; all weights add up to 100."""

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"service": value} if isinstance(value, str) else value

    def destination(self, resolve: Resolve, namespace: str) -> api.Destination:
        """The destination in Istio's API, for an object in `namespace`."""
        port = api.PortSelector(number=self.port) if self.port else None
        return api.Destination(host=resolve(self.service, namespace), subset=self.version, port=port)


class IngressRoute(RouteActions):
    """A route for requests to a host: either to services, or a redirect."""

    match: Matches = []
    """One match or a list of matches, any of which must hold; every request if not set."""
    to: Annotated[list[WeightedDestination], BeforeValidator(as_list)] = []
    """Destination: one service, or several with weights that add up to 100."""
    redirect: api.HTTPRedirect | None = None
    """Redirect instead of `to`, with the fields of Istio's HTTPRedirect."""
    limit: Limit | None = None
    """Rate limit of the route; none if not set. With scope `local`, each pod of the gateway counts by itself, and each
    match of `match` separately."""

    def check(self) -> Findings:
        yield from super().check()
        if bool(self.to) == bool(self.redirect):
            yield (), "needs to or redirect, and not both"
        if len(self.to) > 1 and sum(one.weight or 0 for one in self.to) != 100:
            yield ("to",), f"the weights must add up to 100, not {sum(one.weight or 0 for one in self.to)}"
        if len(self.to) == 1 and self.to[0].weight not in (None, 100):
            yield ("to",), f"the weights must add up to 100, not {self.to[0].weight}"
        for name in _FOR_FORWARDED if self.redirect else ():
            if getattr(self, name) is not None:
                yield (name,), "does nothing beside redirect, which the gateway answers by itself: leave it out"
        if self.limit and self.limit.by and (self.limit.by.header or "").lower() in _sent_headers(self.headers):
            text = "is set by headers.request of this route, after the limit has counted: choose one that clients send"
            yield ("limit", "by", "header"), text
        if self.redirect:
            yield from targets("redirect", self.redirect.uri, self.redirect.authority)
            if self.redirect.redirectCode not in (None, *http_text.REDIRECT_CODES):
                yield ("redirect", "redirectCode"), f"must be one of {', '.join(map(str, http_text.REDIRECT_CODES))}"
        if self.redirect and self.limit and self.limit.shared:
            yield ("limit", "scope"), "cannot be global for a redirect, which the gateway answers by itself"
        if self.mirror and not self.mirror.service:
            yield ("mirror", "service"), "is required"
        for i, match in enumerate(self.match):
            for name in ("sourceLabels", "sourceNamespace"):
                if getattr(match, name):
                    yield ("match", i, name), "is not possible at a gateway, whose callers are outside the mesh"


def _sent_headers(headers: api.Headers | None) -> set[str]:
    """The names of the request headers that a route sets or adds, in lower case."""
    request = headers.request if headers else None
    return {name.lower() for part in (request.set, request.add) if part for name in part} if request else set()


class GatewayTls(ShortForm):
    """TLS that a gateway terminates."""

    short_forms = "name of a Secret"

    secret: Name
    """Name of a Secret of type `kubernetes.io/tls`, with certificate and key, in the gateway's namespace."""
    mode: Literal["SIMPLE", "MUTUAL"] = "SIMPLE"
    """`SIMPLE`: only the server has a certificate. `MUTUAL`: clients need one, too, and the Secret has their CA as
    `ca.crt`."""
    oldest: Literal["TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"] = "TLSV1_2"
    """Minimum version of TLS."""
    redirect: bool = True
    """Whether port 80 redirects to https with status 301; otherwise port 80 does not serve the hosts."""

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"secret": value} if isinstance(value, str) else value


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
    port: PortNumber | None = None
    """Port of the gateway's Service; if not set, 80, or 443 with `tls`."""
    tls: GatewayTls | None = None
    """TLS termination; plain HTTP if not set."""
    routes: list[IngressRoute] = Field(min_length=1)
    """Routes in order: the first that matches takes the request."""

    def check(self) -> Findings:
        for i, host in enumerate(self.hosts):
            if host in self.hosts[:i]:
                yield ("hosts", i), f'"{host}" is listed twice'
        for i, route in enumerate(self.routes[:-1]):
            if not route.match:
                yield ("routes", i + 1), f"is never reached: routes[{i}] has no match and takes every request"
                return

    @property
    def served_port(self) -> int:
        """Port of the gateway's Service on which the hosts are served."""
        return self.port or (HTTPS if self.tls else HTTP)

    @property
    def served_ports(self) -> tuple[int, ...]:
        """All ports of the entry: the one that serves the hosts, and port 80 if it redirects."""
        return (self.served_port, HTTP) if self.tls and self.tls.redirect else (self.served_port,)


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
            raise api.ApiError([f"port {port} is none of the Service of {ref.name} ({known})"])
    body = api.Gateway(selector={"istio": ref.selector["istio"]}, servers=list(_servers(ingress)))
    yield ConfigObject(path=path, body=body, name=gateway, namespace=namespace, keys=_gateway_keys(ingress))
    routes = [_route(name, i, part, namespace, resolve) for i, part in enumerate(ingress.routes)]
    virtual = api.VirtualService(hosts=list(ingress.hosts), gateways=[gateway], http=routes)
    yield ConfigObject(path=path, body=virtual, name=name, namespace=namespace, keys=_route_keys(ingress), late=True)


def _gateway_keys(ingress: Ingress) -> dict[str, str]:
    found = {"selector": "gateway"}
    for i in range(len(ingress.served_ports)):
        port = "port" if ingress.port else "tls" if ingress.tls else ""
        found |= {f"servers[{i}].hosts": "hosts", f"servers[{i}].tls": "tls", f"servers[{i}].port": port}
    return found


def _route_keys(ingress: Ingress) -> dict[str, str]:
    found = {"hosts": "hosts"}
    for i, route in enumerate(ingress.routes):
        to = [f"routes[{i}].to[{j}]" for j in range(len(route.to))] if len(route.to) > 1 else [f"routes[{i}].to"]
        found |= {f"http[{i}]": f"routes[{i}]"}
        found |= {f"http[{i}].{part}": f"routes[{i}].{key}" for part, key in route.field_keys().items()}
        found |= {f"http[{i}].route[{j}]": key for j, key in enumerate(to)}
    return found


def _servers(ingress: Ingress) -> Iterator[api.Server]:
    hosts, tls = list(ingress.hosts), ingress.tls
    plain = api.ServerTLSSettings(httpsRedirect=True) if tls else None
    if tls:
        secured = api.ServerTLSSettings(mode=tls.mode, credentialName=tls.secret, minProtocolVersion=tls.oldest)
        port = api.Port(number=ingress.served_port, name="https", protocol="HTTPS")
        yield api.Server(port=port, hosts=hosts, tls=secured)
    if not tls or tls.redirect:
        number = HTTP if tls else ingress.served_port
        yield api.Server(port=api.Port(number=number, name="http", protocol="HTTP"), hosts=hosts, tls=plain)


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
