"""Routes of VirtualServices: retries, mirrors, conditions and hosts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mesh.analysis import hosts, virtual_services
from mesh.analysis.objects import Object
from mesh.analysis.services import Service
from mesh.core import kinds
from mesh.upgrade.changes import Place
from mesh.upgrade.subject import Hit, Subject

_NO_REQUESTS: Final = ("redirect", "directResponse", "delegate")
"""Fields of routes that forward no requests themselves."""


def default_retries(subject: Subject) -> Iterator[Hit]:
    """The services that are called by a route without retries of its own, or without any route."""
    if subject.after.values.meshConfig.defaultHttpRetryPolicy:
        return
    routed = {id(service.object): service for service in _without_retries(subject)}
    named = virtual_services.of_sidecars(subject.mesh)
    by_default = {
        id(one.object): one
        for one in subject.called
        if subject.injected
        and one.namespace != subject.mesh.home
        and hosts.most_specific(one.host, named) is None
        and any(not port.of_connections for port in one.ports)
    }
    for service in (routed | by_default).values():
        yield Hit(Place.of(service.object))


def _without_retries(subject: Subject) -> Iterator[Service]:
    for obj in subject.mesh.of(kinds.VIRTUAL_SERVICE):
        for route in virtual_services.routes(obj):
            if route.get("retries") or any(route.get(name) for name in _NO_REQUESTS):
                continue
            for part in route.get("route") or ():
                if service := subject.mesh.service(str(part["destination"]["host"]), obj.namespace):
                    yield service


def mirrors(subject: Subject) -> Iterator[Hit]:
    """The mirrors of routes."""
    for obj in subject.mesh.of(kinds.VIRTUAL_SERVICE):
        for i, route in enumerate(virtual_services.routes(obj)):
            yield from (
                Hit(Place.of(obj, f"http[{i}].{path}"))
                for path, _, share in virtual_services.mirrors(route)
                if share > 0
            )


def without_headers(subject: Subject) -> Iterator[Hit]:
    """The conditions of `withoutHeaders` on a value."""
    for obj in subject.mesh.of(kinds.VIRTUAL_SERVICE):
        for path, match in _matches(obj):
            for name, condition in (match.get("withoutHeaders") or {}).items():
                if condition:
                    yield Hit(Place.of(obj, f"{path}.withoutHeaders.{name}"))


def internal_headers(subject: Subject) -> Iterator[Hit]:
    """The conditions of gateways' routes and of policies on headers that Envoy sets for internal callers."""
    for obj in subject.mesh.of(kinds.VIRTUAL_SERVICE):
        for path, match in _matches(obj) if any(virtual_services.gateways(obj)) else ():
            for field in ("headers", "withoutHeaders"):
                for name in match.get(field) or ():
                    if name.lower().startswith("x-envoy-"):
                        yield Hit(Place.of(obj, f"{path}.{field}.{name}"))
    for obj in subject.mesh.of(kinds.AUTHORIZATION_POLICY):
        for i, rule in enumerate(obj.items("rules")):
            for j, condition in enumerate(rule.get("when") or ()):
                if condition["key"].lower().startswith("request.headers[x-envoy-"):
                    yield Hit(Place.of(obj, f"rules[{i}].when[{j}]"))


def _matches(obj: Object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for i, route in enumerate(virtual_services.routes(obj)):
        for j, match in enumerate(route.get("match") or ()):
            yield f"http[{i}].match[{j}]", match


def wildcard_hosts(subject: Subject) -> Iterator[Hit]:
    """The VirtualServices for sidecars whose host matches a wildcard of another one, unless they are older."""
    of_sidecars = virtual_services.of_sidecars(subject.mesh)
    for host, narrow in of_sidecars.items():
        for wide in (one for one in hosts.wildcards(host) if one != host and one in of_sidecars):
            for older in of_sidecars[wide]:
                yield from (
                    Hit(Place.of(obj, "hosts"), {"host": host, "older": f"{older.namespace}/{older.name}, for {wide},"})
                    for obj in narrow
                    if obj is not older and not _is_older(obj, older)
                )


def _is_older(one: Object, other: Object) -> bool:
    """Whether an object is known to be the older one of two."""
    made, then = (str((obj.body.get("metadata") or {}).get("creationTimestamp") or "") for obj in (one, other))
    return bool(made and then) and made < then


RULES: Final = {
    "default-retries": default_retries,
    "mirror-host": mirrors,
    "without-headers": without_headers,
    "internal-headers": internal_headers,
    "wildcard-hosts": wildcard_hosts,
}
