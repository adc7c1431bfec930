"""What is reviewed: the mesh before and after, and the changes between them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.core import kinds
from mesh.core.kinds import GroupKind
from mesh.core.names import DEFAULT_DOMAIN, INJECTOR, MeshNames
from mesh.review.changes import Change, Item, Told, between


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A change as a whole."""

    old: Mesh
    new: Mesh
    changes: Sequence[Change]
    unchanged: int
    """How many objects stay as they are."""

    @classmethod
    def read(cls, old: Iterable[Item], new: Iterable[Item], names: MeshNames, told: Told | None = None) -> Self:
        """The change from some objects to others. The names are those of the new ones' settings."""
        old, new = list(old), list(new)
        changes = between(old, new, told)
        there = len(new) - sum(change.op != "delete" for change in changes)
        before, after = (sorted((one.object for one in items), key=lambda thing: thing.ref) for items in (old, new))
        return cls(old=Mesh(before, _names(before, names)), new=Mesh(after, names), changes=changes, unchanged=there)

    @property
    def first(self) -> bool:
        """Whether there was nothing before."""
        return not self.old.places

    def of(self, *wanted: GroupKind) -> Iterator[Change]:
        """The changes of objects of some kinds, as far as the whole object is the stack's own."""
        return (change for change in self.changes if change.ref.kind in wanted and not change.item.patch)


def _names(objects: Iterable[Object], otherwise: MeshNames) -> MeshNames:
    """The names in the settings from which some objects were made, which their injector has among its values;
    `otherwise` if there is no injector that tells."""
    for thing in objects:
        if thing.kind == kinds.CONFIG_MAP and thing.name.startswith(INJECTOR):
            try:
                values = json.loads((thing.body.get("data") or {}).get("values") or "")
                return MeshNames(
                    root=thing.namespace, domain=values["global"]["proxy"].get("clusterDomain") or DEFAULT_DOMAIN
                )
            except (ValueError, KeyError, TypeError, AttributeError):
                continue  # somebody has written something else into it
    return otherwise
