"""The changes between the objects of a stack before and after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Literal

from mesh.analysis.objects import Object, Ref, patched_by
from mesh.core import disclosure, kinds, secure
from mesh.core.disclosure import Disclosure
from mesh.core.kinds import GroupKind
from mesh.core.names import WAIT_FOR
from mesh.review.fields import Field, differences

Op = Literal["create", "update", "replace", "delete"]
OPS: Final[tuple[Op, ...]] = ("delete", "replace", "update", "create")
"""All operations on an object, the gravest first."""

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
"""Immutable fields by kind: a change replaces the object. Used without a preview by Pulumi's engine."""


@dataclass(frozen=True, kw_only=True)
class StackObject:
    """An object of a stack."""

    object: Object
    component: str
    """Type and name of the component that it belongs to, such as `Gateway istio-ingressgateway`."""
    patch: bool = False
    """Whether the stack sets only some fields of an object that it does not manage."""
    retained: bool = False
    """Whether it stays on the cluster when the stack deletes it (`retainOnDelete`)."""

    @property
    def key(self) -> tuple[bool, Ref]:
        """Identifies it among the objects of a stack."""
        return self.patch, self.object.ref


@dataclass(frozen=True, kw_only=True)
class Change:
    """An operation on one object, with the fields that differ."""

    op: Op
    old: Object | None
    new: Object | None
    item: StackObject
    """The object after the change, or before it if it is deleted."""
    fields: Sequence[Field] = ()
    """The fields that differ; empty for objects that are created or deleted."""

    @property
    def ref(self) -> Ref:
        return self.item.object.ref


@dataclass(frozen=True, kw_only=True)
class EngineFacts:
    """Facts about a change that only Pulumi's engine knows, by the keys of objects."""

    replaced: frozenset[tuple[bool, Ref]] = frozenset()
    """Objects that are deleted and created again."""
    secrets: Mapping[tuple[bool, Ref], Sequence[str]] = field(default_factory=dict)
    """Paths of the secret values that change."""


def between(
    old: Iterable[StackObject],
    new: Iterable[StackObject],
    facts: EngineFacts | None = None,
    shown: Disclosure = disclosure.DEFAULT,
) -> Sequence[Change]:
    """The changes from old to new objects, sorted by reference. `shown` decides which values they show."""
    before, after = ({item.key: item for item in items} for items in (old, new))
    facts = facts or EngineFacts()
    found: list[Change] = []
    for key in sorted({*before, *after}, key=lambda key: (key[1], key[0])):
        was, now = before.get(key), after.get(key)
        if was and now:
            found.extend(_altered(was, now, facts, shown))
        elif now:
            found.append(Change(op="create", old=None, new=now.object, item=now))
        elif was:
            found.append(Change(op="delete", old=was.object, new=None, item=was))
    return found


def _altered(was: StackObject, now: StackObject, facts: EngineFacts, shown: Disclosure) -> Iterator[Change]:
    fields = list(_fields(was.object, now.object, shown))
    fields += _hidden(now.object, facts.secrets.get(now.key, ()), seen=bool(fields))
    replaced = now.key in facts.replaced or any(_is_fixed(now.object.kind, one.path) for one in fields)
    if fields or replaced:
        op: Op = "replace" if replaced else "update"
        yield Change(op=op, old=was.object, new=now.object, item=now, fields=fields)


def _is_fixed(kind: GroupKind, path: str) -> bool:
    return any(path == fixed or path.startswith((f"{fixed}.", f"{fixed}[")) for fixed in _FIXED.get(kind, ()))


def _fields(old: Object, new: Object, shown: Disclosure) -> Iterator[Field]:
    if new.kind == kinds.SECRET:
        yield from _of_secret(old.body, new.body, shown)
    elif new.kind == kinds.CUSTOM_RESOURCE_DEFINITION:
        yield from _of_definition(old.body, new.body, shown)
    else:
        yield from differences(old.body, new.body, shown, partial(patched_by, new.patched))
    if (WAIT_FOR in old.annotations) != (WAIT_FOR in new.annotations):
        note = "waited for" if WAIT_FOR in new.annotations else "no longer waited for"
        yield Field(path=f"metadata.annotations[{WAIT_FOR}]", note=note)


def _of_secret(old: Mapping[str, Any], new: Mapping[str, Any], shown: Disclosure) -> Iterator[Field]:
    """The keys that are added or removed. Changed values come from the engine, and only with their paths."""
    hidden = ("data", "stringData")
    for part in hidden:
        before, after = old.get(part) or {}, new.get(part) or {}
        for key in sorted({*before} ^ {*after}):
            yield Field(path=f"{part}.{key}", note="secret added" if key in after else "secret removed")
    was, now = ({key: value for key, value in body.items() if key not in hidden} for body in (old, new))
    yield from differences(was, now, shown)


def _hidden(obj: Object, paths: Iterable[str], seen: bool) -> Iterator[Field]:
    """The paths at which the engine reports a changed secret, or a changed text or list that contains one.

    If other changes are `seen`, they may be all that has changed in such a text or list. Only values that the config
    encrypts are compared, by their digests.
    """
    note = "secret changed"
    if seen and obj.kind != kinds.SECRET:
        if not secure.has_unnamed(obj.body):
            return
        note = "secrets in it are not compared"
    yield from (Field(path=path, note=note) for path in paths)


def _of_definition(old: Mapping[str, Any], new: Mapping[str, Any], shown: Disclosure) -> Iterator[Field]:
    """The changed fields of a CRD. Fields of schemas, which may be hundreds, are one line with counts."""
    found = list(differences(old, new, shown))
    schemas = [one for one in found if ".schema." in one.path or one.path.endswith(".schema")]
    yield from (one for one in found if one not in schemas)
    if schemas:
        added = sum(one.old is None for one in schemas)
        removed = sum(one.new is None for one in schemas)
        note = f"schema: {added} fields added, {removed} removed, {len(schemas) - added - removed} changed"
        yield Field(path="spec.versions", note=note)
