"""Lists what the evaluation of requests leaves out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mesh.analysis import virtual_services
from mesh.analysis.mesh import Mesh, targets
from mesh.core import kinds
from mesh.requests import rules

_IGNORED: Final = (kinds.ENVOY_FILTER, kinds.SIDECAR, kinds.REQUEST_AUTHENTICATION)
"""Kinds that may decide about a request and are not evaluated."""
_CONNECTIONS: Final = ("tls", "tcp")
"""Routes of a VirtualService for connections. They are not evaluated if there are also routes for requests."""


def changed(old: Mesh, new: Mesh) -> Sequence[str]:
    """The objects and fields that are not evaluated and differ between two meshes, sorted."""
    before, after = dict(_ignored(old)), dict(_ignored(new))
    return sorted(what for what in {*before, *after} if before.get(what) != after.get(what))


def _ignored(mesh: Mesh) -> Iterator[tuple[str, Any]]:
    """Descriptions of what is not evaluated, with the content."""
    for kind in _IGNORED:
        yield from ((str(obj.ref), obj.spec) for obj in mesh.of(kind))
    for obj in mesh.of(kinds.VIRTUAL_SERVICE):
        yield from (
            (f"{obj.ref} {field}", obj.items(field)) for field in _CONNECTIONS if obj.items(field) and obj.items("http")
        )
        if by_address := [route for route in virtual_services.all_routes(obj) if _is_by_address(route)]:
            yield f"{obj.ref}, destinationSubnets", by_address
    for policy in mesh.of(kinds.AUTHORIZATION_POLICY):
        if targets(policy):
            yield f"{policy.ref}, which applies to gateways of the Gateway API, or waypoints", policy.spec
        if policy.spec.get("action") == "CUSTOM":
            yield f"{policy.ref}, which asks an external authorizer", policy.spec
        for key in dict.fromkeys(rules.unknown_keys(policy)):
            yield f"{policy.ref}, {key}", policy.spec


def _is_by_address(route: Mapping[str, Any]) -> bool:
    """Whether a route depends on the address to which a client connects."""
    return any(match.get("destinationSubnets") for match in route.get("match") or ())
