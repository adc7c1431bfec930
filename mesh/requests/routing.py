"""Which route of which VirtualService takes a request."""

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
from mesh.requests.types import Request

_OWN: Final = ("name", "match", "delegate")
"""What a route that delegates keeps for itself; anything else holds for the delegate's routes unless they have it."""


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """Who routes a request."""

    namespace: str
    labels: Mapping[str, str]
    gateways: tuple[str, ...]
    """`namespace/name` of the Gateways that it carries, or `mesh` for a sidecar."""

    @classmethod
    def beside(cls, workload: Workload) -> Proxy:
        """The sidecar of a workload."""
        return cls(namespace=workload.namespace, labels=workload.labels, gateways=(MESH,))


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A route that takes a request."""

    rule: str
    """Object and place, such as `VirtualService shop/cart http[0]`."""
    owner: Object
    """The VirtualService: hosts are read in its namespace."""
    route: Mapping[str, Any]
    prefix: str
    """The prefix by which the path was matched; empty if it was otherwise."""


class Routes:
    """The VirtualServices of a mesh, by the proxies and hosts that they are for."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh
        self._sidecars: dict[str, list[Object]] = {}
        self._gateways: dict[Ref, list[Object]] = {}
        for thing in mesh.of(kinds.VIRTUAL_SERVICE):
            if virtual_services.applies_to_sidecars(thing):
                for host in thing.items("hosts"):
                    self._sidecars.setdefault(mesh.full_host(host, thing.namespace), []).append(thing)
            for _, _, ref in virtual_services.gateways(thing):
                self._gateways.setdefault(ref, []).append(thing)

    def in_sidecar(self, host: str, namespace: str) -> Sequence[Object]:
        """The VirtualService that sidecars of a namespace follow for a whole host name; nothing if there is none."""
        for name in (host, *hosts.wildcards(host)):
            seen = [
                thing
                for thing in self._sidecars.get(name, ())
                if hosts.is_visible(namespace, hosts.exported_to(thing.items("exportTo"), thing.namespace))
            ]
            if seen:
                return [next((thing for thing in seen if thing.namespace == namespace), seen[0])]
        return []

    def at_gateways(self, host: str, served: Mapping[Ref, Sequence[tuple[str, str]]]) -> Sequence[Object]:
        """The VirtualServices for a host at some Gateways that serve these (namespace, host): those of the name that
        is the most specific; several are joined."""
        by_name: dict[str, list[Object]] = {}
        for ref, names in served.items():
            for thing in self._gateways.get(ref, ()):
                for name in thing.items("hosts"):
                    whole = self._mesh.full_host(name, thing.namespace)
                    for place, wide in names:
                        if place in (hosts.ALL, thing.namespace) and hosts.overlap(wide, whole):
                            narrow = wide if whole.startswith("*") and len(wide) > len(whole) else whole
                            group = by_name.setdefault(narrow, [])
                            if thing not in group:
                                group.append(thing)
        return hosts.most_specific(host, by_name) or []

    def choose(self, things: Sequence[Object], asked: Request, proxy: Proxy) -> Chosen | None:
        """The first route that takes the request; None if none does."""
        for thing in things:
            for i, route in enumerate(virtual_services.routes(thing)):
                for prefix in _taken(thing, route, asked, proxy):
                    place = f"{thing.ref} http[{i}]"
                    if not route.get("delegate"):
                        return Chosen(rule=place, owner=thing, route=route, prefix=prefix)
                    found = self._delegated(thing, route, place, asked, proxy, prefix)
                    if found:
                        return found
        return None

    def _delegated(
        self, thing: Object, route: Mapping[str, Any], place: str, asked: Request, proxy: Proxy, above: str
    ) -> Chosen | None:
        other = virtual_services.delegate(self._mesh, thing, route)
        for i, own in enumerate(virtual_services.routes(other) if other and not other.items("hosts") else ()):
            for prefix in _taken(thing, own, asked, proxy):
                assert other
                kept = {name: said for name, said in route.items() if name not in _OWN}
                rule = f"{place} > {other.ref} http[{i}]"
                return Chosen(rule=rule, owner=other, route={**kept, **own}, prefix=prefix or above)
        return None


def _taken(thing: Object, route: Mapping[str, Any], asked: Request, proxy: Proxy) -> Iterator[str]:
    """The prefix of the first match of a route that a request meets."""
    for match in route.get("match") or [{}]:
        places = {_whole(name, thing.namespace) for name in match.get("gateways") or ()}
        said = {**match, "gateways": places}
        mine = any(conditions.caller(said, gateway, proxy.namespace, proxy.labels) for gateway in proxy.gateways)
        if mine and conditions.request(match, asked):
            yield (match.get("uri") or {}).get("prefix") or ""
            return


def _whole(name: str, namespace: str) -> str:
    return name if "/" in name or name == MESH else f"{namespace}/{name}"
