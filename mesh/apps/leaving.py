"""Subsets that go away: the routes that led to them change first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Set
from typing import Any

from mesh.analysis import virtual_services
from mesh.analysis.objects import Object, Ref
from mesh.apps.hosts import service_of
from mesh.core import kinds

Objects = Mapping[Ref, Mapping[str, Any]]


def routes_first(objects: Objects, standing: Objects) -> Iterator[tuple[Ref, Ref]]:
    """The DestinationRules that lose subsets, each with the VirtualServices that have led to one of these.

    A VirtualService that now leads to a subset which the rule did not have before is left out: it needs the rule."""
    going = {
        ref: gone
        for ref, body in objects.items()
        if ref.kind == kinds.DESTINATION_RULE and ref in standing
        if (gone := _subsets(standing[ref]) - _subsets(body))
    }
    led: dict[tuple[Ref, str], list[Ref]] = defaultdict(list)
    for ref in objects if going else ():
        if ref.kind == kinds.VIRTUAL_SERVICE and ref in standing:
            for receiver in dict.fromkeys(_receivers(ref, standing[ref])):
                led[receiver].append(ref)
    for rule, gone in going.items():
        before = _subsets(standing[rule])
        for route in dict.fromkeys(route for one in sorted(gone) for route in led[one]):
            services = {service for service, _ in before}
            if {one for one in _receivers(route, objects[route]) if one[0] in services} <= before:
                yield rule, route


def _subsets(rule: Mapping[str, Any]) -> Set[tuple[Ref, str]]:
    """The service and the name of each subset of a DestinationRule."""
    obj = Object.read(rule)
    service = service_of(str(obj.spec.get("host", "")), obj.namespace)
    return {(service, str(subset.get("name", ""))) for subset in obj.items("subsets")}


def _receivers(ref: Ref, route: Mapping[str, Any]) -> Iterator[tuple[Ref, str]]:
    """The subsets that a VirtualService leads to, each with its service."""
    for receiver in virtual_services.destinations(Object.read(route)):
        if receiver.subset:
            yield service_of(receiver.host, ref.namespace), receiver.subset
