"""What is reviewed: the mesh before and after, and the changes between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from mesh.analysis.mesh import Mesh
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
    def read(cls, old: Iterable[Item], new: Iterable[Item], told: Told | None = None) -> Self:
        """The change from some objects to others."""
        old, new = list(old), list(new)
        changes = between(old, new, told)
        there = len(new) - sum(change.op != "delete" for change in changes)
        before, after = (
            Mesh(sorted((one.object for one in items), key=lambda thing: thing.ref)) for items in (old, new)
        )
        return cls(old=before, new=after, changes=changes, unchanged=there)

    @property
    def first(self) -> bool:
        """Whether there was nothing before."""
        return not self.old.places

    def of(self, *kinds: str) -> Iterator[Change]:
        """The changes of objects of some kinds that are the stack's own."""
        return (change for change in self.changes if change.ref.kind in kinds and not change.item.patch)
