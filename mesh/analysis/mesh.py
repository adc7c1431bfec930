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
from mesh.core import kinds
from mesh.core.kinds import GroupKind
from mesh.core.names import MeshNames


class Mesh:
    """The index, built once; nothing in it changes, and no cluster is asked.

    The names are those of the stack's settings (`Settings.mesh_names`), or `DEFAULT_NAMES` where there are none."""

    def __init__(self, objects: Iterable[Object], names: MeshNames) -> None:
        self.names, self.root, self.domain = names, names.root, names.domain
        self.objects: Sequence[Object] = list(objects)
        self._by_kind: dict[GroupKind, list[Object]] = defaultdict(list)
        self._by_ref: dict[Ref, Object] = {}
        for thing in self.objects:
            self._by_kind[thing.kind].append(thing)
            self._by_ref[thing.ref] = thing
        self.namespaces: Mapping[str, Object] = {thing.name: thing for thing in self.of(kinds.NAMESPACE)}
        self.places = frozenset(self.namespaces) | {thing.namespace for thing in self._by_ref.values()} - {""}
        """Namespaces of which the stack has something to say."""
        makers = [thing for kind in (kinds.POD, *kinds.POD_TEMPLATE_KINDS) for thing in self.of(kind)]
        found = [workloads.read(thing, self.namespaces) for thing in makers]
        self.workloads = Workloads(workload for workload in found if workload)
        self.services = Services(
            [
                *(services.of_service(thing, names.domain) for thing in self.of(kinds.SERVICE)),
                *(entry for thing in self.of(kinds.SERVICE_ENTRY) for entry in services.of_entry(thing)),
            ]
        )

    def of(self, kind: GroupKind) -> Sequence[Object]:
        """The objects of a kind."""
        return self._by_kind.get(kind, ())

    def get(self, ref: Ref) -> Object | None:
        return self._by_ref.get(ref)

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
        for thing in self.of(kinds.CONFIG_MAP):
            if thing.namespace == self.root and "mesh" in (thing.body.get("data") or {}):
                found: Mapping[str, Any] = yaml.safe_load(thing.body["data"]["mesh"]) or {}
                return found
        return {}


def gateway_ref(name: str, namespace: str) -> Ref:
    """The Gateway that a VirtualService of `namespace` means by `name`, `namespace/name` or a whole host name."""
    place, slash, rest = name.partition("/")
    if slash:
        return Ref(kinds.GATEWAY, place, rest)
    parts = name.split(".")
    return Ref(kinds.GATEWAY, parts[1] if len(parts) > 1 else namespace, parts[0])
