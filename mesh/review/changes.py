"""The objects of a stack before and after, and what changes between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from mesh.analysis.objects import Object, Ref
from mesh.core import kinds
from mesh.core.kinds import GroupKind
from mesh.core.names import WAIT_FOR
from mesh.review.fields import Field, differences

Op = Literal["create", "update", "replace", "delete"]
OPS: Final[tuple[Op, ...]] = ("delete", "replace", "update", "create")
"""What can become of an object, the gravest first."""

_FIXED: Final[Mapping[GroupKind, tuple[str, ...]]] = {
    **dict.fromkeys((kinds.DEPLOYMENT, kinds.DAEMON_SET), ("spec.selector",)),
    kinds.STATEFUL_SET: ("spec.selector", "spec.serviceName", "spec.volumeClaimTemplates", "spec.podManagementPolicy"),
    kinds.JOB: ("spec.selector", "spec.template", "spec.completions", "spec.parallelism"),
    kinds.SERVICE: ("spec.clusterIP",),
    kinds.PERSISTENT_VOLUME_CLAIM: ("spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName"),
    **dict.fromkeys((kinds.ROLE_BINDING, kinds.CLUSTER_ROLE_BINDING), ("roleRef",)),
    kinds.STORAGE_CLASS: ("parameters", "provisioner"),
    kinds.SECRET: ("type",),
}
"""Fields of which a change is a new object in place of the old one; needed where no engine says so."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """An object that a stack makes."""

    object: Object
    component: str
    """What makes it, such as `Gateway istio-ingressgateway`."""
    patch: bool = False
    """Whether only some fields of an object that others own are the stack's."""
    retained: bool = False
    """Whether it stays on the cluster when the stack lets go of it."""

    @property
    def key(self) -> tuple[bool, Ref]:
        return self.patch, self.object.ref


@dataclass(frozen=True, kw_only=True)
class Change:
    """What becomes of an object."""

    op: Op
    old: Object | None
    new: Object | None
    item: Item
    """The object as it is in the end, or was."""
    fields: Sequence[Field] = ()
    """What differs; nothing for an object that comes or goes."""

    @property
    def ref(self) -> Ref:
        return self.item.object.ref


@dataclass(frozen=True, kw_only=True)
class Told:
    """What an engine knows of a change and the objects do not show, by the objects' keys."""

    replaced: frozenset[tuple[bool, Ref]] = frozenset()
    secrets: Mapping[tuple[bool, Ref], Sequence[str]] = field(default_factory=dict)
    """Paths of values that nobody may see, and that are others than before."""


def between(old: Iterable[Item], new: Iterable[Item], told: Told | None = None) -> Sequence[Change]:
    """What changes from some objects to others; in a fixed order."""
    before, after = ({item.key: item for item in items} for items in (old, new))
    told = told or Told()
    found: list[Change] = []
    for key in sorted({*before, *after}, key=lambda key: (key[1], key[0])):
        was, now = before.get(key), after.get(key)
        if was and now:
            found.extend(_altered(was, now, told))
        elif now:
            found.append(Change(op="create", old=None, new=now.object, item=now))
        elif was:
            found.append(Change(op="delete", old=was.object, new=None, item=was))
    return found


def _altered(was: Item, now: Item, told: Told) -> Iterator[Change]:
    fields = [*_fields(was.object, now.object), *_hidden(told.secrets.get(now.key, ()))]
    replaced = now.key in told.replaced or any(_is_fixed(now.object.kind, one.path) for one in fields)
    if fields or replaced:
        op: Op = "replace" if replaced else "update"
        yield Change(op=op, old=was.object, new=now.object, item=now, fields=fields)


def _is_fixed(kind: GroupKind, path: str) -> bool:
    return any(path == fixed or path.startswith((f"{fixed}.", f"{fixed}[")) for fixed in _FIXED.get(kind, ()))


def _fields(old: Object, new: Object) -> Iterator[Field]:
    if new.kind == kinds.SECRET:
        yield from _of_secret(old.body, new.body)
    elif new.kind == kinds.CUSTOM_RESOURCE_DEFINITION:
        yield from _of_definition(old.body, new.body)
    else:
        yield from differences(old.body, new.body)
    if (WAIT_FOR in old.annotations) != (WAIT_FOR in new.annotations):
        note = "waited for" if WAIT_FOR in new.annotations else "no longer waited for"
        yield Field(path=f"metadata.annotations[{WAIT_FOR}]", note=note)


def _of_secret(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Field]:
    """The keys that come and go; values are told by their paths alone, elsewhere."""
    hidden = ("data", "stringData")
    for part in hidden:
        before, after = old.get(part) or {}, new.get(part) or {}
        for key in sorted({*before} ^ {*after}):
            yield Field(path=f"{part}.{key}", note="secret added" if key in after else "secret removed")
    was, now = ({key: value for key, value in body.items() if key not in hidden} for body in (old, new))
    yield from differences(was, now)


def _hidden(paths: Iterable[str]) -> Iterator[Field]:
    return (Field(path=path, note="secret changed") for path in paths)


def _of_definition(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Field]:
    """Without the fields of schemas, of which one change may have hundreds."""
    found = list(differences(old, new))
    schemas = [one for one in found if ".schema." in one.path or one.path.endswith(".schema")]
    yield from (one for one in found if one not in schemas)
    if schemas:
        added = sum(one.old is None for one in schemas)
        removed = sum(one.new is None for one in schemas)
        note = f"schema: {added} fields added, {removed} removed, {len(schemas) - added - removed} changed"
        yield Field(path="spec.versions", note=note)
