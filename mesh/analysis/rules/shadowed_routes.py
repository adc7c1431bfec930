"""Finds routes and matches that no request reaches, because earlier ones take all of their requests."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mesh.analysis import codes
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.virtual_services import routes
from mesh.core import kinds

_STRINGS: Final = ("scheme", "method", "authority")
_MAPS: Final = ("headers", "queryParams")
_PLAIN: Final = ("port", "sourceNamespace")


def shadowed(mesh: Mesh) -> Iterator[Finding]:
    """Routes and matches of a VirtualService that earlier ones shadow."""
    for virtual_service in mesh.of(kinds.VIRTUAL_SERVICE):
        for protocol in ("http", "tls", "tcp"):
            yield from _routes(virtual_service, protocol)


def _routes(virtual_service: Object, protocol: str) -> Iterator[Finding]:
    earlier: list[tuple[int, Mapping[str, Any]]] = []
    seen: dict[str, int] = {}
    for i, route in enumerate(routes(virtual_service, protocol)):
        matches = route.get("match") or [{}]
        taken = [_by(match, earlier, seen) for match in matches]
        within = [_same(match, matches[:j]) for j, match in enumerate(matches)]
        if all(by is not None for by in taken):
            text = f"requests never get here: {protocol}[{taken[0]}] takes them; move this one up, or drop it"
            yield codes.UNREACHABLE.at(virtual_service, f"{protocol}[{i}]", text)
        for j, by in enumerate(taken if route.get("match") else ()):
            if by is not None:
                text = f"takes no request: {protocol}[{by}] has taken them all; move it up, or drop it"
                yield codes.INEFFECTIVE.at(virtual_service, f"{protocol}[{i}].match[{j}]", text)
            elif within[j] is not None:
                text = f"takes no request: match[{within[j]}] of the same route has taken them all; drop it"
                yield codes.INEFFECTIVE.at(virtual_service, f"{protocol}[{i}].match[{j}]", text)
        for match in matches:
            if seen.setdefault(_key(match), i) == i:
                earlier.append((i, match))


def _by(match: Mapping[str, Any], earlier: Sequence[tuple[int, Mapping[str, Any]]], seen: dict[str, int]) -> int | None:
    """The earlier route that takes every request of a match; None if none takes all."""
    if _key(match) in seen:
        return seen[_key(match)]
    return next((i for i, other in earlier if covers(other, match)), None)


def _same(match: Mapping[str, Any], before: Sequence[Mapping[str, Any]]) -> int | None:
    """The earlier match of the same route that takes every request of a match; None if none takes all."""
    return next((j for j, other in enumerate(before) if _key(other) == _key(match) or covers(other, match)), None)


def _key(match: Mapping[str, Any]) -> str:
    """A key that is equal for matches with equal conditions; their names do not count."""
    return json.dumps({key: value for key, value in match.items() if key != "name"}, sort_keys=True)


def covers(wide: Mapping[str, Any], narrow: Mapping[str, Any]) -> bool:
    """Whether the match `wide` takes every request that `narrow` takes; False if that is uncertain."""
    case = bool(narrow.get("ignoreUriCase"))
    if case and not wide.get("ignoreUriCase") and "uri" in wide:
        return False
    if not _string(wide.get("uri"), narrow.get("uri"), bool(wide.get("ignoreUriCase"))):
        return False
    if not all(_string(wide.get(name), narrow.get(name)) for name in _STRINGS):
        return False
    if any(name in wide and wide[name] != narrow.get(name) for name in _PLAIN):
        return False
    for name in _MAPS:
        mine, theirs = wide.get(name) or {}, narrow.get(name) or {}
        if not all(key in theirs and _string(value, theirs[key]) for key, value in mine.items()):
            return False
    without = (wide.get("withoutHeaders") or {}).items() <= (narrow.get("withoutHeaders") or {}).items()
    labels = (wide.get("sourceLabels") or {}).items() <= (narrow.get("sourceLabels") or {}).items()
    return without and labels and _places(wide, narrow)


def _places(wide: Mapping[str, Any], narrow: Mapping[str, Any]) -> bool:
    """`covers` for fields with alternatives: gateways, SNI hosts and destination subnets."""
    for name in ("gateways", "sniHosts", "destinationSubnets"):
        if wide.get(name) and not (narrow.get(name) and set(narrow[name]) <= set(wide[name])):
            return False
    return True


def _string(wide: Mapping[str, str] | None, narrow: Mapping[str, str] | None, ignore_case: bool = False) -> bool:
    """`covers` for two StringMatches; None is a condition that is not set, `{}` one on presence alone."""
    if not wide:
        return wide is None or narrow is not None
    if not narrow:
        return wide.get("prefix") == "/"
    (how, what), (kind, value) = next(iter(wide.items())), next(iter(narrow.items()))
    if how == "regex" or kind == "regex":
        return wide == narrow or (how, what) == ("regex", ".*") or (how, what) == ("prefix", "/")
    if ignore_case:
        what, value = what.lower(), value.lower()
    return value.startswith(what) if how == "prefix" else kind == "exact" and value == what


RULES: Final = (shadowed,)
