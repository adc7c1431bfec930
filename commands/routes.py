"""What the routes on a cluster say of Bookinfo's reviews: which versions are to answer, and how often."""

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
from mesh.core.names import MeshNames
from mesh.requests.routing import MatchedRoute, Proxy, Routes
from mesh.requests.types import Request

Object = Mapping[str, Any]

_PATH: Final = "/reviews/0"
_CALLER: Final = {"app": bookinfo.PRODUCT_PAGE, "version": "v1"}
"""Labels of the product page, which asks for the reviews."""
_USER: Final = "end-user"
"""The header in which the product page says who is signed in."""
_API: Final = "networking.istio.io/v1alpha3"


@dataclass(frozen=True)
class Rule:
    """What a route wants."""

    shares: Mapping[str, float]
    """Of each version, 0 to 1; empty: any version may answer."""
    may_fail: bool = False
    """Whether the route itself makes requests fail."""


@dataclass(frozen=True)
class Rules:
    """What the cluster says of reviews."""

    default: Rule
    users: Mapping[str, Rule] = field(default_factory=dict)
    """By the user who is signed in."""
    unread: int = 0
    """Number of routes with other conditions, which are not tried."""


def read(api: Api, settings: Settings) -> Rules:
    """The rules that stand on a cluster for the reviews of a stack's Bookinfo. ClusterError if it does not answer."""
    found = {kind: client.items(api, f"/apis/{_API}/{kind}") for kind in ("virtualservices", "destinationrules")}
    namespace = settings.bookinfo.namespace if settings.bookinfo else ""
    domain = settings.global_.proxy.clusterDomain
    return rules(found["virtualservices"], found["destinationrules"], namespace, domain)


def rules(
    services: Sequence[Object], destinations: Sequence[Object], namespace: str, domain: str = "cluster.local"
) -> Rules:
    """What VirtualServices and DestinationRules say of the product page's requests to reviews in a namespace."""
    mesh = Mesh(
        [*_things("VirtualService", services), *_things("DestinationRule", destinations)], MeshNames(domain=domain)
    )
    names = [f"{bookinfo.REVIEWS}.{namespace}{end}" for end in (f".svc.{domain}", ".svc", "")]
    versions = {
        subset["name"]: subset.get("labels", {}).get("version", subset["name"])
        for rule in mesh.of(kinds.DESTINATION_RULE)
        if mesh.full_host(rule.spec["host"], rule.namespace) in names
        for subset in rule.items("subsets")
    }
    routes = Routes(mesh)
    things = next(filter(None, (routes.in_sidecar(name, namespace) for name in names)), ())
    proxy = Proxy(namespace=namespace, labels=_CALLER, gateways=(MESH,))

    def chosen(user: str | None) -> MatchedRoute | None:
        headers = {_USER: user} if user else {}
        return routes.choose(
            things, Request(host=bookinfo.REVIEWS, path=_PATH, port=bookinfo.PORT, headers=headers), proxy
        )

    default = chosen(None)
    tried = default.rule.partition(" > ")[0] if default else ""
    conditional = {place: route for thing in things for place, route in _conditional(thing)}
    users = dict.fromkeys(name for route in conditional.values() for name in _users(route))
    unread = sum(not _users(route) and place != tried for place, route in conditional.items())
    return Rules(_rule(default, versions), {name: _rule(chosen(name), versions) for name in users}, unread)


def _things(kind: str, manifests: Sequence[Object]) -> Iterator[objects.Object]:
    return (objects.Object.read({"apiVersion": _API, "kind": kind, **manifest}) for manifest in manifests)


def _conditional(thing: objects.Object) -> Iterator[tuple[str, Object]]:
    """The routes before the first that takes every request, by object and place."""
    for i, route in enumerate(virtual_services.routes(thing)):
        if (route.get("match") or [{}]) == [{}]:
            return
        yield f"{thing.ref} http[{i}]", route


def _users(route: Object) -> Sequence[str]:
    """The users of whom a route asks for nothing else than that they are signed in."""
    found = (_user(match) for match in route["match"])
    return [name for name in found if name]


def _user(match: Object) -> str | None:
    """The user, of a condition that asks for nothing else."""
    headers: Mapping[str, Mapping[str, str]] = match.get("headers", {})
    return headers[_USER].get("exact") if set(match) == {"headers"} and set(headers) == {_USER} else None


def _rule(chosen: MatchedRoute | None, versions: Mapping[str, str]) -> Rule:
    if chosen is None:
        return Rule({})
    shares: dict[str, float] = {}
    may_fail = "fault" in chosen.route
    for destination, share in virtual_services.weighted_destinations(chosen.route):
        subset = destination.get("subset")
        if subset is None:
            return Rule({}, may_fail)
        version = versions.get(subset, subset)
        shares[version] = shares.get(version, 0.0) + share
    return Rule(shares, may_fail)
