"""Checks Sidecar resources: they select workloads, and only one applies to each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh.analysis import codes
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.rules import sole
from mesh.core import kinds
from mesh.core.names import MODE_LABEL


def selectors(mesh: Mesh) -> Iterator[Finding]:
    """Each selector matches workloads, and at most one Sidecar selects a workload or applies to a namespace."""
    return sole.findings(mesh, kinds.SIDECAR, "workloadSelector", codes.SIDECAR_CLASH, codes.DEFAULT_SIDECARS)


def in_ambient_mode(mesh: Mesh) -> Iterator[Finding]:
    """No Sidecar applies only to pods in ambient mode."""
    for sidecar in mesh.of(kinds.SIDECAR):
        labels = (sidecar.spec.get("workloadSelector") or {}).get("labels") or {}
        namespace = mesh.namespaces.get(sidecar.namespace)
        ambient = namespace is not None and namespace.labels.get(MODE_LABEL) == "ambient"
        pods = mesh.workloads.select(labels, sidecar.namespace) if labels else ()
        if ambient and not any(pod.proxy for pod in pods):
            text = f"pods of namespace {sidecar.namespace} are in ambient mode, and have no sidecar: leave it out"
            yield codes.INEFFECTIVE_POLICY.at(sidecar, "", text)


def egress_proxies(mesh: Mesh) -> Iterator[Finding]:
    """No Sidecar sets `egressProxy`, which has no effect."""
    for sidecar in mesh.of(kinds.SIDECAR):
        if (sidecar.spec.get("outboundTrafficPolicy") or {}).get("egressProxy"):
            yield codes.DEPRECATED.at(sidecar, "outboundTrafficPolicy.egressProxy", "does nothing")


RULES: Final = (selectors, in_ambient_mode, egress_proxies)
