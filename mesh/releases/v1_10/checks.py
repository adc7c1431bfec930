"""Checks of objects that Istio 1.10 refuses and later releases accept (pkg/config/validation)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from mesh import api
from mesh.api.authorization import ATTRIBUTES
from mesh.api.http_match import is_claim
from mesh.api.http_route import RETRY_ON
from mesh.api.model import Message
from mesh.api.scalars import nanoseconds
from mesh.api.sidecar import IPV6_HOSTS
from mesh.core.errors import nearest, show
from mesh.core.typed import Findings
from mesh.releases.common import checks as common

_SECOND: Final = 10**9  # nanoseconds
_LATER_ATTRIBUTES: Final = ("source.serviceAccount", "source.trustDomain")
_LATER_CONDITIONS: Final = ("reset-before-request", "http3-post-connect-failure")


def _virtual_service(body: api.VirtualService) -> Findings:
    for i, route in enumerate(body.http or ()):
        if route.delegate or not body.hosts:
            for j, match in enumerate(route.match or ()):
                yield from ((("http", i, "match", j, *path), text) for path, text in _delegation(match))


def _delegation(match: api.HTTPMatchRequest) -> Findings:
    """istiod merges the conditions of a route with those of its delegate, which it cannot with regular expressions."""
    for path, condition in match.conditions():
        if condition.regex:
            yield (*path, "regex"), "is not possible with delegates; use exact or prefix"


def _routes(route: api.HTTPRoute | api.TLSRoute | api.TCPRoute) -> Findings:
    """Weights are percentages."""
    receivers: Sequence[api.HTTPRouteDestination | api.RouteDestination] = route.route or ()
    for i, receiver in enumerate(receivers):
        if (receiver.weight or 0) > 100:
            yield ("route", i, "weight"), f"{receiver.weight} is not in 0..100"
            return
    total = sum(receiver.weight or 0 for receiver in receivers)
    if len(receivers) > 1 and total != 100:
        yield ("route",), f"the weights of several destinations must add up to 100, not {total}"


def _claims(match: api.HTTPMatchRequest) -> Findings:
    for name in ("headers", "withoutHeaders"):
        for header in filter(is_claim, getattr(match, name) or ()):
            yield (name, header), f"{show(header)} is not the name of a header"


def _headers(operations: api.HeaderOperations) -> Findings:
    for path, value in common.header_values(operations):
        if value.count("%") % 2:
            yield path, f'{show(value)} has a single %: write "%%", or %VARIABLE%'


def _abort(abort: api.Abort) -> Findings:
    if abort.grpcStatus is not None:
        yield ("grpcStatus",), "is not supported by the proxy; use httpStatus"


def _cors(policy: api.CorsPolicy) -> Findings:
    for i, method in enumerate(policy.allowMethods or ()):
        if method == "*":
            yield ("allowMethods", i), '"*" is not a method: list the methods'


def _retry(retry: api.HTTPRetry) -> Findings:
    for condition in (retry.retryOn or "").split(","):
        if condition in _LATER_CONDITIONS:
            known = [name for name in RETRY_ON if name not in _LATER_CONDITIONS]
            yield ("retryOn",), f"{show(condition)} is neither a status code nor one of {', '.join(known)}"


def _cookie(cookie: api.HTTPCookie) -> Findings:
    if cookie.ttl is None:
        yield ("ttl",), "is required"


def _endpoint(endpoint: api.Endpoint) -> Findings:
    if not endpoint.address:
        yield ("address",), "is required"


def _listener(listener: api.IstioIngressListener) -> Findings:
    if (listener.defaultEndpoint or "").startswith(IPV6_HOSTS):
        text = "is not 127.0.0.1:<port>, 0.0.0.0:<port> or unix:///path"
        yield ("defaultEndpoint",), f"{show(listener.defaultEndpoint)} {text}"


def _condition(condition: api.Condition) -> Findings:
    if condition.key in _LATER_ATTRIBUTES:
        known = [name for name in ATTRIBUTES if name not in _LATER_ATTRIBUTES]
        yield ("key",), f"{show(condition.key)} is not one of {', '.join(known)}{nearest(condition.key, known)}"


def _token(rule: api.JWTRule) -> Findings:
    if not rule.issuer and (rule.jwksUri or rule.jwks_uri):
        yield ("issuer",), "is required"


def _mesh(config: api.MeshConfig) -> Findings:
    if config.connectTimeout and nanoseconds(config.connectTimeout) > 30 * _SECOND:
        yield ("connectTimeout",), f"{show(config.connectTimeout)} is longer than 30s, the longest that Istio accepts"


def _providers(providers: api.DefaultProviders) -> Findings:
    if isinstance(providers.tracing, list):
        remedy = f"write {providers.tracing[0]}" if len(providers.tracing) == 1 else "name one provider"
        yield ("tracing",), f"expected a string, got {show(providers.tracing)}: {remedy}"


REFUSED: Final[Mapping[type[Message], Callable[[Any], Findings]]] = {
    api.VirtualService: _virtual_service,
    api.HTTPRoute: _routes,
    api.TLSRoute: _routes,
    api.TCPRoute: _routes,
    api.HTTPMatchRequest: _claims,
    api.HeaderOperations: _headers,
    api.Abort: _abort,
    api.CorsPolicy: _cors,
    api.HTTPRetry: _retry,
    api.HTTPCookie: _cookie,
    api.Endpoint: _endpoint,
    api.IstioIngressListener: _listener,
    api.Condition: _condition,
    api.JWTRule: _token,
    api.MeshConfig: _mesh,
    api.DefaultProviders: _providers,
}
"""By type, the problems of a message."""
