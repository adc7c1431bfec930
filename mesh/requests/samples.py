"""Sample requests that cover what a mesh's objects distinguish: each host, path, header and caller once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mesh.analysis import hosts, virtual_services
from mesh.analysis.mesh import Mesh, selector_labels
from mesh.analysis.objects import Object
from mesh.analysis.services import Service
from mesh.analysis.workloads import Workload
from mesh.core import kinds
from mesh.core.protocols import is_tls
from mesh.requests.types import Request

_ANY: Final = "any"
"""Replaces the `*` of a wildcard host."""
_ELSEWHERE: Final = "elsewhere.example.org"
"""A host that no mesh knows."""
_MANY: Final = 20
"""Up to this number of workloads in a namespace, each of them is sampled as a caller."""


@dataclass(frozen=True, kw_only=True, order=True)
class Sample:
    """A request and its source, in terms that apply to two meshes alike."""

    source: str
    """`namespace/name` of the workload that sends the request, or of the gateway at which it arrives."""
    outside: bool
    """Whether the request comes from outside, through a gateway."""
    host: str
    port: int
    secure: bool
    path: str
    method: str
    headers: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        way = "through" if self.outside else "from"
        return (
            f"{self.method_prefix}{self.origin}{self.path}{self.headers_suffix} {way} {self.source.partition('/')[2]}"
        )

    @property
    def method_prefix(self) -> str:
        """The HTTP method and a space; empty for GET."""
        return "" if self.method == "GET" else f"{self.method} "

    @property
    def origin(self) -> str:
        """Scheme, host and port, as far as they are not the usual ones."""
        port = "" if self.port in (80, 443) else f":{self.port}"
        return f"{'https://' if self.secure else ''}{self.host}{port}"

    @property
    def headers_suffix(self) -> str:
        """The headers as text, such as ` with end-user: jason`."""
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


def for_mesh(mesh: Mesh) -> frozenset[Sample]:
    """The samples of a mesh: for each gateway the hosts of its VirtualServices, for each namespace the services that
    its workloads call."""
    return frozenset([*_from_outside(mesh), *_from_workloads(mesh)])


def _from_outside(mesh: Mesh) -> Iterator[Sample]:
    for virtual_service in mesh.of(kinds.VIRTUAL_SERVICE):
        for _, _, ref in virtual_services.gateways(virtual_service):
            gateway = mesh.get(ref)
            for pod in mesh.gateway_pods(gateway)[:1] if gateway else ():
                for server in gateway.items("servers") if gateway else ():
                    secure = is_tls(server["port"].get("protocol") or "")
                    for host in virtual_service.items("hosts"):
                        name = host.replace("*", _ANY, 1) if host != hosts.ALL else f"{_ANY}.example.com"
                        target = _Target(pod, outside=True, host=name, port=server["port"]["number"], secure=secure)
                        yield from target.samples([virtual_service])


def _from_workloads(mesh: Mesh) -> Iterator[Sample]:
    routes = virtual_services.of_sidecars(mesh)
    callers = _Callers(mesh)
    for service in mesh.services.all:
        if service.host.startswith("*") or service.namespace == mesh.root:
            continue
        for port in service.ports:
            for pod in callers.of(service):
                host = hosts.short_name(service.host, pod.namespace)
                target = _Target(pod, outside=False, host=host, port=port.number, secure=False)
                yield from target.samples(routes.get(service.host, ()))
    for pod in callers.with_sidecars():
        yield from _Target(pod, outside=False, host=_ELSEWHERE, port=80, secure=False).samples([])


class _Callers:
    """The callers that are sampled for a service: all workloads of its namespace, if there are few; otherwise those
    that AuthorizationPolicies name, one with a sidecar and one without. Of the versions of an app, one is sampled."""

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
            labels = selector_labels(policy)
            for pod in mesh.workloads.select(labels, policy.namespace) if labels else ():
                self._named.setdefault(pod, []).extend(self._callers(policy))

    def _callers(self, policy: Object) -> Iterator[Workload]:
        for rule in policy.items("rules"):
            for caller in rule.get("from") or ():
                for principal in caller["source"].get("principals") or ():
                    pod = self._by_principal.get(principal.partition("/")[2])
                    if pod:
                        yield pod

    def with_sidecars(self) -> Iterator[Workload]:
        """One workload with a sidecar from each namespace."""
        firsts = (next((pod for pod in pods if pod.proxy), None) for pods in self._in.values())
        return (pod for pod in firsts if pod)

    def of(self, service: Service) -> Iterator[Workload]:
        """The callers of a service, without its own pods."""
        pods = self._mesh.workloads_of(service)
        near = self._in.get(service.namespace, [])
        if len(near) > _MANY:
            by_proxy = {pod.proxy: pod for pod in near[: _MANY * 2] if pod not in pods}
            near = [*by_proxy.values(), *(caller for pod in pods for caller in self._named.get(pod, ()))]
        own = {pod.object.ref for pod in pods}
        yield from (pod for pod in dict.fromkeys(near) if pod.object.ref not in own)


class _Target:
    """A host that a workload calls, or that a gateway serves."""

    def __init__(self, pod: Workload, **fixed: Any) -> None:
        self._fixed = {**fixed, "source": f"{pod.namespace}/{pod.object.name}"}

    def samples(self, candidates: Iterable[Object]) -> Iterator[Sample]:
        """A GET of `/`, and for each match of the routes a request that meets it."""
        yield self._sample({})
        for virtual_service in candidates:
            for route in virtual_services.routes(virtual_service):
                for match in route.get("match") or ():
                    yield self._sample(match)

    def _sample(self, match: Mapping[str, Any]) -> Sample:
        method, uri = match.get("method") or {}, match.get("uri") or {}
        headers = {name: _value(condition) for name, condition in (match.get("headers") or {}).items()}
        return Sample(
            path=uri.get("exact") or uri.get("prefix") or "/",
            method=method.get("exact") or "GET",
            headers=tuple(sorted((name, value) for name, value in headers.items() if value)),
            **self._fixed,
        )


def _value(condition: Mapping[str, str]) -> str:
    """A value that meets a StringMatch; empty for a regular expression."""
    return condition.get("exact") or condition.get("prefix") or ("" if condition.get("regex") else _ANY)
