"""Routes of connections between services without HTTP: by port, caller, address and server name."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Final

from mesh import api
from mesh.core.typed import Findings
from mesh.traffic.matching import Match
from mesh.traffic.route_actions import RouteActions, Weights

_CALLER: Final = frozenset(("port", "sourceLabels", "sourceNamespace"))
"""Conditions on the port and the caller, which are known when a proxy gets its routes."""
_SUBNETS: Final = "destinationSubnets"
_TEXT: Final = "is for requests, but with protocol {} sidecars see only connections: leave it out"


def action_problems(part: RouteActions, protocol: str) -> Findings:
    """Refuses actions that only apply to requests."""
    for name in RouteActions.model_fields:
        if getattr(part, name) is not None:
            yield (name,), _TEXT.format(protocol)


def match_problems(match: Match, protocol: str) -> Findings:
    """Refuses conditions on requests; with TLS the host is the server name."""
    for name in sorted(match.model_fields_set - {*_CALLER, _SUBNETS}):
        if name != "host" or protocol != "TLS":
            yield (name,), _TEXT.format(protocol)
        elif match.host and not match.host.exact:
            yield ("host",), "must be a whole server name with protocol TLS"


def subnet_problems(rules: Sequence[Sequence[Match]], protocol: str) -> Findings:
    """Refuses subnets where no proxy compares them, and subnets whose connections another rule would take.

    A proxy uses the narrowest range that contains an address, whichever rule comes first, and refuses duplicate ranges.
    For TLS, Istio also applies the ranges of a route to the routes after it.
    """
    found = [
        (i, j, match) for i, matches in enumerate(rules) for j, match in enumerate(matches) if match.destinationSubnets
    ]
    for position, (i, j, match) in enumerate(found):
        path = ("rules", i, "match", j, _SUBNETS)
        if protocol != "TCP":
            yield path, f"is for protocol TCP, but the protocol is {protocol}: leave it out, or match the host"
            continue
        earlier = [(rule, other) for rule, _, other in found[:position] if rule < i and _may_meet(match, other)]
        for k, subnet in enumerate(match.destinationSubnets):
            for rule, other in earlier:
                for wider in other.destinationSubnets:
                    if _lies_in(subnet, wider):
                        yield (*path, k), _overlap(subnet, wider, f"rules[{rule}]")


def _overlap(subnet: str, wider: str, before: str) -> str:
    if subnet == wider:
        return f"{subnet} is also in {before}: leave it out of one of them"
    return f"{subnet} lies in {wider} of {before}: put this rule before that one"


def _lies_in(subnet: str, wider: str) -> bool:
    """Whether a range is part of another one."""
    one, other = ip_network(subnet, strict=False), ip_network(wider, strict=False)
    if isinstance(one, IPv4Network) and isinstance(other, IPv4Network):
        return one.subnet_of(other)
    return isinstance(one, IPv6Network) and isinstance(other, IPv6Network) and one.subnet_of(other)


def _may_meet(one: Match, other: Match) -> bool:
    """Whether some connection may meet the conditions of both matches on port and caller."""
    labels = one.sourceLabels.keys() & other.sourceLabels.keys()
    same = all(one.sourceLabels[name] == other.sourceLabels[name] for name in labels)
    return same and all(
        None in (a := (getattr(one, name), getattr(other, name))) or a[0] == a[1]
        for name in ("port", "sourceNamespace")
    )


def routes(
    rules: Sequence[tuple[Sequence[Match], Weights]], route: Weights, host: str, names: Sequence[str], protocol: str
) -> api.VirtualService:
    """The VirtualService of a service: routes of connections by `rules`, and `route` for all others. `names` are the
    server names that callers use for the service."""
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
    conditions = [
        api.L4MatchAttributes(destinationSubnets=match.destinationSubnets or None, **_caller(match))
        for match in matches
    ]
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
