"""Istio's service registry: Kubernetes Services and ServiceEntries, by host."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mesh.analysis import hosts
from mesh.analysis.objects import Object
from mesh.core import kinds, protocols

EXPORT_TO: Final = "networking.istio.io/exportTo"
"""Annotation of a Service: the namespaces to which it is visible, separated by commas."""


@dataclass(frozen=True, kw_only=True)
class Port:
    """A port of a service in the registry."""

    number: int
    name: str
    protocol: str
    """The protocol, such as `HTTP`; empty if Istio has to detect it from the traffic."""
    target: int | str
    """The pods' port, by number or name."""

    @property
    def of_connections(self) -> bool:
        """Whether it is declared for connections in which proxies see no requests."""
        return bool(self.protocol) and not protocols.is_http(self.protocol)


@dataclass(frozen=True, kw_only=True, eq=False)
class Service:
    """A host of the registry, with the object that declares it."""

    host: str
    object: Object
    ports: Sequence[Port]
    selector: Mapping[str, str] | None
    """The labels of its pods; None if it selects no pods."""
    exported_to: frozenset[str]
    """The namespaces to which it is visible; `*` for all."""

    @property
    def namespace(self) -> str:
        return self.object.namespace

    @property
    def external(self) -> bool:
        """Whether it is outside of the mesh: a ServiceEntry whose location is not MESH_INTERNAL."""
        return self.object.kind == kinds.SERVICE_ENTRY and self.object.spec.get("location") != "MESH_INTERNAL"

    def port(self, number: int) -> Port | None:
        """The port with this number; None if there is none."""
        return next((port for port in self.ports if port.number == number), None)


class Services:
    """The registry, searched as a proxy of some namespace sees it."""

    def __init__(self, found: Iterable[Service]) -> None:
        self.all: Sequence[Service] = list(found)
        self._by_host: dict[str, list[Service]] = defaultdict(list)
        self._in: dict[str, list[Service]] = defaultdict(list)
        for service in self.all:
            self._by_host[service.host].append(service)
            self._in[service.namespace].append(service)
        self._has_wildcards = any(host.startswith("*") for host in self._by_host)

    def find(self, host: str, namespace: str) -> Service | None:
        """The service that a fully qualified name stands for in `namespace`; None if no visible service matches.

        Exact names come before wildcards, and services of `namespace` before those of other namespaces.
        """
        for name in (host, *(hosts.wildcards(host) if self._has_wildcards else ())):
            seen = [s for s in self._by_host.get(name, ()) if hosts.is_visible(namespace, s.exported_to)]
            if seen:
                return next((s for s in seen if s.namespace == namespace), seen[0])
        return None

    def in_namespace(self, namespace: str) -> Sequence[Service]:
        """All services that are declared in a namespace."""
        return self._in.get(namespace, ())

    def with_host(self, host: str) -> Sequence[Service]:
        """All services with exactly this host, visible or not."""
        return self._by_host.get(host, ())


def of_service(obj: Object, domain: str) -> Service:
    """The registry's service for a Kubernetes Service."""
    spec = obj.spec
    places = [place.strip() for place in obj.annotations.get(EXPORT_TO, "").split(",") if place.strip()]
    return Service(
        host=f"{obj.name}.{obj.namespace}.svc.{domain}",
        object=obj,
        ports=[_port(port) for port in obj.items("ports")],
        selector=spec.get("selector") or None,
        exported_to=hosts.exported_to(places, obj.namespace),
    )


def of_entry(obj: Object) -> Iterator[Service]:
    """The registry's services for a ServiceEntry: one for each host."""
    ports = [
        Port(
            number=port.get("number") or 0,
            name=port.get("name") or "",
            protocol=(port.get("protocol") or "TCP").upper(),
            target=port.get("targetPort") or port.get("number") or 0,
        )
        for port in obj.items("ports")
    ]
    for host in obj.items("hosts"):
        yield Service(
            host=host,
            object=obj,
            ports=ports,
            selector=(obj.spec.get("workloadSelector") or {}).get("labels"),
            exported_to=hosts.exported_to(obj.items("exportTo"), obj.namespace),
        )


def _port(port: Mapping[str, Any]) -> Port:
    return Port(
        number=port["port"],
        name=port.get("name") or "",
        protocol=protocols.of_service_port(port),
        target=port.get("targetPort") or port["port"],
    )
