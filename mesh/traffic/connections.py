"""Routes of connections between services, for services that speak no HTTP: by port, caller and server name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from mesh import api
from mesh.core.typed import Findings
from mesh.traffic.matching import Match
from mesh.traffic.route_actions import RouteActions, Weights

_CALLER: Final = frozenset(("port", "sourceLabels", "sourceNamespace"))
"""Conditions that a connection can meet."""
_TEXT: Final = "is for requests, and with protocol {} sidecars see only connections: leave it out"


def action_problems(part: RouteActions, protocol: str) -> Findings:
    """Refuses what is done with requests alone."""
    for name in RouteActions.model_fields:
        if getattr(part, name) is not None:
            yield (name,), _TEXT.format(protocol)


def match_problems(match: Match, protocol: str) -> Findings:
    """Refuses conditions on requests; with TLS the host is the server name."""
    for name in sorted(match.model_fields_set - _CALLER):
        if name != "host" or protocol != "TLS":
            yield (name,), _TEXT.format(protocol)
        elif match.host and not match.host.exact:
            yield ("host",), "must be a whole server name with protocol TLS"


def routes(
    rules: Sequence[tuple[Sequence[Match], Weights]], route: Weights, host: str, names: Sequence[str], protocol: str
) -> api.VirtualService:
    """The VirtualService of a service: routes of connections by `rules`, and `route` for all others. `names` are the
    server names by which callers know the service."""
    asked = [match.host.exact or "" for matches, _ in rules for match in matches if match.host]
    if protocol == "TCP":
        tcp = [_tcp(matches, _shares(host, weights)) for matches, weights in [*rules, ((), route)]]
        return api.VirtualService(hosts=[host], tcp=tcp)
    tls = [_tls(matches, _shares(host, weights), names) for matches, weights in [*rules, ((), route)]]
    return api.VirtualService(hosts=list(dict.fromkeys([*names, *asked])), tls=tls)


def _shares(host: str, weights: Weights) -> list[api.RouteDestination]:
    if not weights:
        return [api.RouteDestination(destination=api.Destination(host=host))]
    return [
        api.RouteDestination(
            destination=api.Destination(host=host, subset=version), weight=weight if len(weights) > 1 else None
        )
        for version, weight in weights.items()
    ]


def _tcp(matches: Sequence[Match], shares: list[api.RouteDestination]) -> api.TCPRoute:
    conditions = [api.L4MatchAttributes(**_caller(match)) for match in matches]
    return api.TCPRoute(match=conditions or None, route=shares)


def _tls(matches: Sequence[Match], shares: list[api.RouteDestination], names: Sequence[str]) -> api.TLSRoute:
    conditions = [
        api.TLSMatchAttributes(
            sniHosts=[match.host.exact] if match.host and match.host.exact else list(names), **_caller(match)
        )
        for match in matches
    ]
    return api.TLSRoute(match=conditions or [api.TLSMatchAttributes(sniHosts=list(names))], route=shares)


def _caller(match: Match) -> dict[str, Any]:
    return {name: getattr(match, name) for name in sorted(_CALLER) if getattr(match, name)}
