"""Checks settings that undo each other, or that the proxies on the way of a request do not read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mesh.analysis import codes, hosts, virtual_services
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.virtual_services import MESH
from mesh.core import kinds

_ACTIONS: Final = ("fault", "timeout", "retries", "mirror", "rewrite", "headers", "corsPolicy", "redirect")
"""Fields of a route that do more to requests than forward them."""
_BOOKINFO: Final = "mesh:bookinfo"
"""The key of Bookinfo's own VirtualService, whose routes a stack cannot change."""


def affinity(mesh: Mesh) -> Iterator[Finding]:
    """Routes with weights lead to hosts without session affinity, which only holds within one destination."""
    hashed: dict[str, Object] = {}
    for rule in mesh.of(kinds.DESTINATION_RULE):
        policies = [rule.spec, *rule.items("subsets")]
        if any(_balancing(policy.get("trafficPolicy") or {}).get("consistentHash") for policy in policies):
            hashed.setdefault(mesh.full_host(rule.spec.get("host", ""), rule.namespace), rule)
    for vs in mesh.of(kinds.VIRTUAL_SERVICE) if hashed else ():
        for i, route in enumerate(virtual_services.routes(vs)):
            shares = [(part, share) for part, share in virtual_services.weighted_destinations(route) if share]
            found = [hosts.most_specific(mesh.full_host(part["host"], vs.namespace), hashed) for part, _ in shares]
            first = next(filter(None, found), None)
            if first and len(shares) > 1:
                drawn = ", ".join(f"{part.get('subset') or part['host']} {share:.0%}" for part, share in shares)
                text = (
                    f"the affinity of {first.ref} does not keep a client at one version: each request draws anew"
                    f" ({drawn}); send some clients to one version with a match on a header or cookie"
                )
                yield codes.AFFINITY_ACROSS_VERSIONS.at(vs, f"http[{i}].route", text)


def _balancing(policy: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = policy.get("loadBalancer") or {}
    return found


def passthrough(mesh: Mesh) -> Iterator[Finding]:
    """Routes name subsets only of hosts whose endpoints the proxy chooses."""
    untold = {
        mesh.full_host(rule.spec.get("host", ""), rule.namespace): rule
        for rule in mesh.of(kinds.DESTINATION_RULE)
        if _balancing(rule.spec.get("trafficPolicy") or {}).get("simple") == "PASSTHROUGH"
    }
    for vs in mesh.of(kinds.VIRTUAL_SERVICE) if untold else ():
        for destination in virtual_services.destinations(vs):
            rule = hosts.most_specific(mesh.full_host(destination.host, vs.namespace), untold)
            if rule and destination.subset:
                text = (
                    f"PASSTHROUGH of {rule.ref} sends requests to their original address,"
                    f" not to {destination.subset}: use another load balancing"
                )
                yield codes.SUBSET_NOT_BALANCED.at(vs, f"{destination.path}.subset", text)


def skipped_at_ingress(mesh: Mesh) -> Iterator[Finding]:
    """Gateways that route to a host do to requests what the host's VirtualService for sidecars does."""
    acting = {
        host: [vs for vs in several if _actions(vs)] for host, several in virtual_services.of_sidecars(mesh).items()
    }
    for other in mesh.of(kinds.VIRTUAL_SERVICE):
        seen: set[str] = set()
        for destination in virtual_services.destinations(other) if _is_for_gateways(other) else ():
            host, place = mesh.full_host(destination.host, other.namespace), destination.path.partition(".")[0]
            for vs in acting.get(host, ()) if destination.path.startswith("http") and not destination.mirror else ():
                there = other.items("http")[int(place[5:-1])]
                missing = {name: path for name, path in _actions(vs).items() if name not in _fields(there)}
                if vs is not other and missing and host not in seen:
                    seen.add(host)
                    one = len(missing) == 1
                    text = (
                        f"{other.ref} routes from the gateway to {destination.host} and bypasses this:"
                        f" {', '.join(missing)} {'does' if one else 'do'} nothing to requests from outside;"
                        f" {_way(other, place, one)}"
                    )
                    yield codes.SKIPPED_AT_INGRESS.at(vs, next(iter(missing.values())), text)


def _is_for_gateways(vs: Object) -> bool:
    return bool(vs.items("gateways")) and MESH not in vs.items("gateways")


def _actions(vs: Object) -> Mapping[str, str]:
    """The actions of the routes of a VirtualService, each with the path of its first use."""
    found: dict[str, str] = {}
    for i, route in enumerate(virtual_services.routes(vs)):
        for name, field in _fields(route).items():
            found.setdefault(name, f"http[{i}].{field}")
    return {name: found[name] for name in _ACTIONS if name in found}


def _fields(route: Mapping[str, Any]) -> Mapping[str, str]:
    """The actions of a route, each with the field that sets it."""
    found = {name: name for name in _ACTIONS if route.get(name)}
    return {"mirror": "mirrors", **found} if route.get("mirrors") else found


def _way(other: Object, place: str, one: bool) -> str:
    """The remedy: where to set, for the gateway, what its VirtualService lacks."""
    what = "it" if one else "them"
    if other.origin.startswith(_BOOKINFO):
        return f"replace that with an entry of mesh:traffic.hosts that sets {what} (and {_BOOKINFO}.gateway: false)"
    return f"set {what} in {other.source(place) or f'{place} there'}, too"


RULES: Final = (affinity, passthrough, skipped_at_ingress)
