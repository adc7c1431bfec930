"""Finds violations of policies, at the levels of a stack, for `make policy` and for the policy pack."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from mesh.analysis import suppression
from mesh.analysis.findings import Finding, Severity
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.policies import POLICIES, level
from mesh.analysis.policies.policy import Level
from mesh.analysis.suppression import Suppression
from mesh.releases.release import Release


def find(
    mesh: Mesh, release: Release, levels: Mapping[str, Level], suppressions: Sequence[Suppression]
) -> list[Finding]:
    """Violations that are not suppressed, most severe first: errors of mandatory policies, warnings of advisory ones.
    `levels` are those of `mesh:policies`. A suppression of a policy's code that matches nothing is also a violation."""
    enabled = {code: policy for code, policy in POLICIES.items() if level(policy, levels) != "disabled"}
    found = (finding for policy in enabled.values() for finding in policy.findings(mesh, release))
    kept = suppression.remaining(found, mesh.objects, suppressions, sought=enabled)
    judged = (_with_severity(finding, levels) for finding in kept if _level(finding, levels) != "disabled")
    return sorted(judged, key=lambda finding: finding.rank)


def is_suppressed(finding: Finding, objects: Iterable[Object], suppressions: Sequence[Suppression]) -> bool:
    """Whether the stack's config, or an annotation of the object that the finding is about, suppresses it."""
    return not list(suppression.remaining([finding], objects, suppressions, sought=()))


def _level(finding: Finding, levels: Mapping[str, Level]) -> Level:
    return level(POLICIES[finding.code], levels)


def _with_severity(finding: Finding, levels: Mapping[str, Level]) -> Finding:
    mandatory = _level(finding, levels) == "mandatory"
    return replace(finding, severity=Severity.ERROR if mandatory else Severity.WARNING)
