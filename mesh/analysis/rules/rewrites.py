"""Checks changes of requests by routes: rewrites, redirects, headers, origins and faults have the intended effect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mesh.analysis import codes, virtual_services
from mesh.analysis.findings import Finding, Severity
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.api import http_text, regex
from mesh.core import kinds

_BY_PATH: Final = ("uri", "ignoreUriCase", "name")
"""Fields of a match that depend only on the path of a request."""
_FOLLOWED: Final = ("GET", "HEAD")
"""Methods with which a browser follows any redirect."""


def targets(mesh: Mesh) -> Iterator[Finding]:
    """The results of rewrites, redirects and changes of headers are intended and can be sent."""
    for vs in mesh.of(kinds.VIRTUAL_SERVICE):
        for i, route in enumerate(virtual_services.routes(vs)):
            path = f"http[{i}]"
            for kind in ("rewrite", "redirect"):
                yield from _target(vs, f"{path}.{kind}", route.get(kind) or {})
            yield from _joins(vs, path, route)
            yield from _headers(vs, path, route)
            yield from _origins(vs, f"{path}.corsPolicy", route.get("corsPolicy") or {})


def _target(vs: Object, path: str, said: Mapping[str, Any]) -> Iterator[Finding]:
    for field, check in (("uri", http_text.target), ("authority", http_text.authority)):
        if said.get(field) and (problem := check(said[field])):
            yield codes.MANGLED.at(vs, f"{path}.{field}", problem)
    edit = said.get("uriRegexRewrite") or {}
    if problem := regex.substitution(edit.get("match") or "", edit.get("rewrite") or ""):
        yield codes.MANGLED.at(vs, f"{path}.uriRegexRewrite.rewrite", f"{problem}: paths stay as they are")
    if said.get("redirectCode") and said["redirectCode"] not in http_text.REDIRECT_CODES:
        choices = ", ".join(map(str, http_text.REDIRECT_CODES))
        text = f"Istio does not redirect with status {said['redirectCode']}: use {choices}"
        yield codes.MANGLED.at(vs, f"{path}.redirectCode", text, Severity.ERROR)


def _joins(vs: Object, path: str, route: Mapping[str, Any]) -> Iterator[Finding]:
    """Where the rewritten beginning of a path meets its rest, there is one slash."""
    uri = (route.get("rewrite") or {}).get("uri")
    if not uri or http_text.target(uri) or route.get("delegate"):
        return
    for match in route.get("match") or [{}]:
        condition = match.get("uri") or (
            {"prefix": "/"} if vs.items("hosts") else {}
        )  # the path of a delegate comes from the other
        if problem := http_text.rewritten(condition.get("prefix") or "", uri):
            yield codes.MANGLED.at(vs, f"{path}.rewrite.uri", problem)


def _headers(vs: Object, path: str, route: Mapping[str, Any]) -> Iterator[Finding]:
    places = [path, *(f"{path}.route[{j}]" for j in range(len(route.get("route") or ())))]
    for place, part in zip(places, [route, *(route.get("route") or ())], strict=True):
        for direction, changes in (part.get("headers") or {}).items():
            for operation, names in (changes or {}).items():
                for problem in filter(None, map(http_text.header, names or ())):
                    yield codes.MANGLED.at(vs, f"{place}.headers.{direction}.{operation}", problem)


def _origins(vs: Object, path: str, cors: Mapping[str, Any]) -> Iterator[Finding]:
    said = [("allowOrigins", i, origin.get("exact") or "") for i, origin in enumerate(cors.get("allowOrigins") or ())]
    said += [("allowOrigin", i, origin) for i, origin in enumerate(cors.get("allowOrigin") or ())]
    for field, i, origin in said:
        if problem := http_text.origin(origin):
            yield codes.NO_REQUESTS.at(vs, f"{path}.{field}[{i}]", problem)


def loops(mesh: Mesh) -> Iterator[Finding]:
    """No redirect leads to itself, or to another one that leads back."""
    for vs in mesh.of(kinds.VIRTUAL_SERVICE):
        routes = virtual_services.routes(vs)
        for i, route in enumerate(routes):
            circle = _circle(vs, routes, i) if route.get("redirect") else []
            if circle:
                through = "" if circle == [i] else f", by {' and '.join(f'http[{j}]' for j in circle if j != i)}"
                uri, authority = route["redirect"].get("uri"), route["redirect"].get("authority")
                way = "put a route for it before this one, or match less" if uri else "match the other hosts alone"
                text = f"{uri or authority} is redirected again{through}, without end: {way}"
                yield codes.REDIRECT_LOOP.at(vs, f"http[{i}].redirect", text)


def _circle(vs: Object, routes: Sequence[Mapping[str, Any]], start: int) -> list[int]:
    """The routes through which a redirect leads back to itself; empty if it does not, or if that is uncertain."""
    passed, current = [start], start
    while True:
        redirect = routes[current]["redirect"]
        if not _stays(vs, redirect, routes) or not _followed(routes[current]):
            return []
        uri = (redirect.get("uri") or "").partition("?")[0]
        following = _taker(routes, uri, current) if uri else current
        if following is None or not routes[following].get("redirect"):
            return []
        if following == start:
            return passed
        if following in passed:
            return []
        passed.append(following)
        current = following


def _stays(vs: Object, redirect: Mapping[str, Any], routes: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a redirect leads to a host of the same VirtualService, for which the same routes apply."""
    if (
        http_text.target(redirect.get("uri") or "/")
        or redirect.get("redirectCode", 301) not in http_text.REDIRECT_CODES
    ):
        return False
    authority = redirect.get("authority")
    same = not any("authority" in match for route in routes for match in route.get("match") or ())
    return not authority or (authority in vs.items("hosts") and same)


