"""The subject of a review: the mesh before and after, and the changes between them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

from mesh import releases
from mesh.analysis.mesh import Mesh, without_credentials, without_nulls
from mesh.analysis.objects import Object
from mesh.core import disclosure, kinds
from mesh.core.disclosure import Disclosure
from mesh.core.kinds import GroupKind
from mesh.core.names import DEFAULT_DOMAIN, INJECTOR, MESH_CONFIG, MeshNames
from mesh.releases.release import Release
from mesh.requests.comparison import Comparison, compare
from mesh.review import injection
from mesh.review.changes import Change, EngineFacts, StackObject, between


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The whole change of a stack, in which risks are searched."""

    old: Mesh
    new: Mesh
    changes: Sequence[Change]
    unchanged: int
    """The number of objects that do not change."""
    release: Release
    """The release of Istio that injects sidecars."""
    refused: tuple[Sequence[Object], Sequence[Object]] = ((), ())
    """Old and new objects that are left out of meshes and changes, because the types refuse them, or the same object on
    the other side."""

    @classmethod
    def read(
        cls,
        old: Iterable[StackObject],
        new: Iterable[StackObject],
        names: MeshNames,
        facts: EngineFacts | None = None,
        release: str = releases.DEFAULT,
        shown: Disclosure = disclosure.DEFAULT,
        assumed: Sequence[Object] = (),
    ) -> Self:
        """Compares old and new objects. `names` and `release` are those of the new settings; `shown` decides which
        values the changes show; `assumed` are objects that count as present on both sides unless a side has its own."""
        old, new, refused = _comparable(list(old), list(new))
        changes = [_without_credentials(change) for change in between(old, new, facts, shown)]
        there = len(new) - sum(change.op != "delete" for change in changes)
        before, after = (_ordered(items, assumed) for items in (old, new))
        meshes = Mesh(before, _names(before, names)), Mesh(after, names)
        return cls(
            old=meshes[0],
            new=meshes[1],
            changes=changes,
            unchanged=there,
            release=releases.get(release),
            refused=refused,
        )

    @cached_property
    def requests(self) -> Comparison:
        """The answers of both meshes to the same requests."""
        return compare(self.old, self.new)

    @property
    def is_new(self) -> bool:
        """Whether the stack is new: it had no objects before."""
        return not self.old.known_namespaces

    def of(self, *wanted: GroupKind) -> Iterator[Change]:
        """The changes of objects of these kinds, without objects in which the stack sets only some fields."""
        return (change for change in self.changes if change.ref.kind in wanted and not change.item.patch)


def _ordered(items: Iterable[StackObject], assumed: Iterable[Object]) -> list[Object]:
    """The objects of one side, and those that are assumed to be there."""
    own = [one.object for one in items]
    said = {obj.ref for obj in own}
    more = [obj for obj in assumed if obj.ref not in said] if own else []
    return sorted([*own, *more], key=lambda obj: obj.ref)


def _comparable(
    old: Sequence[StackObject], new: Sequence[StackObject]
) -> tuple[list[StackObject], list[StackObject], tuple[Sequence[Object], Sequence[Object]]]:
    """The objects that can be compared, and those that cannot because the types refuse one of their sides."""
    broken = {one.key for one in (*old, *new) if one.object.form.refused}
    before, after = (
        [replace(one, object=without_nulls(one.object)) for one in items if one.key not in broken]
        for items in (old, new)
    )
    left_out = [one.object for one in old if one.key in broken], [one.object for one in new if one.key in broken]
    return before, after, left_out


def _without_credentials(change: Change) -> Change:
    before, after = (side and without_credentials(side) for side in (change.old, change.new))
    return replace(change, old=before, new=after)


def _names(objects: Iterable[Object], otherwise: MeshNames) -> MeshNames:
    """The names that the objects were made with, from the ConfigMap of their sidecar injector.

    Returns `otherwise` if there is no injector, or if its values cannot be read.
    """
    maps = {(obj.namespace, obj.name): obj for obj in objects if obj.kind == kinds.CONFIG_MAP}
    for (namespace, name), obj in maps.items():
        if name.startswith(INJECTOR):
            try:
                values = json.loads((obj.body.get("data") or {}).get("values") or "")
                config = injection.mesh_config(maps.get((namespace, name.replace(INJECTOR, MESH_CONFIG))))
                return MeshNames(
                    root=config.get("rootNamespace") or namespace,
                    home=namespace,
                    domain=values["global"]["proxy"].get("clusterDomain") or DEFAULT_DOMAIN,
                )
            except (ValueError, KeyError, TypeError, AttributeError):
                continue  # the content is not of the usual form
    return otherwise
