"""The graph of a program: its components with what they make, and which waits for which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mesh.pictures.model import Arrow, Box, Picture


@dataclass(frozen=True, kw_only=True)
class Part:
    """A resource of the program."""

    urn: str
    parent: str
    """URN; empty for none."""
    kind: str
    """Pulumi's type token."""
    name: str
    after: frozenset[str]
    """URNs of what is made before it."""


def of(parts: Sequence[Part], title: str) -> Picture:
    """The components from left to right, in the order in which they can be made."""
    by_urn = {part.urn: part for part in parts}
    components = {part.urn: part for part in parts if part.kind.startswith("mesh:")}
    after = _after(parts, by_urn, components)
    columns: dict[str, int] = {}
    for urn in components:
        _column(urn, after, columns, ())
    children: dict[str, list[Part]] = {}
    for part in parts:
        children.setdefault(part.parent, []).append(part)
    boxes = [
        Box(id=urn, column=columns[urn], lines=(part.name, *_counts(children.get(urn, ()))))
        for urn, part in components.items()
    ]
    arrows = [Arrow(source=before, target=urn) for urn, some in _reduced(after).items() for before in sorted(some)]
    heads = ["first", *("then" for _ in range(max(columns.values(), default=0)))]
    return Picture(title=title, columns=heads, boxes=boxes, arrows=arrows)


def _after(
    parts: Iterable[Part], by_urn: Mapping[str, Part], components: Mapping[str, Part]
) -> Mapping[str, frozenset[str]]:
    """For each component, those that some resource of it waits for."""

    def component(urn: str) -> str:
        while urn and urn not in components:
            urn = by_urn[urn].parent if urn in by_urn else ""
        return urn

    found: dict[str, set[str]] = {urn: set() for urn in components}
    for part in parts:
        own = component(part.urn)
        if own:
            found[own] |= {component(urn) for urn in part.after} - {own, ""}
    return {urn: frozenset(some) for urn, some in found.items()}


def _column(urn: str, after: Mapping[str, frozenset[str]], known: dict[str, int], way: tuple[str, ...]) -> int:
    """One more than that of the last component that it waits for; a circle is cut where it closes."""
    if urn not in known:
        before = [_column(other, after, known, (*way, urn)) for other in sorted(after[urn]) if other not in way]
        known[urn] = max(before, default=-1) + 1
    return known[urn]


def _reduced(after: Mapping[str, frozenset[str]]) -> Mapping[str, frozenset[str]]:
    """Without what follows from other waits."""

    def reach(urn: str, seen: set[str]) -> set[str]:
        for other in after[urn] - seen:
            seen.add(other)
            reach(other, seen)
        return seen

    far = {urn: reach(urn, set()) for urn in after}
    return {urn: frozenset(o for o in some if not any(o in far[x] for x in some - {o})) for urn, some in after.items()}


def _counts(children: Sequence[Part]) -> Sequence[str]:
    """What a component makes: `3 Service`."""
    kinds = Counter(child.kind.rpartition(":")[2] for child in children if not child.kind.startswith("mesh:"))
    return [f"{count} {kind}" for kind, count in sorted(kinds.items())]
