"""Where a stack violates its policies, as `make policy` shows it and as Pulumi is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from mesh import releases
from mesh.analysis import suppression
from mesh.analysis.findings import Finding, Severity
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.policies import POLICIES, level
from mesh.config.settings import Settings


def violations(objects: Iterable[Object], settings: Settings) -> list[Finding]:
    """Findings that nothing suppresses, the worst first; errors are those of mandatory policies."""
    mesh, release = Mesh(objects, settings.mesh_names), releases.get(settings.release)
    asked = [policy for policy in POLICIES.values() if level(policy, settings.policies) != "disabled"]
    found = (finding for policy in asked for finding in policy.findings(mesh, release))
    sought = {policy.code for policy in asked}
    kept = suppression.remaining(found, mesh.objects, settings.analysis.suppress, sought)
    judged = (_judged(finding, settings) for finding in kept if _level(finding, settings) != "disabled")
    return sorted(judged, key=lambda f: (-f.severity, f.code, f.ref, f.path, f.text))


def is_suppressed(finding: Finding, objects: Iterable[Object], settings: Settings) -> bool:
    """Whether the stack's config or an annotation of the object suppresses a finding."""
    return not list(suppression.remaining([finding], objects, settings.analysis.suppress, sought=()))


def _level(finding: Finding, settings: Settings) -> str:
    return level(POLICIES[finding.code], settings.policies)


def _judged(finding: Finding, settings: Settings) -> Finding:
    mandatory = _level(finding, settings) == "mandatory"
    return replace(finding, severity=Severity.ERROR if mandatory else Severity.WARNING)
