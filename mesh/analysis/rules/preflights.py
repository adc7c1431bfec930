"""Checks CORS at gateways: preflight requests reach the route with the policy, and the policy allows tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mesh.analysis import codes, hosts, virtual_services
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.core import kinds

_METHOD: Final = "OPTIONS"
_SENT: Final = frozenset(
    {"host", "origin", "accept", "user-agent", "referer", "connection", "cache-control", "pragma", "content-length"}
)
"""Headers of a preflight that browsers send, or may send."""
_SENT_PREFIXES: Final = (":", "access-control-request-", "accept-", "sec-", "x-forwarded-", "x-envoy-", "x-request-")
"""Prefixes of other such headers, and of headers that proxies on the way add."""
_AUTHORIZATION: Final = "authorization"


def unmatched(mesh: Mesh) -> Iterator[Finding]:
    """A preflight meets a match of each route with a CORS policy, or of another such route for the same path."""
    for vs in mesh.of(kinds.VIRTUAL_SERVICE):
        routes = virtual_services.routes(vs) if any(virtual_services.gateways(vs)) else ()
        answering = [match for route in routes if _has_cors(route) for match in _met(route)]
        for i, route in enumerate(routes):
            matches = route.get("match") or ()
            if not _has_cors(route) or _met(route):
                continue
            if not all(any(_as_wide(other, match) for other in answering) for match in matches):
                text = (
                    f"a browser's preflight, of method {_METHOD}, has no {' or '.join(_missing(matches))}: add a match"
                    f" for method {_METHOD} and this path, without such a condition"
                )
                yield codes.PREFLIGHT_UNMATCHED.at(vs, f"http[{i}].corsPolicy", text)


def _met(route: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The matches of a route that a preflight can meet; an empty one for a route without matches."""
    matches: Sequence[Mapping[str, Any]] = route.get("match") or ({},)
    return [match for match in matches if not [*_conditions(match)]]


def _conditions(match: Mapping[str, Any]) -> Iterator[str]:
    """Conditions of a match that no preflight meets."""
    method = match.get("method") or {}
    if method.get("exact", _METHOD) != _METHOD or not _METHOD.startswith(method.get("prefix") or ""):
        yield f"method {method.get('exact') or method.get('prefix')}"
    for name in match.get("headers") or {}:
        if name.lower() not in _SENT and not name.lower().startswith(_SENT_PREFIXES):
            yield f"header {name}"


def _missing(matches: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(condition for match in matches for condition in _conditions(match)))


def _as_wide(wide: Mapping[str, Any], match: Mapping[str, Any]) -> bool:
    """Whether a match is for the paths of another one, as far as a comparison of their texts shows."""
    own, other = wide.get("uri"), match.get("uri") or {}
    if not own or own == other:
        return True
    start = own.get("prefix")
    return start is not None and (other.get("prefix") or other.get("exact") or "").startswith(start)


def tokens(mesh: Mesh) -> Iterator[Finding]:
    """Where a gateway requires tokens, the CORS policies of its routes let scripts send them."""
    for vs in mesh.of(kinds.VIRTUAL_SERVICE):
        policies = {i: route["corsPolicy"] for i, route in enumerate(virtual_services.routes(vs)) if _has_cors(route)}
        headers = _token_headers(mesh, vs) if policies else set()
        for i, policy in policies.items() if headers else ():
            if not headers & {name.lower() for name in policy.get("allowHeaders") or ()}:
                which = " or ".join(sorted(headers))
                text = f"the gateway requires a token, but browsers may not send {which}: list it here"
                yield codes.TOKEN_NOT_ALLOWED.at(vs, f"http[{i}].corsPolicy.allowHeaders", text)


def _has_cors(route: Mapping[str, Any]) -> bool:
    return bool(route.get("corsPolicy"))


def _token_headers(mesh: Mesh, vs: Object) -> set[str]:
    """The headers, in lower case, from which the gateways of a VirtualService read tokens; empty if they require none,
    or take them from the query alone."""
    found = (mesh.get(ref) for _, _, ref in virtual_services.gateways(vs))
    pods = {pod for gateway in found if gateway for pod in mesh.gateway_pods(gateway)}
    required = any(
        _requires_tokens(policy, vs.items("hosts")) and pods & {*mesh.selected_by(policy)}
        for policy in mesh.of(kinds.AUTHORIZATION_POLICY)
    )
    headers: set[str] = set()
    for known in mesh.of(kinds.REQUEST_AUTHENTICATION) if required else ():
        for rule in known.items("jwtRules") if pods & {*mesh.selected_by(known)} else ():
            names = [header["name"].lower() for header in rule.get("fromHeaders") or ()]
            headers.update(names or ([] if rule.get("fromParams") else [_AUTHORIZATION]))
    return headers


def _requires_tokens(policy: Object, names: Sequence[str]) -> bool:
    """Whether a policy denies requests without a token to one of some hosts."""
    rules = policy.items("rules") if policy.spec.get("action") == "DENY" else ()
    return any(_concerns(rule or {}, names) for rule in rules)


def _concerns(rule: Mapping[str, Any], names: Sequence[str]) -> bool:
    """Whether a rule is about requests without a token to one of some hosts."""
    sources = [caller.get("source") or {} for caller in rule.get("from") or ()]
    operations = [part.get("operation") or {} for part in rule.get("to") or ()] or [{}]
    forms = [form.partition(":")[0] for one in operations for form in one.get("hosts") or (hosts.ALL,)]
    without = any(source.get("notRequestPrincipals") for source in sources)
    return without and any(hosts.overlap(name, form) for name in names for form in forms)


RULES: Final = (unmatched, tokens)
