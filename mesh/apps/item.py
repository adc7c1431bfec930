"""An object of an app."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from mesh.analysis.objects import Ref
from mesh.apps import plain
from mesh.apps.order import Stage, stage
from mesh.manifests import Manifest

OBJECTS: Final = ""
"""What `mesh:objects` is called among the apps, whose own names are not empty."""


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
    """Paths of the fields that another controller sets once the object stands, see `mesh.apps.fields`."""

    @cached_property
    def ref(self) -> Ref:
        return Ref.of(self.body)

    @property
    def key(self) -> str:
        """The key of the config that the object comes from: its own if it stands in there."""
        if self.app != OBJECTS:
            return f"mesh:apps.{self.app}"
        return plain.KEY if self.source.node else self.source.file

    @property
    def stage(self) -> Stage:
        return stage(self.ref.kind)
