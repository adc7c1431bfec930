"""The type of policies. The analysis finds mistakes in a mesh; policies find insecure settings of a working mesh."""

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
"""Enforcement level, in Pulumi's terms: a violation is a warning (advisory) or an error (mandatory), or is not
checked."""


@dataclass(frozen=True, kw_only=True)
class Policy(Code):
    """A policy, with one of two checks: of a single object, or of the whole mesh.

    Its code has the same form as the codes of the analysis, so `mesh:analysis.suppress` applies to both.
    """

    severity: Severity = Severity.WARNING
    level: Level = "advisory"
    """The default level."""
    check_object: Callable[[Object, Release], Iterator[Finding]] | None = None
    """Yields violations of a single object, independent of others."""
    check_mesh: Callable[[Mesh, Release], Iterator[Finding]] | None = None
    """Yields violations that depend on several objects."""

    @property
    def slug(self) -> str:
        """The policy's name in Pulumi and in `mesh:policies`, such as `missing-limits`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", self.name).lower()

    def findings(self, mesh: Mesh, release: Release) -> Iterator[Finding]:
        """All violations in the mesh."""
        if self.check_object:
            for item in mesh.readable:
                yield from self.check_object(item, release)
        if self.check_mesh:
            yield from self.check_mesh(mesh, release)
