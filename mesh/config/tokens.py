"""Checks of `mesh:security.jwt` against other keys, which may not work at a gateway that requires tokens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mesh import api
from mesh.apps.item import AppObject
from mesh.config.settings import Settings
from mesh.core import kinds
from mesh.security import authorization
from mesh.security.access import Access
from mesh.security.jwt import PATH, Jwt
from mesh.traffic.services import Service

AUTHORIZATION = "authorization"
"""The header from which Istio reads tokens if the issuer names none, in lower case."""


def problems(s: Settings) -> Iterator[str]:
    """Problems between tokens and other keys, one line each."""
    jwt = s.security.jwt
    if jwt is None:
        return
    for name, outside in s.traffic.egress.items():
        if outside.gateway == jwt.gateway and outside.protocol == "TLS":
            yield (
                f"mesh:traffic.egress.{name}.gateway: {jwt.gateway} requires tokens (mesh:{PATH}), and refuses TLS"
                " connections that it passes through, since it sees no token in them; choose another gateway"
            )
    for name, entry in s.traffic.hosts.items():
        if entry.gateway == jwt.gateway and entry.connections:
            yield (
                f"mesh:traffic.hosts.{name}.gateway: {jwt.gateway} requires tokens (mesh:{PATH}), and refuses"
                " connections in which it sees no token; choose another gateway"
            )
    yield from _headers_taken(s, jwt)


def unproven(s: Settings, objects: Iterable[AppObject]) -> Iterator[str]:
    """Access rules that ask for claims at pods that verify no tokens, so that no request has claims. `objects` are
    those of the apps and of `mesh:objects`."""
    if any(item.ref.kind == kinds.REQUEST_AUTHENTICATION for item in objects):
        return
    proving = s.security.jwt.gateway if s.security.jwt else None
    chosen = s.security.authorization
    rules: list[tuple[str, Access]] = [(f"allow.{name}", rule) for name, rule in chosen.allow.items()]
    rules += [(f"deny.{name}", rule) for name, rule in chosen.deny.items()]
    where = f"set atGateway to {proving}" if proving else "set mesh:security.jwt, and atGateway to its gateway"
    for key, rule in rules:
        if rule.claims and (proving is None or rule.atGateway != proving):
            yield (
                f"mesh:{authorization.PATH}.{key}.claims: these pods verify no tokens, so no request has claims:"
                f" {where}, or add a RequestAuthentication for them to mesh:objects"
            )


def _headers_taken(s: Settings, jwt: Jwt) -> Iterator[str]:
    """Keys that read the header of a token behind the gateway, which removes it from requests."""
    taken = {header: i for i, rule in reversed([*enumerate(jwt.issuers)]) for header in _taken(rule)}

    def problem(path: str, header: str | None, effect: str) -> Iterator[str]:
        if header and header.lower() in taken:
            issuer = f"mesh:{PATH}.issuers[{taken[header.lower()]}]"
            yield (
                f"mesh:traffic.{path}: {jwt.gateway} removes the token from requests, and {header} with it, so that"
                f" {effect}; set {issuer}.forwardOriginalToken to true, or choose another header"
            )

    for name, entry in s.traffic.hosts.items():
        for i, route in enumerate(entry.routes if entry.gateway == jwt.gateway else ()):
            counted = route.limit.by.header if route.limit and route.limit.by else None
            yield from problem(f"hosts.{name}.routes[{i}].limit.by.header", counted, "no request is counted")
    for name, service in _behind(s, jwt).items():
        counted = service.limit.by.header if service.limit and service.limit.by else None
        yield from problem(f"services.{name}.limit.by.header", counted, "requests of visitors are not counted")
        hashed = service.affinity.header if service.affinity else None
        yield from problem(f"services.{name}.affinity.header", hashed, "requests of visitors go to any pod")


def _taken(rule: api.JWTRule) -> list[str]:
    """The headers, in lower case, that the gateway removes from a request with a token of this issuer."""
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
