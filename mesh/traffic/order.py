"""The order in which generated objects are created: subsets before the routes to them, allow rules before denials."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Generic, TypeVar

from mesh.analysis import hosts, objects, virtual_services
from mesh.api import Versions
from mesh.traffic.objects import ConfigObject

T = TypeVar("T")


class Prerequisites(Generic[T]):
    """Objects that others may depend on, each with a handle such as its Pulumi resource."""

    def __init__(self, versions: Versions) -> None:
        self._versions = versions
        self._at: dict[str, list[T]] = defaultdict(list)
        self._below: dict[tuple[str, str], list[T]] = defaultdict(list)
        self._of_host: dict[str, list[T]] = defaultdict(list)

    def add(self, item: ConfigObject, made: T) -> None:
        """Registers an object, with the handle that `needed_by` returns for it."""
        self._at[item.path].append(made)
        for path in (item.path, *_above(item.path)):
            self._below[path, item.namespace].append(made)
        if item.body.kind == "DestinationRule":
            self._of_host[_service(item.body.spec()["host"], item.namespace)].append(made)

    def needed_by(self, item: ConfigObject) -> list[T]:
        """The handles that an object depends on: those from the same config entry, from keys below and above it; and
        for a VirtualService, the DestinationRules with the subsets that it routes to."""
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
    """The parents of a config key: `a.b` and `a` for `a.b.c`."""
    while "." in path:
        path = path.rpartition(".")[0]
        yield path


def _service(host: str, namespace: str) -> str:
    """A service's host as `name.namespace`, without the cluster domain."""
    return hosts.full_name(host, namespace, "").partition(".svc.")[0]
