"""The files that FILES names. `make analyze`, `map` and `report` read them alone or on top of a stack."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from commands.stackfiles import CommandError
from mesh import manifests, releases
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.suppression import Suppression
from mesh.apps import files
from mesh.core import errors
from mesh.core.names import DEFAULT_NAMES, MeshNames
from mesh.manifests import Manifest

STDIN: Final = "-"
"""Stands for standard input in FILES."""
_SEPARATOR: Final = re.compile(r"[\s,]+")


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The objects that a command analyzes, draws or reports on."""

    name: str
    """The stack's name, or the value of FILES."""
    objects: Sequence[Object]
    names: MeshNames
    assumed: Sequence[Object] = ()
    """Objects that are assumed to exist. They get no findings of their own."""
    suppress: Sequence[Suppression] = ()

    @property
    def mesh(self) -> Mesh:
        """The index of all objects."""
        return Mesh([*self.objects, *self.assumed], self.names)


def named() -> str:
    """The value of the variable FILES; empty if it is not set."""
    return os.environ.get("FILES", "").strip()


def alone(said: str, found: Sequence[Object]) -> Subject:
    """The objects of files without a stack. Raises CommandError."""
    names = replace(DEFAULT_NAMES, release=release())
    return Subject(name=said, objects=found, names=names, assumed=files.assumed(Mesh(found, names)))


def on_top(said: str, found: Sequence[Object], below: Subject) -> Subject:
    """The objects of a stack and of files. Those of files replace the stack's objects of the same name. Raises
    CommandError if RELEASE is set."""
    if os.environ.get("RELEASE"):
        raise CommandError(f"RELEASE is for files without a stack; stack {below.name} has Istio {below.names.release}")
    return replace(below, name=f"{said} on {below.name}", objects=files.on_top(below.objects, found))


def read(said: str) -> list[Manifest]:
    """The objects of files and folders, whose names are separated by spaces or commas; `-` is standard input. Raises
    CommandError if there are none, and ManifestError."""
    found: list[Manifest] = []
    for path in paths(said):
        if path == STDIN:
            found += manifests.parse(sys.stdin.read(), STDIN)
        else:
            found += manifests.read([path], Path.cwd(), outside=True)
    if not found:
        raise CommandError(f"FILES: {said} contains no object")
    return found


def paths(said: str) -> list[str]:
    """The names of files and folders in a value of FILES."""
    return [said] if Path(said).exists() else [path for path in _SEPARATOR.split(said) if path]


def release() -> str:
    """The release for files without a stack: RELEASE, or the newest one. Raises CommandError if RELEASE is unknown."""
    said = os.environ.get("RELEASE") or releases.NAMES[-1]
    if said not in releases.NAMES:
        raise CommandError(errors.invalid_choice("RELEASE", said, releases.NAMES))
    return said
