"""A policy: something that is asked of a stack to be safe, where analysis says what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from mesh.analysis.findings import Code, Finding, Severity
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.releases.release import Release

Level = Literal["advisory", "mandatory", "disabled"]
"""What follows from a finding, as Pulumi calls it: a warning, an error, or nothing, since nobody looks."""


@dataclass(frozen=True, kw_only=True)
class Policy(Code):
    """One thing that is asked for, and one of two ways to look whether a stack of a release keeps it.

    Its code stands beside those of analysis, so that `mesh:analysis.suppress` explains both."""

    severity: Severity = Severity.WARNING
    level: Level = "advisory"
    """What follows where a stack does not say."""
    check_object: Callable[[Object, Release], Iterator[Finding]] | None = None
    """What is wrong with one object, whatever else there is."""
    check_mesh: Callable[[Mesh, Release], Iterator[Finding]] | None = None
    """What is wrong with the objects as a whole."""

    @property
    def slug(self) -> str:
        """Its name for Pulumi, and in `mesh:policies`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", self.name).lower()

    def findings(self, mesh: Mesh, release: Release) -> Iterator[Finding]:
        """Everything that is wrong with the mesh's objects."""
        if self.check_object:
            for thing in mesh.objects:
                yield from self.check_object(thing, release)
        if self.check_mesh:
            yield from self.check_mesh(mesh, release)
