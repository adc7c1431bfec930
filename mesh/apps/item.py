"""An object of an app."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from mesh.analysis.objects import Ref
from mesh.apps import plain
from mesh.apps.order import Stage, stage
from mesh.manifests import Manifest

OBJECTS: Final = ""
"""The name of `mesh:objects` among the apps, whose own names are not empty."""


def place(manifest: Manifest, path: str) -> str:
    """The file and line of a field that a finding is about."""
    return manifest.place(path_of(manifest, path))


def path_of(manifest: Manifest, path: str) -> str:
    """The path in the object of a field that a finding is about. Paths of findings are those in the spec, or else in
    the object."""
    spec, name = manifest.body.get("spec"), path.partition(".")[0].partition("[")[0]
    return f"spec.{path}" if isinstance(spec, Mapping) and name in spec else path


def twice(found: Iterable[tuple[Ref, Manifest]], remedy: str) -> Iterator[str]:
    """The problem of each object that has the same group, kind, namespace and name as an earlier one."""
    first: dict[Ref, Manifest] = {}
    for ref, manifest in found:
        other = first.setdefault(ref, manifest)
        if other is not manifest:
            yield f"{manifest.place()}: {ref} is also in {other.place()}: {remedy}"


@dataclass(frozen=True, kw_only=True, eq=False)
class AppObject:
    """An object of an app."""

    app: str
    """The app's name; that of `mesh:objects` is `OBJECTS`."""
    body: Mapping[str, Any]
    """The object as it is created."""
    source: Manifest
    """The object as it is written."""
    others: Sequence[str] = ()
    """Paths of the fields that another controller sets once the object exists, see `mesh.apps.fields`."""

    @cached_property
    def ref(self) -> Ref:
        return Ref.of(self.body)

    @property
    def key(self) -> str:
        """The key of the config that the object comes from: a key of its own if the config contains the object."""
        if self.app != OBJECTS:
            return f"mesh:apps.{self.app}"
        return plain.KEY if self.in_file else self.source.file

    @property
    def in_file(self) -> bool:
        """Whether it is written in a file, and not in the config."""
        return not self.source.file.startswith(plain.KEY)

    @property
    def stage(self) -> Stage:
        return stage(self.ref.kind)
