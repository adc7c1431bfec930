"""Checks Sidecar resources: they select workloads, and only one applies to each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh.analysis import codes
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.rules import sole
from mesh.core import kinds


def selectors(mesh: Mesh) -> Iterator[Finding]:
    """Each selector matches workloads, and at most one Sidecar selects a workload or applies to a namespace."""
    return sole.findings(mesh, kinds.SIDECAR, "workloadSelector", codes.SIDECAR_CLASH, codes.DEFAULT_SIDECARS)


def egress_proxies(mesh: Mesh) -> Iterator[Finding]:
    """No Sidecar sets `egressProxy`, which has no effect."""
    for sidecar in mesh.of(kinds.SIDECAR):
        if (sidecar.spec.get("outboundTrafficPolicy") or {}).get("egressProxy"):
            yield codes.DEPRECATED.at(sidecar, "outboundTrafficPolicy.egressProxy", "does nothing")


RULES: Final = (selectors, egress_proxies)
