"""Kubernetes objects as plain data, and references to them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, Self

from mesh.analysis import reading
from mesh.core.kinds import GroupKind

Writes = tuple[tuple[tuple[frozenset[str], ...], str], ...]
"""Paths in an object that patches have written, each with the key of the patch. A step of a path is a key of a mapping,
or all names of a list item: `[index]` and `[name]`."""
_STEP = re.compile(r"\[[^\]]*\]|[^.\[\]]+")


class Ref(NamedTuple):
    """Identifies an object by group, kind, namespace and name. The version of its API does not count."""

    kind: GroupKind
    namespace: str
    """Empty for cluster-scoped objects."""
    name: str

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Self:
        """The reference to a manifest's object. Raises KeyError if it has no `metadata.name`."""
        meta = manifest.get("metadata") or {}
        namespace = meta.get("namespace")
        return cls(GroupKind.of(manifest), namespace if isinstance(namespace, str) else "", meta["name"])

    def __str__(self) -> str:
        place = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {place}{self.name}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Object:
    """An object, read from its manifest."""

    ref: Ref
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    body: Mapping[str, Any]
    """The whole manifest."""
    origin: str = ""
    """The config key that the object comes from, such as `mesh:bookinfo`; empty if unknown."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """For paths in the spec, such as `http[0]`, the key below `origin` that they come from."""
    written: Callable[[str], str] | None = field(default=None, repr=False)
    """Returns where the field at a path is written, for an object without `origin`: its file and line, or that it is
    on a cluster."""
    patched: Writes = field(default=(), repr=False)
    """What patches have written (`mesh:patches`)."""

    @classmethod
    def read(cls, manifest: Mapping[str, Any], origin: str = "") -> Self:
        """Reads a manifest. Raises KeyError if it has no `metadata.name`."""
        meta = manifest.get("metadata") or {}
        return cls(
            ref=Ref.of(manifest),
            labels=_texts(meta.get("labels")),
            annotations=_texts(meta.get("annotations")),
            body=manifest,
            origin=origin,
        )

    @cached_property
    def form(self) -> reading.Read:
        """The object as far as it can be read, with what is wrong with it."""
        return reading.read(self.kind, self.body)

    @property
    def kind(self) -> GroupKind:
        return self.ref.kind

    @property
    def namespace(self) -> str:
        return self.ref.namespace

    @property
    def name(self) -> str:
        return self.ref.name

    @property
    def spec(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.body.get("spec") or {}
        return found

    def source(self, path: str) -> str:
        """The config key that the field at a path of the spec comes from, or else where it is written; empty if
        unknown."""
        if key := self._patch_at(path):
            return key
        if self.written:
            return self.written(path)
        around = [part for part in self.keys if path == part or path.startswith((f"{part}.", f"{part}["))]
        return ".".join(filter(None, (self.origin, self.keys[max(around, key=len)] if around else "")))

    def _patch_at(self, path: str) -> str:
        """The key of the patch that has written a field, or a field above it; empty if none has. The path is one in the
        spec or in the object."""
        steps = tuple(_STEP.findall(path))
        ways = (patched_by(self.patched, whole) for whole in (("spec", *steps), steps)) if self.patched else ()
        return next(filter(None, ways), "")

    def is_written(self, path: str) -> bool:
        """Whether a user writes the field at a path: in a manifest, or under a config key of its own."""
        return not self.origin or self.source(path) != self.origin

    def items(self, name: str) -> Sequence[Any]:
        """The list in a field of the spec; empty if the field is not set."""
        found: Sequence[Any] = self.spec.get(name) or ()
        return found


def patched_by(writes: Writes, steps: Sequence[str], value: Any = None) -> str:
    """The key of the patch that has written the field at a path, or a field above it, or all parts of its `value`;
    empty if none has."""
    for written, key in writes:
        if len(written) <= len(steps) and all(step in names for step, names in zip(steps, written, strict=False)):
            return key
    if not isinstance(value, Mapping) or not value:
        return ""
    inner = dict.fromkeys(patched_by(writes, (*steps, name), item) for name, item in value.items())
    return "" if "" in inner else " and ".join(inner)


def _texts(labels: Any) -> Mapping[str, str]:
    """Labels or annotations; empty if they are malformed."""
    return labels if isinstance(labels, dict) and all(isinstance(one, str) for one in labels.values()) else {}


def entries(objects: Iterable[Object]) -> str:
    """The config keys that the objects come from, `mesh:… and mesh:…`; empty if one of them comes from none."""
    origins = sorted({obj.origin for obj in objects})
    return " and ".join(origins) if all(origins) else ""
