"""What the routes on a cluster say of Bookinfo's reviews: which versions are to answer, and how often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cluster import client
from cluster.client import Api

Object = Mapping[str, Any]

SERVICE: Final = "reviews"


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


def read(api: Api, namespace: str) -> Rules:
    """The rules that stand on a cluster for the reviews in a namespace. ClusterError if it does not answer."""
    objects = {
        kind: client.items(api, f"/apis/networking.istio.io/v1alpha3/{kind}")
        for kind in ("virtualservices", "destinationrules")
    }
    return rules(objects["virtualservices"], objects["destinationrules"], namespace)


def rules(services: Sequence[Object], destinations: Sequence[Object], namespace: str) -> Rules:
    """What VirtualServices and DestinationRules say of reviews in a namespace."""
    versions = {
        subset["name"]: subset.get("labels", {}).get("version", subset["name"])
        for rule in destinations
        if _is_about(rule["spec"]["host"], rule, namespace)
        for subset in rule["spec"].get("subsets", [])
    }
    default, users, unread = Rule({}), {}, 0
    for route in _routes(services, namespace):
        matches = route.get("match") or [{}]
        if matches == [{}]:
            default = _rule(route, versions)
            break
        if names := list(filter(None, map(_user, matches))):
            users.update({name: _rule(route, versions) for name in names if name not in users})
        else:
            unread += 1
    return Rules(default, users, unread)


def _routes(services: Sequence[Object], namespace: str) -> list[Object]:
    """The HTTP routes for callers inside the mesh, in their order."""
    for service in services:
        spec = service["spec"]
        inside = "mesh" in spec.get("gateways", ["mesh"])
        if inside and any(_is_about(host, service, namespace) for host in spec["hosts"]):
            found: list[Object] = spec.get("http", [])
            return found
    return []


def _is_about(host: str, owner: Object, namespace: str) -> bool:
    """Whether a host, as an object writes it, is the reviews that is meant."""
    full = host if "." in host else f"{host}.{owner['metadata']['namespace']}"
    return full == f"{SERVICE}.{namespace}" or full.startswith(f"{SERVICE}.{namespace}.svc")


def _user(match: Object) -> str | None:
    """The user, of a condition that asks for nothing else."""
    headers: Mapping[str, Mapping[str, str]] = match.get("headers", {})
    return headers["end-user"].get("exact") if set(match) == {"headers"} and set(headers) == {"end-user"} else None


def _rule(route: Object, versions: Mapping[str, str]) -> Rule:
    weights: Counter[str] = Counter()
    for target in route.get("route", []):
        subset = target["destination"].get("subset")
        if subset is None:
            return Rule({}, "fault" in route)
        weights[versions.get(subset, subset)] += target.get("weight", 0 if len(route["route"]) > 1 else 100)
    total = weights.total() or 1
    return Rule({version: weight / total for version, weight in weights.items()}, "fault" in route)
