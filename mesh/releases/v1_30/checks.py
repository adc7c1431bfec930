"""What Istio 1.30 refuses of its objects and earlier releases accept (pkg/config/validation, and the definitions)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from mesh import api
from mesh.api.model import Message, at_most_one
from mesh.core.errors import show
from mesh.core.typed import Findings

_TEMPLATES: Final = ("{*}", "{**}")
_LITERAL: Final = re.compile(r"[-a-zA-Z0-9._~%!$&'()+,;:@=]+")


def _routes(route: api.HTTPRoute | api.TLSRoute | api.TCPRoute) -> Findings:
    """Weights are shares in relation to each other."""
    receivers: Sequence[api.HTTPRouteDestination | api.RouteDestination] = route.route or ()
    if len(receivers) > 1 and not any(receiver.weight for receiver in receivers):
        yield ("route",), "of several destinations, one at least needs a weight"


def _operation(operation: api.Operation) -> Findings:
    for name in ("paths", "notPaths"):
        for i, path in enumerate(getattr(operation, name) or ()):
            if text := _path(path):
                yield (name, i), f"{show(path)}: {text}"


def _path(path: str) -> str:
    """What is wrong with a path, or a template of one: `{*}` stands for one segment, `{**}` for all that follow."""
    segments = path.strip("/").split("/")
    is_template = any(template in path for template in _TEMPLATES)
    for i, segment in enumerate(segments):
        if segment in _TEMPLATES:
            if "{**}" in segments[:i]:
                return f"{segment} cannot follow {{**}}, which stands for all that follows"
        elif "{" in segment or "}" in segment:
            return "of a path's segments in braces, there are {*} and {**} only"
        elif is_template and not _LITERAL.fullmatch(segment):
            return f"{show(segment)} cannot stand in a path with {{*}} or {{**}}"
    return ""


def _token(rule: api.JWTRule) -> Findings:
    yield from at_most_one(rule, "jwksUri", "jwks_uri", "jwks")


def _providers(providers: api.DefaultProviders) -> Findings:
    if isinstance(providers.tracing, str):
        yield ("tracing",), f"expected a list, got {show(providers.tracing)}: write [{providers.tracing}]"


REFUSED: Final[Mapping[type[Message], Callable[[Any], Findings]]] = {
    api.HTTPRoute: _routes,
    api.TLSRoute: _routes,
    api.TCPRoute: _routes,
    api.Operation: _operation,
    api.JWTRule: _token,
    api.DefaultProviders: _providers,
}
"""By type, the problems of a message."""
