"""A stack's objects, indexed: what analysis, the evaluation of requests and the map all look things up in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from mesh.analysis import hosts, services, workloads
from mesh.analysis.objects import Object, Ref
from mesh.analysis.services import Service, Services
from mesh.analysis.workloads import Workload, Workloads
from mesh.core.names import ROOT


class Mesh:
    """The index, built once; nothing in it changes, and no cluster is asked."""

    def __init__(self, objects: Iterable[Object], root: str = ROOT, domain: str = "cluster.local") -> None:
        self.root, self.domain = root, domain
        self.objects: Sequence[Object] = list(objects)
        self._by_kind: dict[str, list[Object]] = defaultdict(list)
        self._by_ref: dict[Ref, Object] = {}
        for thing in self.objects:
            self._by_kind[thing.ref.kind].append(thing)
            self._by_ref[thing.ref] = thing
        self.namespaces: Mapping[str, Object] = {thing.name: thing for thing in self.of("Namespace")}
        self.places = frozenset(self.namespaces) | {thing.namespace for thing in self._by_ref.values()} - {""}
        """Namespaces of which the stack has something to say."""
        makers = [thing for kind in ("Pod", *workloads.TEMPLATED) for thing in self.of(kind)]
        found = [workloads.read(thing, self.namespaces) for thing in makers]
        self.workloads = Workloads(workload for workload in found if workload)
        self.services = Services(
            [
                *(services.of_service(thing, domain) for thing in self.of("Service")),
                *(entry for thing in self.of("ServiceEntry") for entry in services.of_entry(thing)),
            ]
        )

    def of(self, kind: str) -> Sequence[Object]:
        """The objects of a kind."""
        return self._by_kind.get(kind, ())

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        return self._by_ref.get(Ref(kind, namespace, name))

    def service(self, host: str, namespace: str) -> Service | None:
        """What a host means that an object of `namespace` names."""
        return self.services.find(self.full(host, namespace), namespace)

    def full(self, host: str, namespace: str) -> str:
        """The whole name of a host that an object of `namespace` names."""
        return hosts.full(host, namespace, self.domain)

    def behind(self, service: Service) -> Sequence[Workload]:
        """The workloads that serve a service."""
        return [] if service.selector is None else self.workloads.select(service.selector, service.namespace)

    def before(self, pods: Iterable[Workload]) -> Sequence[Service]:
        """The services that any of the workloads serves."""
        found = list(pods)
        return [service for service in self.services.all if any(pod in self.behind(service) for pod in found)]

    @property
    def config(self) -> Mapping[str, Any]:
        """The mesh-wide configuration; empty if it is not part of the stack."""
        for thing in self.of("ConfigMap"):
            if thing.namespace == self.root and "mesh" in (thing.body.get("data") or {}):
                found: Mapping[str, Any] = yaml.safe_load(thing.body["data"]["mesh"]) or {}
                return found
        return {}


def gateway_ref(name: str, namespace: str) -> Ref:
    """The Gateway that a VirtualService of `namespace` means by `name`, `namespace/name` or a whole host name."""
    place, slash, rest = name.partition("/")
    if slash:
        return Ref("Gateway", place, rest)
    parts = name.split(".")
    return Ref("Gateway", parts[1] if len(parts) > 1 else namespace, parts[0])
