"""Checks Telemetries: they select workloads, and only one holds for each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh.analysis import codes
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.rules import sole
from mesh.core import kinds


def selectors(mesh: Mesh) -> Iterator[Finding]:
    """Each selector matches workloads, and at most one Telemetry selects a workload or holds for a namespace."""
    return sole.findings(mesh, kinds.TELEMETRY, "selector", codes.TELEMETRY_CLASH, codes.DEFAULT_TELEMETRIES)


RULES: Final = (selectors,)
