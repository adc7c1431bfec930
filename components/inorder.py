"""Registers objects in the order of their dependencies, even if they belong to different components."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pulumi

from mesh.analysis.objects import Ref
from mesh.config import order
from mesh.config.stack import Stack

Maker = Callable[[Sequence[pulumi.Resource]], pulumi.Resource]
"""Registers an object after the resources that it needs."""


class InOrder:
    """The objects of a stack's apps, `mesh:traffic` and `mesh:security`, which depend on each other."""

    def __init__(self, stack: Stack, standing: Mapping[Ref, Mapping[str, Any]]) -> None:
        """`standing`: the stack's objects after its last update."""
        self._needs = order.needs(stack, standing)
        self._parents: list[pulumi.ComponentResource] = []
        self._makers: dict[Ref, list[Maker]] = defaultdict(list)

    def parent(self, component: pulumi.ComponentResource) -> None:
        """Adds a component, which is complete when all objects are registered."""
        self._parents.append(component)

    def add(self, ref: Ref, make: Maker) -> None:
        """Adds an object."""
        self._makers[ref].append(make)

    def register(self) -> None:
        """Registers the objects."""
        made: dict[Ref, pulumi.Resource] = {}
        for ref in self._needs.in_order():
            needed = [made[one] for one in self._needs.of(ref)]
            for make in self._makers[ref]:
                made[ref] = make(needed)
        for component in self._parents:
            component.register_outputs({})
