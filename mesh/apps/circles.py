"""Needs in a circle: one of them is left out."""

from __future__ import annotations

from collections.abc import MutableMapping
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Final

from mesh.analysis.objects import Ref
from mesh.core import kinds

_LED_TO: Final = (kinds.DESTINATION_RULE, kinds.SERVICE_ENTRY)


def open_up(needs: MutableMapping[Ref, list[Ref]]) -> None:
    """Removes the weakest need of each circle. `needs`: the objects that each object needs."""
    while True:
        try:
            TopologicalSorter(needs).prepare()
        except CycleError as error:
            needed, ref = min(pairwise(error.args[1]), key=lambda pair: _strength(*pair))
            needs[ref].remove(needed)
        else:
            return


def _strength(needed: Ref, ref: Ref) -> int:
    """How bad it is if an object comes before one that it needs: the API server refuses it, pods do not start,
    requests fail for a moment, or nothing but the order is lost."""
    if needed.kind == kinds.CUSTOM_RESOURCE_DEFINITION:
        return 3
    if not ref.kind.group.endswith(".istio.io"):
        return 2
    return 1 if ref.kind == kinds.DESTINATION_RULE or needed.kind in _LED_TO else 0
