"""The outcome of an analysis: what was found in a stack's objects, the worst first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mesh.analysis import suppression
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.rules import RULES
from mesh.analysis.suppression import Suppression


def analyse(objects: Iterable[Object], suppressions: Sequence[Suppression] = ()) -> list[Finding]:
    """What is wrong with a stack's objects; equal objects in any order give equal findings."""
    things = sorted(objects, key=lambda thing: thing.ref)
    mesh = Mesh(things)
    found = (finding for rule in RULES for finding in rule(mesh))
    kept = suppression.remaining(found, things, suppressions)
    return sorted(dict.fromkeys(kept), key=lambda f: (-f.severity, f.code, f.ref, f.path, f.text))
