"""Reads VirtualServices: their destinations, weights, mirrors, faults, gateways and delegates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mesh.analysis.mesh import Mesh, gateway_ref
from mesh.analysis.objects import Object, Ref
from mesh.core import kinds

MESH: Final = "mesh"
"""The reserved gateway name that stands for all sidecars."""
_PROTOCOLS: Final = ("http", "tls", "tcp")


@dataclass(frozen=True)
class Destination:
    """A destination in a VirtualService: of a route, or of a mirror."""

    path: str
    """Path of the destination in the spec, such as `http[0].route[0].destination`."""
    spec: Mapping[str, Any]
    """Istio's Destination: `host`, `subset`, `port`."""
    mirror: bool = False

    @property
    def host(self) -> str:
        return str(self.spec["host"])

    @property
    def subset(self) -> str:
        """Empty if none is named."""
        return self.spec.get("subset") or ""

    @property
    def port(self) -> int | None:
        """The port's number; None if none is named."""
        found: int | None = (self.spec.get("port") or {}).get("number")
        return found


def destinations(obj: Object) -> Iterator[Destination]:
    """Every destination in a VirtualService, mirrors included."""
    for protocol in _PROTOCOLS:
        for i, route in enumerate(obj.items(protocol)):
            for j, part in enumerate(route.get("route") or ()):
                yield Destination(f"{protocol}[{i}].route[{j}].destination", part["destination"])
            for path, destination, _ in mirrors(route):
                yield Destination(f"{protocol}[{i}].{path}", destination, mirror=True)


def routes(obj: Object, protocol: str = "http") -> Sequence[Mapping[str, Any]]:
    """The routes of a protocol: `http`, `tls` or `tcp`."""
    found: Sequence[Mapping[str, Any]] = obj.items(protocol)
    return found


def protocol(obj: Object) -> str:
    """The protocol whose routes apply: the first of `http`, `tls` and `tcp` with routes, or `http`."""
    return next((name for name in _PROTOCOLS if obj.items(name)), "http")


def all_routes(obj: Object) -> Iterator[Mapping[str, Any]]:
    """The routes of all protocols."""
    for name in _PROTOCOLS:
        yield from routes(obj, name)


def weighted_destinations(route: Mapping[str, Any]) -> Sequence[tuple[Mapping[str, Any], float]]:
    """The destinations of a route, each with its share of the requests, 0.0 to 1.0.

    If none has a weight, the shares are equal. Otherwise a destination without a weight gets nothing, as in Istio.
    """
    parts = route.get("route") or ()
    total = sum(part.get("weight", 0) for part in parts)
    return [(part["destination"], part.get("weight", 0) / total if total else 1 / len(parts)) for part in parts]


def fault_share(fault: Mapping[str, Any]) -> float:
    """The share of the requests to which a delay or an abort applies, 0.0 to 1.0; 0.0 without a percentage."""
    return _share(fault.get("percentage"), fault.get("percent") or 0)


def mirrors(route: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], float]]:
    """The mirrors of a route: path in the route, destination, and the share of requests that is copied to it, 0.0 to
    1.0; 1.0 without a percentage."""
    if route.get("mirror"):
        share = _share(route.get("mirrorPercentage"), route.get("mirrorPercent", route.get("mirror_percent", 100)))
        yield "mirror", route["mirror"], share
    for i, policy in enumerate(route.get("mirrors") or ()):
        yield f"mirrors[{i}].destination", policy["destination"], _share(policy.get("percentage"), 100)


def _share(said: Mapping[str, Any] | None, otherwise: float) -> float:
    return float((said.get("value") or 0) if said is not None else otherwise) / 100


def of_sidecars(mesh: Mesh) -> dict[str, list[Object]]:
    """The VirtualServices that apply to sidecars, by full host name: those that name the gateway `mesh` or none."""
    found: dict[str, list[Object]] = {}
    for obj in mesh.of(kinds.VIRTUAL_SERVICE):
        for host in obj.items("hosts") if MESH in (obj.items("gateways") or (MESH,)) else ():
            found.setdefault(mesh.full_host(host, obj.namespace), []).append(obj)
    return found


def gateways(obj: Object) -> Iterator[tuple[int, str, Ref]]:
    """The Gateways that a VirtualService names: index in the list, name as written, reference to the object."""
    for i, name in enumerate(obj.items("gateways")):
        if name != MESH:
            yield i, name, gateway_ref(name, obj.namespace)


def delegate(mesh: Mesh, obj: Object, route: Mapping[str, Any]) -> Object | None:
    """The VirtualService to which a route of `obj` delegates; None if it does not exist."""
    said = route["delegate"]
    return mesh.get(Ref(kinds.VIRTUAL_SERVICE, said.get("namespace") or obj.namespace, said.get("name") or ""))
