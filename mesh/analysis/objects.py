"""The objects of a stack as data, and what they are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from mesh.core.kinds import GroupKind


class Ref(NamedTuple):
    """Which object, in whatever version of its API it is written."""

    kind: GroupKind
    namespace: str
    """Empty for what belongs to no namespace."""
    name: str

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Self:
        """The reference to the object of a manifest with `apiVersion`, `kind` and `metadata.name`."""
        meta = manifest.get("metadata") or {}
        return cls(GroupKind.of(manifest), meta.get("namespace") or "", meta["name"])

    def __str__(self) -> str:
        place = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {place}{self.name}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Object:
    """One object, read from its manifest."""

    ref: Ref
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    body: Mapping[str, Any]
    """The whole manifest."""
    origin: str = ""
    """Key of the stack's config from which it comes, such as `mesh:bookinfo`; empty if that is not known."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Parts of the spec, such as `http[0]`, and the key below `origin` from which each comes."""

    @classmethod
    def read(cls, manifest: Mapping[str, Any], origin: str = "") -> Self:
        """The object of a manifest with `apiVersion`, `kind` and `metadata.name`."""
        meta = manifest.get("metadata") or {}
        return cls(
            ref=Ref.of(manifest),
            labels=meta.get("labels") or {},
            annotations=meta.get("annotations") or {},
            body=manifest,
            origin=origin,
        )

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
        """Key of the stack's config from which the part at a path of the spec comes, as far as that is known."""
        around = [part for part in self.keys if path == part or path.startswith((f"{part}.", f"{part}["))]
        return ".".join(filter(None, (self.origin, self.keys[max(around, key=len)] if around else "")))

    def items(self, name: str) -> Sequence[Any]:
        """A list of the spec; empty if it is not there."""
        found: Sequence[Any] = self.spec.get(name) or ()
        return found