def _followed(route: Mapping[str, Any]) -> bool:
    """Whether a client repeats some request of the route with the same method."""
    return any((match.get("method") or {}).get("exact", "GET") in _FOLLOWED for match in route.get("match") or [{}])


def _taker(routes: Sequence[Mapping[str, Any]], path: str, current: int) -> int | None:
    """The route that takes the path to which the route `current` redirects; None if that is uncertain."""
    for i, route in enumerate(routes):
        fitting = [match for match in route.get("match") or [{}] if _fits(match, path)]
        again = i == current and "headers" not in route and "?" not in (route["redirect"].get("uri") or "")
        if (again and len(fitting) == len(route.get("match") or [{}])) or any(
            set(match) <= set(_BY_PATH) for match in fitting
        ):
            return i
        if fitting:
            return None
    return None


def _fits(match: Mapping[str, Any], path: str) -> bool:
    """Whether a path meets the condition of a match on the path; other conditions do not count."""
    condition: Mapping[str, str] = match.get("uri") or {}
    if "regex" in condition:
        return regex.matches(condition["regex"], path)
    exact, prefix = condition.get("exact"), condition.get("prefix") or ""
    if match.get("ignoreUriCase"):
        path, exact, prefix = path.lower(), exact and exact.lower(), prefix.lower()
    return path == exact if exact is not None else path.startswith(prefix)


def faults(mesh: Mesh) -> Iterator[Finding]:
    """Each delay and each abort has a percentage, without which it applies to no request."""
    for vs in mesh.of(kinds.VIRTUAL_SERVICE):
        for i, route in enumerate(virtual_services.routes(vs)):
            for kind, said in (route.get("fault") or {}).items():
                if "percentage" not in said and not said.get("percent"):
                    text = "applies to no request without a percentage: write percentage: {value: 100}"
                    yield codes.FAULT_FOR_NOBODY.at(vs, f"http[{i}].fault.{kind}", text)


RULES: Final = (targets, loops, faults)
