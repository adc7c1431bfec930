"""Runs all rules on a stack's objects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mesh.analysis import suppression
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.rules import RULES
from mesh.analysis.suppression import Suppression
from mesh.core.names import MeshNames


def analyse(objects: Iterable[Object], names: MeshNames, suppressions: Sequence[Suppression] = ()) -> list[Finding]:
    """The findings about a stack's objects that are not suppressed, errors first.

    The result does not depend on the order of the objects.
    """
    ordered = sorted(objects, key=lambda obj: obj.ref)
    mesh = Mesh(ordered, names)
    found = (finding for rule in RULES for finding in rule(mesh))
    kept = suppression.remaining(found, ordered, suppressions)
    return sorted(dict.fromkeys(kept), key=lambda finding: finding.rank)
