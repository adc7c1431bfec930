"""Hosts at a gateway: who lets them in, with or without TLS, and to which service each path leads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from mesh import api
from mesh.api.names import Label, SomeHost, whole_host
from mesh.api.scalars import Percentage
from mesh.core.kubernetes import Name, PortNumber
from mesh.core.typed import Documented, Findings, ShortForm
from mesh.traffic.context import StackContext
from mesh.traffic.handling import Handling
from mesh.traffic.limits import Limit
from mesh.traffic.matching import Matches, listed
from mesh.traffic.objects import ConfigObject

HTTP, HTTPS = 80, 443
GATEWAY: Final = "istio-ingressgateway"
"""The gateway through which hosts are reached that name none."""

HostName = Annotated[str, AfterValidator(whole_host)]
Resolve = Callable[[str, str], str]
"""The host of a service (its name in the config, or a host), as it is to be written in a namespace."""


class Receiver(ShortForm):
    """Who gets the requests of a route."""

    short_forms = "a service"

    service: SomeHost
    """A service of `services`, or any host of the mesh."""
    version: Label | None = None
    """One of its versions."""
    port: PortNumber | None = None
    """Its port; not needed where it has only one."""
    weight: Percentage | None = None
    """Percentage of the requests, where there are several receivers."""

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"service": value} if isinstance(value, str) else value

    def destination(self, resolve: Resolve, namespace: str) -> api.Destination:
        """As Istio has it."""
        port = api.PortSelector(number=self.port) if self.port else None
        return api.Destination(host=resolve(self.service, namespace), subset=self.version, port=port)


class Path(Handling):
    """Requests to a host that are alike, and what becomes of them."""

    match: Matches = []
    """Conditions, any of which may hold; every request if not set."""
    to: Annotated[list[Receiver], BeforeValidator(listed)] = []
    """Who gets them: one service, or several with weights."""
    redirect: api.HTTPRedirect | None = None
    """An answer that sends clients elsewhere, in Istio's words, in place of `to`."""
    limit: Limit | None = None
    """How many requests are let through; with scope `local` for each condition of `match`, and each of the gateway's
    pods."""

    def check(self) -> Findings:
        yield from super().check()
        if bool(self.to) == bool(self.redirect):
            yield (), "needs to or redirect, and not both"
        if len(self.to) > 1 and sum(one.weight or 0 for one in self.to) != 100:
            yield ("to",), f"the weights must add up to 100, not {sum(one.weight or 0 for one in self.to)}"
        if len(self.to) == 1 and self.to[0].weight not in (None, 100):
            yield ("to",), f"the weights must add up to 100, not {self.to[0].weight}"
        if self.redirect and self.limit and self.limit.shared:
            yield ("limit", "scope"), "cannot be global for a redirect, which the gateway answers by itself"
        if self.mirror and not self.mirror.service:
            yield ("mirror", "service"), "is required"
        for i, match in enumerate(self.match):
            for name in ("sourceLabels", "sourceNamespace"):
                if getattr(match, name):
                    yield ("match", i, name), "is not possible at a gateway, whose callers are outside the mesh"


class Certificate(ShortForm):
    """TLS at a gateway."""

    short_forms = "name of a Secret"

    secret: Name
    """Secret with certificate and key (`kubernetes.io/tls`), in the gateway's namespace."""
    mode: Literal["SIMPLE", "MUTUAL"] = "SIMPLE"
    """`MUTUAL` asks clients for certificates, too; the Secret then has their authority as `ca.crt`."""
    oldest: Literal["TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"] = "TLSV1_2"
    """Oldest version of TLS that is spoken."""
    redirect: bool = True
    """Whether port 80 sends clients to https, by status 301; otherwise port 80 is not served."""

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"secret": value} if isinstance(value, str) else value


class Ingress(Documented):
    """Hosts that a gateway lets in. The name under which they are listed is the VirtualService's; the Gateway has
    `-gateway` after it."""

    hosts: list[HostName] = Field(min_length=1)
    """Whole DNS names, `*.example.com`, or `*` for all."""
    gateway: Name = GATEWAY
    """One of the stack's gateways."""
    namespace: Name | None = None
    """Where the objects go, and where short names of services are looked up; Bookinfo's, or the only injected one if
    not set."""
    port: PortNumber | None = None
    """Port of the gateway's Service; 80 if not set, or 443 with TLS."""
    tls: Certificate | None = None
    """TLS; plain HTTP if not set."""
    routes: list[Path] = Field(min_length=1)
    """Where requests go: the first that matches is taken."""

    def check(self) -> Findings:
        for i, host in enumerate(self.hosts):
            if host in self.hosts[:i]:
                yield ("hosts", i), f'"{host}" stands in it twice'
        for i, route in enumerate(self.routes[:-1]):
            if not route.match:
                yield ("routes", i + 1), f"is never reached: routes[{i}] has no match and takes every request"
                return

    @property
    def served(self) -> int:
        """The port on which it is served."""
        return self.port or (HTTPS if self.tls else HTTP)

    @property
    def ports(self) -> tuple[int, ...]:
        """All ports on which anything answers."""
        return (self.served, HTTP) if self.tls and self.tls.redirect else (self.served,)


def route_name(name: str, position: int) -> str:
    """Name of a route with a limit, by which it is found in Envoy's own configuration."""
    return f"{name}-{position}"


def objects(path: str, name: str, ingress: Ingress, stack: StackContext, resolve: Resolve) -> Iterator[ConfigObject]:
    """Gateway and VirtualService. Raises ApiError."""
    namespace, ref, gateway = stack.namespace_for(ingress.namespace), stack.gateway(ingress.gateway), f"{name}-gateway"
    for port in ingress.ports:
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
    for i in range(len(ingress.ports)):
        port = "port" if ingress.port else "tls" if ingress.tls else ""
        found |= {f"servers[{i}].hosts": "hosts", f"servers[{i}].tls": "tls", f"servers[{i}].port": port}
    return found


def _route_keys(ingress: Ingress) -> dict[str, str]:
    found = {"hosts": "hosts"}
    for i, route in enumerate(ingress.routes):
        to = [f"routes[{i}].to[{j}]" for j in range(len(route.to))] if len(route.to) > 1 else [f"routes[{i}].to"]
        found |= {f"http[{i}]": f"routes[{i}]"}
        found |= {f"http[{i}].{part}": f"routes[{i}].{key}" for part, key in route.sources().items()}
        found |= {f"http[{i}].route[{j}]": key for j, key in enumerate(to)}
    return found


def _servers(ingress: Ingress) -> Iterator[api.Server]:
    hosts, tls = list(ingress.hosts), ingress.tls
    plain = api.ServerTLSSettings(httpsRedirect=True) if tls else None
    if tls:
        secured = api.ServerTLSSettings(mode=tls.mode, credentialName=tls.secret, minProtocolVersion=tls.oldest)
        port = api.Port(number=ingress.served, name="https", protocol="HTTPS")
        yield api.Server(port=port, hosts=hosts, tls=secured)
    if not tls or tls.redirect:
        number = HTTP if tls else ingress.served
        yield api.Server(port=api.Port(number=number, name="http", protocol="HTTP"), hosts=hosts, tls=plain)


def _route(name: str, position: int, part: Path, namespace: str, resolve: Resolve) -> api.HTTPRoute:
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
        match=[match.request() for match in part.match] or None,
        route=shares or None,
        redirect=part.redirect,
        **part.fields(receiver),
    )
