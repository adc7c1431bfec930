"""Requests worth asking about: what the objects of a mesh tell apart, each host, path, header and caller once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mesh.analysis import hosts, virtual_services
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.services import Service
from mesh.analysis.workloads import Workload
from mesh.core import kinds
from mesh.core.protocols import is_tls
from mesh.requests.types import Request

_ANY: Final = "any"
"""What stands for the part of a host that a wildcard leaves open."""
_ELSEWHERE: Final = "elsewhere.example.org"
"""A host that a mesh does not know."""
_MANY: Final = 20
"""So many workloads of a namespace are each asked as callers."""


@dataclass(frozen=True, kw_only=True, order=True)
class Sample:
    """A request, told in a way that holds for two meshes."""

    source: str
    """`namespace/name` of the workload that sends it, or of the gateway that it comes to."""
    outside: bool
    host: str
    port: int
    secure: bool
    path: str
    method: str
    headers: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        way = "through" if self.outside else "from"
        return f"{self.asked}{self.place}{self.path}{self.with_headers} {way} {self.source.partition('/')[2]}"

    @property
    def asked(self) -> str:
        """What is asked for besides a GET."""
        return "" if self.method == "GET" else f"{self.method} "

    @property
    def place(self) -> str:
        """Whom it is for, without the path."""
        port = "" if self.port in (80, 443) else f":{self.port}"
        return f"{'https://' if self.secure else ''}{self.host}{port}"

    @property
    def with_headers(self) -> str:
        return "".join(f" with {name}: {value}" for name, value in self.headers)

    @property
    def request(self) -> Request:
        return Request(
            host=self.host,
            port=self.port,
            secure=self.secure,
            path=self.path,
            method=self.method,
            headers=dict(self.headers),
        )


def of(mesh: Mesh) -> frozenset[Sample]:
    """The samples of a mesh: at each gateway what its VirtualServices are for, in each namespace what it can call."""
    return frozenset([*_from_outside(mesh), *_from_workloads(mesh)])


def _from_outside(mesh: Mesh) -> Iterator[Sample]:
    for thing in mesh.of(kinds.VIRTUAL_SERVICE):
        for _, _, ref in virtual_services.gateways(thing):
            gateway = mesh.get(ref)
            for pod in mesh.workloads.select(gateway.spec.get("selector") or {})[:1] if gateway else ():
                for server in gateway.items("servers") if gateway else ():
                    secure = is_tls(server["port"].get("protocol") or "")
                    for host in thing.items("hosts"):
                        name = host.replace("*", _ANY, 1) if host != hosts.ALL else f"{_ANY}.example.com"
                        place = _Place(pod, outside=True, host=name, port=server["port"]["number"], secure=secure)
                        yield from place.samples([thing])


def _from_workloads(mesh: Mesh) -> Iterator[Sample]:
    routes: dict[str, list[Object]] = {}
    for thing in mesh.of(kinds.VIRTUAL_SERVICE):
        if virtual_services.applies_to_sidecars(thing):
            for host in thing.items("hosts"):
                routes.setdefault(mesh.full_host(host, thing.namespace), []).append(thing)
    callers = _Callers(mesh)
    for service in mesh.services.all:
        if service.host.startswith("*") or service.namespace == mesh.root:
            continue
        for port in service.ports:
            for pod in callers.of(service):
                host = hosts.short_name(service.host, pod.namespace)
                place = _Place(pod, outside=False, host=host, port=port.number, secure=False)
                yield from place.samples(routes.get(service.host, ()))
    for pod in callers.beside_proxies():
        yield from _Place(pod, outside=False, host=_ELSEWHERE, port=80, secure=False).samples([])


class _Callers:
    """Who may call a service: every workload of its namespace where these are few; otherwise those that policies
    name, and one with and one without a sidecar. Versions of an app call alike."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh
        found: dict[str, dict[tuple[str, str, bool], Workload]] = {}
        for pod in mesh.workloads.all:
            if not pod.gateway:
                key = pod.account, pod.labels.get("app", pod.object.name), pod.proxy
                found.setdefault(pod.namespace, {}).setdefault(key, pod)
        self._in = {namespace: list(pods.values()) for namespace, pods in found.items()}
        self._by_principal = {f"ns/{pod.namespace}/sa/{pod.account}": pod for pods in self._in.values() for pod in pods}
        self._named: dict[Workload, list[Workload]] = {}
        for policy in mesh.of(kinds.AUTHORIZATION_POLICY):
            labels = (policy.spec.get("selector") or {}).get("matchLabels") or {}
            for pod in mesh.workloads.select(labels, policy.namespace) if labels else ():
                self._named.setdefault(pod, []).extend(self._callers(policy))

    def _callers(self, policy: Object) -> Iterator[Workload]:
        for rule in policy.items("rules"):
            for caller in rule.get("from") or ():
                for principal in caller["source"].get("principals") or ():
                    pod = self._by_principal.get(principal.partition("/")[2])
                    if pod:
                        yield pod

    def beside_proxies(self) -> Iterator[Workload]:
        """One of each namespace that has a sidecar."""
        firsts = (next((pod for pod in pods if pod.proxy), None) for pods in self._in.values())
        return (pod for pod in firsts if pod)

    def of(self, service: Service) -> Iterator[Workload]:
        """Not the service's own pods."""
        pods = self._mesh.workloads_of(service)
        near = self._in.get(service.namespace, [])
        if len(near) > _MANY:
            kinds = {pod.proxy: pod for pod in near[: _MANY * 2] if pod not in pods}
            near = [*kinds.values(), *(caller for pod in pods for caller in self._named.get(pod, ()))]
        own = {pod.object.ref for pod in pods}
        yield from (pod for pod in dict.fromkeys(near) if pod.object.ref not in own)


class _Place:
    """A host at which a workload or a gateway is asked."""

    def __init__(self, pod: Workload, **fixed: Any) -> None:
        self._fixed = {**fixed, "source": f"{pod.namespace}/{pod.object.name}"}

    def samples(self, things: Iterable[Object]) -> Iterator[Sample]:
        """A plain request, and one that meets each match."""
        yield self._sample({})
        for thing in things:
            for route in virtual_services.routes(thing):
                for match in route.get("match") or ():
                    yield self._sample(match)

    def _sample(self, match: Mapping[str, Any]) -> Sample:
        method, uri = match.get("method") or {}, match.get("uri") or {}
        headers = {name: _value(said) for name, said in (match.get("headers") or {}).items()}
        return Sample(
            path=uri.get("exact") or uri.get("prefix") or "/",
            method=method.get("exact") or "GET",
            headers=tuple(sorted((name, value) for name, value in headers.items() if value)),
            **self._fixed,
        )


def _value(said: Mapping[str, str]) -> str:
    """A value that meets a condition; none for a regular expression."""
    return said.get("exact") or said.get("prefix") or ("" if said.get("regex") else _ANY)
