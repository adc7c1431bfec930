"""Hosts in Istio's objects, as references to the Services that have them."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.analysis import hosts
from mesh.analysis.objects import Ref
from mesh.core import kinds


def service_of(host: str, namespace: str) -> Ref:
    """The Service of a host in an object of `namespace`: a short name, or one with the cluster's domain. For any other
    host, a reference that no Service has."""
    parts = hosts.full_name(host, namespace, "").split(".", 3)
    return Ref(kinds.SERVICE, parts[1], parts[0]) if parts[2:3] == ["svc"] else Ref(kinds.SERVICE, "", host)


def wider(service: Ref) -> Iterator[Ref]:
    """The hosts by which rules may refer to a service: its own, its whole namespace, and wildcards for other hosts."""
    yield service
    if service.namespace:
        yield service._replace(name="*")
    else:
        yield from (service._replace(name=name) for name in hosts.wildcards(service.name) if name != service.name)
