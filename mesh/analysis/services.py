"""The mesh's registry: Services of Kubernetes and service entries, by host."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mesh.analysis import hosts
from mesh.analysis.objects import Object
from mesh.core import kinds, protocols

EXPORT_TO: Final = "networking.istio.io/exportTo"
"""Annotation of a Service: for which namespaces it is there, with commas between them."""


@dataclass(frozen=True, kw_only=True)
class Port:
    """A port of a service."""

    number: int
    name: str
    protocol: str
    """Such as HTTP, as the port's name or Istio's object tells it; empty if Istio has to find out from the traffic."""
    target: int | str
    """Port of the pods, by number or name."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Service:
    """A host of the registry."""

    host: str
    object: Object
    ports: Sequence[Port]
    selector: Mapping[str, str] | None
    """Labels of the pods behind it; None if it has none in the cluster."""
    exported: frozenset[str]

    @property
    def namespace(self) -> str:
        return self.object.namespace

    @property
    def outside(self) -> bool:
        """Whether it is not part of the mesh."""
        return self.object.kind == kinds.SERVICE_ENTRY and self.object.spec.get("location") != "MESH_INTERNAL"

    def port(self, number: int) -> Port | None:
        return next((port for port in self.ports if port.number == number), None)


class Services:
    """The registry as a proxy in some namespace sees it."""

    def __init__(self, found: Iterable[Service]) -> None:
        self.all: Sequence[Service] = list(found)
        self._by_host: dict[str, list[Service]] = defaultdict(list)
        for service in self.all:
            self._by_host[service.host].append(service)

    def find(self, host: str, namespace: str) -> Service | None:
        """What a whole host name means in `namespace`: an own service before others', a name before a wildcard."""
        for name in (host, *hosts.wildcards(host)):
            seen = [s for s in self._by_host.get(name, ()) if hosts.sees(namespace, s.exported)]
            if seen:
                return next((s for s in seen if s.namespace == namespace), seen[0])
        return None

    def named(self, host: str) -> Sequence[Service]:
        """Every one with this very host, seen or not."""
        return self._by_host.get(host, ())


def of_service(thing: Object, domain: str) -> Service:
    """The registry's entry for a Service."""
    spec = thing.spec
    places = [place.strip() for place in thing.annotations.get(EXPORT_TO, "").split(",") if place.strip()]
    return Service(
        host=f"{thing.name}.{thing.namespace}.svc.{domain}",
        object=thing,
        ports=[_port(port) for port in thing.items("ports")],
        selector=spec.get("selector") or None,
        exported=hosts.exported_to(places, thing.namespace),
    )


def of_entry(thing: Object) -> Iterator[Service]:
    """The registry's entries for a ServiceEntry."""
    ports = [
        Port(
            number=port["number"],
            name=port.get("name") or "",
            protocol=(port.get("protocol") or "TCP").upper(),
            target=port.get("targetPort") or port["number"],
        )
        for port in thing.items("ports")
    ]
    for host in thing.items("hosts"):
        yield Service(
            host=host,
            object=thing,
            ports=ports,
            selector=(thing.spec.get("workloadSelector") or {}).get("labels"),
            exported=hosts.exported_to(thing.items("exportTo"), thing.namespace),
        )


def _port(port: Mapping[str, Any]) -> Port:
    return Port(
        number=port["port"],
        name=port.get("name") or "",
        protocol=protocols.of_service_port(port),
        target=port.get("targetPort") or port["port"],
    )
