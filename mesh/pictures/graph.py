"""The picture of a stack's components: what each creates, and their dependencies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mesh.pictures.model import Arrow, Box, Picture


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource of a Pulumi program."""

    urn: str
    parent: str
    """URN of the parent; empty if it has none."""
    type: str
    """Pulumi's type token, such as `mesh:istio:Base`."""
    name: str
    depends_on: frozenset[str]
    """URNs of the resources that it depends on."""


def of(resources: Sequence[Resource], title: str) -> Picture:
    """The picture of the components, from left to right: each is to the right of its dependencies."""
    by_urn = {resource.urn: resource for resource in resources}
    components = {resource.urn: resource for resource in resources if resource.type.startswith("mesh:")}
    after = _after(resources, by_urn, components)
    placed = columns(after)
    children: dict[str, list[Resource]] = {}
    for resource in resources:
        children.setdefault(resource.parent, []).append(resource)
    boxes = [
        Box(id=urn, column=placed[urn], lines=(resource.name, *_counts(children.get(urn, ()))))
        for urn, resource in components.items()
    ]
    arrows = [Arrow(source=before, target=urn) for urn, some in _reduced(after).items() for before in sorted(some)]
    heads = ["first", *("then" for _ in range(max(placed.values(), default=0)))]
    return Picture(title=title, columns=heads, boxes=boxes, arrows=arrows)


def _after(
    resources: Iterable[Resource], by_urn: Mapping[str, Resource], components: Mapping[str, Resource]
) -> Mapping[str, frozenset[str]]:
    """For each component, the other components on which it or a resource in it depends."""

    def component(urn: str) -> str:
        while urn and urn not in components:
            urn = by_urn[urn].parent if urn in by_urn else ""
        return urn

    found: dict[str, set[str]] = {urn: set() for urn in components}
    for resource in resources:
        own = component(resource.urn)
        if own:
            found[own] |= {component(urn) for urn in resource.depends_on} - {own, ""}
    return {urn: frozenset(some) for urn, some in found.items()}


def columns(after: Mapping[str, frozenset[str]]) -> dict[str, int]:
    """The column of each key of `after`, from 0 on: right of all keys that it comes after. A cycle is cut where it
    closes."""
    found: dict[str, int] = {}
    for key in after:
        _column(key, after, found, ())
    return found


def _column(urn: str, after: Mapping[str, frozenset[str]], known: dict[str, int], way: tuple[str, ...]) -> int:
    if urn not in known:
        before = [_column(other, after, known, (*way, urn)) for other in sorted(after[urn]) if other not in way]
        known[urn] = max(before, default=-1) + 1
    return known[urn]


def _reduced(after: Mapping[str, frozenset[str]]) -> Mapping[str, frozenset[str]]:
    """The dependencies without those that follow from others (transitive reduction)."""

    def reach(urn: str, seen: set[str]) -> set[str]:
        for other in after[urn] - seen:
            seen.add(other)
            reach(other, seen)
        return seen

    far = {urn: reach(urn, set()) for urn in after}
    return {urn: frozenset(o for o in some if not any(o in far[x] for x in some - {o})) for urn, some in after.items()}


def _counts(children: Sequence[Resource]) -> Sequence[str]:
    """The kinds of objects that a component creates, with their numbers: `3 Service`."""
    kinds = Counter(child.type.rpartition(":")[2] for child in children if not child.type.startswith("mesh:"))
    return [f"{count} {kind}" for kind, count in sorted(kinds.items())]
