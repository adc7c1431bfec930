"""Finds the hosts that requests of a mesh are for, their callers, and the rules that decide about the requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mesh.analysis import hosts, virtual_services
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object, Ref
from mesh.analysis.trusted_proxies import trusted
from mesh.analysis.workloads import Workload
from mesh.core import kinds
from mesh.core.protocols import is_tls
from mesh.requests import rules
from mesh.requests.authorization import treated
from mesh.requests.callers import Callers
from mesh.requests.demands import Term
from mesh.requests.rules import Rule
from mesh.requests.texts import AUTHORITY, PATH, Text
from mesh.requests.types import FORWARDED

_ANY: Final = "any"
"""Replaces the `*` of a wildcard host."""
_ANYWHERE: Final = "any.example.com"
"""Stands for the host `*`."""
_ELSEWHERE: Final = "elsewhere.example.org"
"""A host that no mesh knows."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A host that workloads of a namespace call, or that a gateway serves."""

    outside: bool
    host: str
    """The host as callers usually write it; it may be a wildcard."""
    port: int
    secure: bool = False
    others: tuple[str, ...] = ()
    """Other names of the same host."""

    @property
    def names(self) -> Sequence[str]:
        """The values of the request's authority, the usual one first."""
        port = "" if self.port in (80, 443) else f":{self.port}"
        return [f"{name}{port}" for name in (_concrete(self.host), *self.others)]

    def overlaps(self, other: Place) -> bool:
        """Whether some request from outside matches both places."""
        same = (self.outside, self.port, self.secure) == (other.outside, other.port, other.secure)
        return same and self.outside and hosts.overlap(self.host, other.host)

    @property
    def term(self) -> Term:
        """The term that holds for requests for this host."""
        if self.host == hosts.ALL:
            return Term(AUTHORITY, (Text("present"),))
        wild = self.host.startswith("*")
        return Term(
            AUTHORITY, (Text("suffix", self.host[1:]),) if wild else tuple(Text("exact", n) for n in self.names)
        )


def _concrete(host: str) -> str:
    """A host that matches a wildcard; the host itself if it is none."""
    return _ANYWHERE if host == hosts.ALL else host.replace("*", _ANY, 1)


@dataclass(frozen=True, kw_only=True)
class Found:
    """A place in one mesh, with what decides about its requests."""

    place: Place
    sources: Iterable[Workload]
    objects: Sequence[Object]
    """The VirtualServices and AuthorizationPolicies that decide about its requests."""
    rules: Sequence[Rule]


def of(mesh: Mesh) -> Iterator[Found]:
    """The places of a mesh: for each gateway the hosts that it serves, for each namespace the services that its
    workloads call."""
    yield from _from_outside(mesh)
    yield from _from_workloads(mesh)


def _from_outside(mesh: Mesh) -> Iterator[Found]:
    policies = _Policies(mesh)
    routed: dict[Ref, list[Object]] = {}
    for virtual_service in mesh.of(kinds.VIRTUAL_SERVICE):
        for _, _, ref in virtual_services.gateways(virtual_service):
            routed.setdefault(ref, []).append(virtual_service)
    for gateway in mesh.of(kinds.GATEWAY):
        own = routed.get(gateway.ref, [])
        for pod in mesh.gateway_pods(gateway)[:1]:
            for server in gateway.items("servers"):
                served = [hosts.parse_server_host(one, gateway.namespace)[1] for one in server.get("hosts") or ()]
                for host in dict.fromkeys([*served, *(host for obj in own for host in obj.items("hosts"))]):
                    forwarded = _redirected(mesh, gateway, server, pod)
                    near = [obj for obj in own if any(hosts.overlap(host, name) for name in obj.items("hosts"))]
                    yield Found(
                        place=Place(
                            outside=True,
                            host=host,
                            port=server["port"].get("number") or 0,
                            secure=is_tls(server["port"].get("protocol") or ""),
                        ),
                        sources=[pod],
                        **policies.about(near, [pod], forwarded),
                    )


