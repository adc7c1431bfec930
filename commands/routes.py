"""The versions of reviews that should answer, and how often, by the routes on a cluster; for `make smoke`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cluster import client
from cluster.client import Api
from mesh import bookinfo
from mesh.analysis import objects, virtual_services
from mesh.analysis.mesh import Mesh
from mesh.analysis.virtual_services import MESH
from mesh.config.settings import Settings
from mesh.core import kinds
from mesh.core.names import DEFAULT_DOMAIN, MeshNames
from mesh.requests.routing import MatchedRoute, Proxy, Routes
from mesh.requests.types import Request
from mesh.traffic.matching import USER_HEADER

Object = Mapping[str, Any]

_PATH: Final = "/reviews/0"
_CALLER: Final = {"app": bookinfo.PRODUCT_PAGE, "version": "v1"}
"""Labels of the product page, which calls reviews."""
_API: Final = "networking.istio.io/v1alpha3"


@dataclass(frozen=True)
class Expectation:
    """The expected answers to a kind of request."""

    shares: Mapping[str, float]
    """The share of each version, 0 to 1; empty if any version may answer."""
    may_fail: bool = False
    """Whether the route injects faults, so that requests may fail."""


@dataclass(frozen=True)
class Expectations:
    """The expected answers for all requests to reviews."""

    default: Expectation
    users: Mapping[str, Expectation] = field(default_factory=dict)
    """The expected answers by signed-in user, for the users that routes match."""
    untested: int = 0
    """The number of routes with conditions other than the user. No request tests these."""


def read(api: Api, settings: Settings) -> Expectations:
    """The expectations for the reviews of a stack's Bookinfo, from its cluster. Raises ClusterError."""
    found = {kind: client.items(api, f"/apis/{_API}/{kind}") for kind in ("virtualservices", "destinationrules")}
    namespace = settings.bookinfo.namespace if settings.bookinfo else ""
    domain = settings.global_.proxy.clusterDomain
    return expectations(found["virtualservices"], found["destinationrules"], namespace, domain)


def expectations(
    services: Sequence[Object], destinations: Sequence[Object], namespace: str, domain: str = DEFAULT_DOMAIN
) -> Expectations:
    """The expectations for requests of the product page to reviews in a namespace, by these VirtualServices and
    DestinationRules."""
    mesh = Mesh(
        [*listed(_API, "VirtualService", services), *listed(_API, "DestinationRule", destinations)],
        MeshNames(domain=domain),
    )
    names = [f"{bookinfo.REVIEWS}.{namespace}{end}" for end in (f".svc.{domain}", ".svc", "")]
    versions = {
        subset["name"]: subset.get("labels", {}).get("version", subset["name"])
        for rule in mesh.of(kinds.DESTINATION_RULE)
        if mesh.full_host(rule.spec["host"], rule.namespace) in names
        for subset in rule.items("subsets")
    }
    routes = Routes(mesh)
    holders = next(filter(None, (routes.in_sidecar(name, namespace) for name in names)), ())
    proxy = Proxy(namespace=namespace, labels=_CALLER, gateways=(MESH,))

    def chosen(user: str | None) -> MatchedRoute | None:
        headers = {USER_HEADER: user} if user else {}
        return routes.choose(
            holders, Request(host=bookinfo.REVIEWS, path=_PATH, port=bookinfo.PORT, headers=headers), proxy
        )

    default = chosen(None)
    tried = default.rule.partition(" > ")[0] if default else ""
    conditional = {place: route for holder in holders for place, route in _conditional(holder)}
    users = dict.fromkeys(name for route in conditional.values() for name in _users(route))
    untested = sum(not _users(route) and place != tried for place, route in conditional.items())
    by_user = {name: _expectation(chosen(name), versions) for name in users}
    return Expectations(_expectation(default, versions), by_user, untested)


def listed(api_version: str, kind: str, items: Sequence[Object]) -> Iterator[objects.Object]:
    """The objects of a list whose items have neither `apiVersion` nor `kind`."""
    return (objects.Object.read({"apiVersion": api_version, "kind": kind, **item}) for item in items)


def _conditional(holder: objects.Object) -> Iterator[tuple[str, Object]]:
    """The routes before the first one that matches every request, each with its object and index."""
    for i, route in enumerate(virtual_services.routes(holder)):
        if (route.get("match") or [{}]) == [{}]:
            return
        yield f"{holder.ref} http[{i}]", route


def _users(route: Object) -> Sequence[str]:
    """The users that a route matches by the user's header alone."""
    found = (_user(match) for match in route["match"])
    return [name for name in found if name]


def _user(match: Object) -> str | None:
    """The user of a match that has no other condition."""
    headers: Mapping[str, Mapping[str, str]] = match.get("headers", {})
    return headers[USER_HEADER].get("exact") if set(match) == {"headers"} and set(headers) == {USER_HEADER} else None


def _expectation(chosen: MatchedRoute | None, versions: Mapping[str, str]) -> Expectation:
    if chosen is None:
        return Expectation({})
    shares: dict[str, float] = {}
    may_fail = "fault" in chosen.route
    for destination, share in virtual_services.weighted_destinations(chosen.route):
        subset = destination.get("subset")
        if subset is None:
            return Expectation({}, may_fail)
        version = versions.get(subset, subset)
        shares[version] = shares.get(version, 0.0) + share
    return Expectation(shares, may_fail)
