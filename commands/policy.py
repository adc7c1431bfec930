"""`make policy`: checks a stack's objects against the policies, without Pulumi and without a cluster."""

from __future__ import annotations

from collections.abc import Sequence

from commands import analyze
from mesh.analysis import violations
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh


def run(stack: str) -> int:
    """Prints the violations and their number. Returns 1 if one of them is of a mandatory policy, else 0."""
    return analyze.show(stack, findings(stack))


def findings(stack: str) -> Sequence[Finding]:
    """The violations that the stack file does not suppress. Raises CommandError, SettingsError."""
    chosen, made = analyze.rendered(stack)
    settings, release = chosen.settings, chosen.installation.release
    mesh = Mesh(made, settings.mesh_names)
    return violations.find(mesh, release, settings.policies, settings.analysis.suppress)