def _from_workloads(mesh: Mesh) -> Iterator[Found]:
    routes = virtual_services.of_sidecars(mesh)
    callers, policies = Callers(mesh), _Policies(mesh)
    for service in mesh.services.all:
        if service.namespace == mesh.home:
            continue
        own = routes.get(service.host, [])
        about = policies.about(own, mesh.workloads_of(service))
        by_namespace: dict[str, list[Workload]] = {}
        for pod in callers.of(service, own):
            by_namespace.setdefault(pod.namespace, []).append(pod)
        for namespace, pods in by_namespace.items():
            names = hosts.names(service.host, namespace)
            for port in service.ports:
                place = Place(outside=False, host=names[0], port=port.number, others=names[1:])
                yield Found(place=place, sources=pods, **about)
    known = {service.host for service in mesh.services.all}
    for host, own in routes.items():
        if host not in known:
            pods = list(dict.fromkeys(pod for obj in own for pod in callers.near(obj.namespace)))
            yield Found(place=Place(outside=False, host=host, port=80), sources=pods, **policies.about(own, []))
    place = Place(outside=False, host=_ELSEWHERE, port=80)
    yield Found(place=place, sources=callers.with_sidecars(), objects=[], rules=[])


def _redirected(mesh: Mesh, gateway: Object, server: Mapping[str, Any], pod: Workload) -> Sequence[Rule]:
    """A rule about the scheme that a load balancer reports, if the server redirects depending on it."""
    if not ((server.get("tls") or {}).get("httpsRedirect") and trusted(mesh, pod)):
        return ()
    return [Rule(str(gateway.ref), (Term(("header", FORWARDED), (Text("exact", "https"),)),))]


class _Policies:
    """The rules that decide about requests: those of routes, and of AuthorizationPolicies of the pods behind them."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh, self._treated = mesh, treated(mesh)
        self._of: dict[Workload, list[Object]] = {}
        for policy in mesh.of(kinds.AUTHORIZATION_POLICY):
            for pod in mesh.selected_by(policy):
                self._of.setdefault(pod, []).append(policy)
        self._rules: dict[Ref, Sequence[Rule]] = {}

    def about(
        self, routes: Sequence[Object], pods: Sequence[Workload], more: Sequence[Rule] = ()
    ) -> dict[str, Sequence[Any]]:
        """The objects and rules for requests that `routes` route or that reach `pods`, and `more` rules."""
        receivers = dict.fromkeys([*pods, *(pod for obj in routes for pod in self._receivers(obj))])
        policies = dict.fromkeys(policy for pod in receivers for policy in self._of.get(pod, ()))
        found = [rule for obj in (*routes, *policies) for rule in self._read(obj)]
        return {"objects": [*routes, *policies], "rules": [*found, *more, *_before_rewriting(routes, found)]}

    def _receivers(self, routes: Object) -> Iterator[Workload]:
        """The pods that VirtualServices route to."""
        for destination in virtual_services.destinations(routes):
            service = self._mesh.service(destination.host, routes.namespace)
            yield from self._mesh.workloads_of(service) if service else ()

    def _read(self, obj: Object) -> Sequence[Rule]:
        if obj.ref not in self._rules:
            routed = obj.kind == kinds.VIRTUAL_SERVICE
            self._rules[obj.ref] = list(
                rules.of_routes(self._mesh, obj) if routed else rules.of_policy(obj, self._treated)
            )
        return self._rules[obj.ref]


def _before_rewriting(routes: Sequence[Object], found: Sequence[Rule]) -> Iterator[Rule]:
    """The rules about paths that routes rewrite, converted to the paths that clients ask for."""
    for obj in routes:
        for route in virtual_services.routes(obj):
            written: str = (route.get("rewrite") or {}).get("uri") or ""
            prefixes: list[str] = [(match.get("uri") or {}).get("prefix") or "" for match in route.get("match") or ()]
            for prefix in filter(None, prefixes if written else ()):
                for rule in found:
                    demand = tuple(_moved(term, written, prefix) for term in rule.demand)
                    if demand != rule.demand:
                        yield Rule(rule.place, demand)


def _moved(term: Term, written: str, prefix: str) -> Term:
    """A term about a rewritten path, converted to one about the original path."""
    if term.part != PATH:
        return term
    texts = tuple(
        Text(text.kind, prefix + text.value[len(written) :], text.ignore_case)
        if text.kind in ("exact", "prefix") and text.value.startswith(written)
        else text
        for text in term.texts
    )
    return Term(PATH, texts, term.wanted)
