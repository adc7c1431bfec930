"""Checks of `mesh:security.jwt` against other keys: what cannot work at a gateway that requires tokens."""

from __future__ import annotations

from collections.abc import Iterator

from mesh import api
from mesh.config.settings import Settings
from mesh.security.jwt import PATH, Jwt
from mesh.traffic.services import Service

AUTHORIZATION = "authorization"
"""Header that Istio reads tokens from where an issuer names none, in lower case."""


def problems(s: Settings) -> Iterator[str]:
    """Problems between tokens and other keys, one line each."""
    jwt = s.security.jwt
    if jwt is None:
        return
    for name, outside in s.traffic.egress.items():
        if outside.gateway == jwt.gateway and outside.protocol == "TLS":
            yield (
                f"mesh:traffic.egress.{name}.gateway: {jwt.gateway} requires tokens (mesh:{PATH}), and refuses what it"
                " passes through as TLS, where it can see none; choose another gateway"
            )
    for name, entry in s.traffic.hosts.items():
        if entry.gateway == jwt.gateway and entry.connections:
            yield (
                f"mesh:traffic.hosts.{name}.gateway: {jwt.gateway} requires tokens (mesh:{PATH}), and refuses"
                " connections in which it can see none; choose another gateway"
            )
    yield from _headers_taken(s, jwt)


def _headers_taken(s: Settings, jwt: Jwt) -> Iterator[str]:
    """Keys that read the header of a token behind the gateway, which takes it out of requests."""
    taken = {header: i for i, rule in reversed([*enumerate(jwt.issuers)]) for header in _taken(rule)}

    def problem(path: str, header: str | None, effect: str) -> Iterator[str]:
        if header and header.lower() in taken:
            issuer = f"mesh:{PATH}.issuers[{taken[header.lower()]}]"
            yield (
                f"mesh:traffic.{path}: {jwt.gateway} takes the token out of requests, and {header} with it, so that"
                f" {effect}; set {issuer}.forwardOriginalToken to true, or choose another header"
            )

    for name, entry in s.traffic.hosts.items():
        for i, route in enumerate(entry.routes if entry.gateway == jwt.gateway else ()):
            counted = route.limit.by.header if route.limit and route.limit.by else None
            yield from problem(f"hosts.{name}.routes[{i}].limit.by.header", counted, "none is counted")
    for name, service in _behind(s, jwt).items():
        counted = service.limit.by.header if service.limit and service.limit.by else None
        yield from problem(f"services.{name}.limit.by.header", counted, "those of visitors are not counted")
        hashed = service.affinity.header if service.affinity else None
        yield from problem(f"services.{name}.affinity.header", hashed, "those of visitors go to any pod")


def _taken(rule: api.JWTRule) -> list[str]:
    """The headers, in lower case, that are taken out of a request whose token is this issuer's."""
    if rule.forwardOriginalToken:
        return []
    if rule.fromHeaders:
        return [header.name.lower() for header in rule.fromHeaders]
    return [] if rule.fromParams else [AUTHORIZATION]


def _behind(s: Settings, jwt: Jwt) -> dict[str, Service]:
    """The services to which routes of the gateway lead."""
    entries = [entry for entry in s.traffic.hosts.values() if entry.gateway == jwt.gateway]
    named = {one.service for entry in entries for route in entry.routes for one in route.to}
    return {name: one for name, one in s.traffic.services.items() if {name, one.host_name(name)} & named}
