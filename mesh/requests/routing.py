"""Selects the VirtualService and the route that take a request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mesh.analysis import hosts, virtual_services
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object, Ref
from mesh.analysis.virtual_services import MESH
from mesh.analysis.workloads import Workload
from mesh.core import kinds
from mesh.requests import conditions
from mesh.requests.authorization import treated
from mesh.requests.types import Request

_NOT_DELEGATED: Final = ("name", "match", "delegate")
"""Fields of a delegating route that its delegate's routes do not inherit."""


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """The proxy that routes a request."""

    namespace: str
    labels: Mapping[str, str]
    gateways: tuple[str, ...]
    """`namespace/name` of the Gateways that the proxy implements, or `mesh` for a sidecar."""

    @classmethod
    def sidecar(cls, workload: Workload) -> Proxy:
        """The sidecar of a workload."""
        return cls(namespace=workload.namespace, labels=workload.labels, gateways=(MESH,))


@dataclass(frozen=True, kw_only=True)
class MatchedRoute:
    """The route that takes a request."""

    rule: str
    """VirtualService and position of the route, such as `VirtualService shop/cart http[0]`."""
    owner: Object
    """The VirtualService of the route; short host names are resolved in its namespace."""
    route: Mapping[str, Any]
    """The route. A delegate's route includes the fields that it inherits."""
    prefix: str
    """The path prefix that matched: `/` without a condition on the path; empty if the condition is not a prefix."""


class Routes:
    """The VirtualServices of a mesh, indexed by Gateway, and by host for sidecars."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh, self._treated = mesh, treated(mesh)
        self._sidecars = virtual_services.of_sidecars(mesh)
        self._gateways: dict[Ref, list[Object]] = {}
        for virtual_service in mesh.of(kinds.VIRTUAL_SERVICE):
            for _, _, ref in virtual_services.gateways(virtual_service):
                self._gateways.setdefault(ref, []).append(virtual_service)

    def in_sidecar(self, host: str, namespace: str) -> Sequence[Object]:
        """The VirtualService that sidecars in a namespace apply to a full host name: a list of one, or an empty one."""
        for name in (host, *hosts.wildcards(host)):
            visible = [
                candidate
                for candidate in self._sidecars.get(name, ())
                if hosts.is_visible(namespace, hosts.exported_to(candidate.items("exportTo"), candidate.namespace))
            ]
            if visible:
                own = (candidate for candidate in visible if candidate.namespace == namespace)
                return [next(own, visible[0])]
        return []

    def at_gateways(self, host: str, served: Mapping[Ref, Sequence[tuple[str, str]]]) -> Sequence[Object]:
        """The VirtualServices whose routes a gateway merges for a host: those with the most specific matching host.
        `served`: the Gateways, with the (namespace, host) pairs that they serve."""
        by_name: dict[str, list[Object]] = {}
        for ref, names in served.items():
            for virtual_service in self._gateways.get(ref, ()):
                for name in virtual_service.items("hosts"):
                    routed = self._mesh.full_host(name, virtual_service.namespace)
                    for namespace, server_host in names:
                        if namespace in (hosts.ALL, virtual_service.namespace) and hosts.overlap(server_host, routed):
                            server_is_narrower = routed.startswith("*") and len(server_host) > len(routed)
                            group = by_name.setdefault(server_host if server_is_narrower else routed, [])
                            if virtual_service not in group:
                                group.append(virtual_service)
        return hosts.most_specific(host, by_name) or []

    def choose(self, candidates: Sequence[Object], request: Request, proxy: Proxy) -> MatchedRoute | None:
        """The first route whose match the request meets; None if there is none."""
        for virtual_service in candidates:
            protocol = virtual_services.protocol(virtual_service)
            for i, route in enumerate(virtual_services.routes(virtual_service, protocol)):
                for prefix in self._matched_prefix(virtual_service, route, request, proxy):
                    place = f"{virtual_service.ref} {protocol}[{i}]"
                    if not route.get("delegate"):
                        return MatchedRoute(rule=place, owner=virtual_service, route=route, prefix=_or_root(prefix))
                    found = self._delegated(virtual_service, route, place, request, proxy, prefix)
                    if found:
                        return found
        return None

    def _delegated(
        self,
        virtual_service: Object,
        route: Mapping[str, Any],
        place: str,
        request: Request,
        proxy: Proxy,
        above: str | None,
    ) -> MatchedRoute | None:
        other = virtual_services.delegate(self._mesh, virtual_service, route)
        for i, own in enumerate(virtual_services.routes(other) if other and not other.items("hosts") else ()):
            for prefix in self._matched_prefix(virtual_service, own, request, proxy):
                assert other
                inherited = {name: value for name, value in route.items() if name not in _NOT_DELEGATED}
                rule = f"{place} > {other.ref} http[{i}]"
                matched = _or_root(above if prefix is None else prefix)
                return MatchedRoute(rule=rule, owner=other, route={**inherited, **own}, prefix=matched)
        return None

    def _matched_prefix(
        self, virtual_service: Object, route: Mapping[str, Any], request: Request, proxy: Proxy
    ) -> Iterator[str | None]:
        """Yields the path prefix of the first match of a route that a request meets, or nothing if it meets none.

        The prefix is empty if the condition on the path is not a prefix, and None if there is no such condition.
        """
        for match in route.get("match") or [{}]:
            gateways = {_full_gateway(name, virtual_service.namespace) for name in match.get("gateways") or ()}
            resolved = {**match, "gateways": gateways}
            mine = any(
                conditions.proxy_matches(resolved, gateway, proxy.namespace, proxy.labels) for gateway in proxy.gateways
            )
            if mine and conditions.request_matches(match, request, self._treated):
                yield (match["uri"].get("prefix") or "") if match.get("uri") else None
                return


def _or_root(prefix: str | None) -> str:
    """The prefix that Envoy's route has: `/` where there is no condition on the path."""
    return "/" if prefix is None else prefix


def _full_gateway(name: str, namespace: str) -> str:
    return name if "/" in name or name == MESH else f"{namespace}/{name}"
