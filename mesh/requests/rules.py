"""Reads the demands of routes and of AuthorizationPolicies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any, Final

from mesh.analysis import virtual_services
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.api.http_match import claim_path
from mesh.releases.release import Requests
from mesh.requests.demands import Demand, Term, merged
from mesh.requests.texts import ADDRESS, AUTHORITY, METHOD, PATH, PRINCIPAL, Part, Text, claim_name

HEADER_KEY: Final = "request.headers["
CLAIM_KEY: Final = "request.auth.claims["
CLAIMS_OF_KEYS: Final = {"request.auth.audiences": "aud", "request.auth.presenter": "azp"}
"""Claims of the token that have keys of their own in `when`."""
_OF_CALLER: Final = ("source.principal", "source.namespace", "destination.port")
"""Keys in `when` that depend on the caller or the called port, not on the request."""
_ADDRESSES: Final = ("source.ip", "remote.ip")


@dataclass(frozen=True)
class Rule:
    """The demand of a rule, and its place."""

    place: str
    """Such as `VirtualService shop/cart http[0]` or `AuthorizationPolicy shop/cart rules[1]`."""
    demand: Demand


def of_routes(mesh: Mesh, virtual_service: Object) -> Iterator[Rule]:
    """A rule for each match of the HTTP routes of a VirtualService, and of the routes to which it delegates."""
    for i, route in enumerate(virtual_services.routes(virtual_service)):
        place = f"{virtual_service.ref} http[{i}]"
        demands = [_of_match(match) for match in route.get("match") or ()]
        yield from (Rule(place, demand) for demand in demands)
        other = virtual_services.delegate(mesh, virtual_service, route) if route.get("delegate") else None
        for j, inner in enumerate(virtual_services.routes(other) if other else ()):
            for match in inner.get("match") or ():
                for demand in demands or [()]:
                    assert other
                    yield Rule(f"{place} > {other.ref} http[{j}]", merged(demand, _of_match(match)))


def _of_match(match: Mapping[str, Any]) -> Demand:
    """The demand of an HTTPMatchRequest, as far as the request itself decides it."""
    terms: list[Term] = []

    def add(part: Part, condition: Mapping[str, str] | None, wanted: bool = True, ignore_case: bool = False) -> None:
        if condition is not None:
            terms.append(Term(part, (Text.of_string_match(condition, ignore_case),), wanted))

    add(PATH, match.get("uri"), ignore_case=bool(match.get("ignoreUriCase")))
    add(METHOD, match.get("method"))
    add(AUTHORITY, match.get("authority"))
    for name, condition in (match.get("headers") or {}).items():
        add(_header(name), condition)
    for name, condition in (match.get("withoutHeaders") or {}).items():
        add(_header(name), condition, wanted=False)
    for name, condition in (match.get("queryParams") or {}).items():
        add(("query", name), condition)
    return tuple(terms)


def _header(name: str) -> Part:
    if path := claim_path(name):
        return ("claim", claim_name(path))
    return {":path": PATH, ":method": METHOD, ":authority": AUTHORITY}.get(name, ("header", name.lower()))


def of_policy(policy: Object, treated: Requests) -> Iterator[Rule]:
    """Rules for each caller and each operation of an AuthorizationPolicy."""
    for i, rule in enumerate(policy.items("rules")):
        rule = rule or {}
        sources = [_of_source(one.get("source") or {}, treated) for one in rule.get("from") or ()] or [()]
        operations = [_of_operation(one.get("operation") or {}, treated) for one in rule.get("to") or ()] or [()]
        conditions = merged(*(_of_condition(one, treated) for one in rule.get("when") or ()))
        most = max(len(sources), len(operations))
        for source, operation in zip(islice(cycle(sources), most), islice(cycle(operations), most), strict=True):
            yield Rule(f"{policy.ref} rules[{i}]", merged(source, operation, conditions))


def unknown_keys(policy: Object) -> Iterator[str]:
    """The keys in `when` whose values are not part of a request here, such as `connection.sni`."""
    for rule in policy.items("rules"):
        for condition in (rule or {}).get("when") or ():
            if condition["key"] not in _OF_CALLER and _part(condition["key"]) is None:
                yield condition["key"]


def _of_source(source: Mapping[str, Any], treated: Requests) -> Demand:
    blocks = (_terms(source, field, ADDRESS, treated) for field in ("ipBlocks", "remoteIpBlocks"))
    return merged(_terms(source, "requestPrincipals", PRINCIPAL, treated), *blocks)


def _of_operation(operation: Mapping[str, Any], treated: Requests) -> Demand:
    parts = {"hosts": AUTHORITY, "methods": METHOD, "paths": PATH}
    return merged(*(_terms(operation, field, part, treated) for field, part in parts.items()))


def _of_condition(condition: Mapping[str, Any], treated: Requests) -> Demand:
    part = _part(condition["key"])
    return _terms(condition, "values", part, treated) if part else ()


def _part(key: str) -> Part | None:
    """The part of a request that a key in `when` is about; None if it is about none."""
    if key.startswith(HEADER_KEY):
        return ("header", key[len(HEADER_KEY) : -1].lower())
    if key.startswith(CLAIM_KEY):
        return ("claim", claim_of_key(key))
    if key in CLAIMS_OF_KEYS:
        return ("claim", CLAIMS_OF_KEYS[key])
    return {"request.auth.principal": PRINCIPAL, **dict.fromkeys(_ADDRESSES, ADDRESS)}.get(key)


def claim_of_key(key: str) -> str:
    """The name of the claim that a key in `when` such as `request.auth.claims[team][id]` is about."""
    return claim_name(key[len(CLAIM_KEY) : -1].split("]["))


def _terms(owner: Mapping[str, Any], field: str, part: Part, treated: Requests) -> Demand:
    """The terms of a field, such as `paths`, and of its negation, such as `notPaths`."""
    terms = []
    for name, wanted in ((field, True), (f"not{field[:1].upper()}{field[1:]}", False)):
        patterns: Sequence[str] = owner.get(name) or ()
        texts = (Text("network", one) if part == ADDRESS else Text.of_pattern(one, part, treated) for one in patterns)
        terms += [Term(part, tuple(texts), wanted)] if patterns else []
    return tuple(terms)
