"""What objects made from config wait for: those that they refer to, or without which they would shut callers out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Generic, TypeVar

from mesh.analysis import hosts, objects, virtual_services
from mesh.api import Versions
from mesh.traffic.objects import ConfigObject

T = TypeVar("T")


class Prerequisites(Generic[T]):
    """Objects that others may have to wait for, each with what stands for it, such as a resource."""

    def __init__(self, versions: Versions) -> None:
        self._versions = versions
        self._at: dict[str, list[T]] = defaultdict(list)
        self._below: dict[tuple[str, str], list[T]] = defaultdict(list)
        self._of_host: dict[str, list[T]] = defaultdict(list)

    def add(self, item: ConfigObject, made: T) -> None:
        self._at[item.path].append(made)
        for path in (item.path, *_above(item.path)):
            self._below[path, item.namespace].append(made)
        if item.body.kind == "DestinationRule":
            self._of_host[_service(item.body.spec()["host"], item.namespace)].append(made)

    def needed_by(self, item: ConfigObject) -> list[T]:
        """Those of the same entry of the config, of its parts, and of what it is a part of; and for a route to a
        version, what says which pods that is."""
        found = [
            *self._below[item.path, item.namespace],
            *(one for path in _above(item.path) for one in self._at[path]),
        ]
        if item.body.kind == "VirtualService":
            receivers = virtual_services.destinations(objects.Object.read(item.manifest(self._versions)))
            named = {_service(receiver.host, item.namespace) for receiver in receivers if receiver.subset}
            found += [one for host in sorted(named) for one in self._of_host[host]]
        return list(dict.fromkeys(found))


def _above(path: str) -> Iterator[str]:
    """The paths of which `path` is a part: of `a.b.c` those are `a.b` and `a`."""
    while "." in path:
        path = path.rpartition(".")[0]
        yield path


def _service(host: str, namespace: str) -> str:
    """A host of the mesh as `name.namespace`, whatever the cluster's domain."""
    return hosts.full_name(host, namespace, "").partition(".svc.")[0]
