"""Everything that the rules have to say of a stack, as `make policy` shows it and as Pulumi is told."""

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
from mesh.policies.rules import rules


def review(objects: Iterable[Object], settings: Settings) -> list[Finding]:
    """Findings that the stack does not explain, the worst first; errors are those of mandatory policies."""
    mesh = Mesh(objects)
    every = rules(releases.get(settings.release))
    wanted = [rule for rule in every if level(rule.policy, settings.policies) != "disabled"]
    found = (finding for rule in wanted for finding in rule.findings(mesh))
    sought = {rule.policy.code for rule in wanted}
    kept = suppression.remaining(found, mesh.objects, settings.analysis.suppress, sought)
    judged = (_judged(finding, settings) for finding in kept if _level(finding, settings) != "disabled")
    return sorted(judged, key=lambda f: (-f.severity, f.code, f.ref, f.path, f.text))


def explained(finding: Finding, objects: Iterable[Object], settings: Settings) -> bool:
    """Whether the stack, or the object itself, says why the finding is no problem."""
    return not list(suppression.remaining([finding], objects, settings.analysis.suppress, sought=()))


def _level(finding: Finding, settings: Settings) -> str:
    return level(POLICIES[finding.code], settings.policies)


def _judged(finding: Finding, settings: Settings) -> Finding:
    mandatory = _level(finding, settings) == "mandatory"
    return replace(finding, severity=Severity.ERROR if mandatory else Severity.WARNING)
