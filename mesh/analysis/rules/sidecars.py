"""Checks Sidecar resources: they select workloads, and only one applies to each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from mesh.analysis import codes
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.workloads import Workload
from mesh.core import kinds


def selectors(mesh: Mesh) -> Iterator[Finding]:
    """Each selector matches workloads, and at most one Sidecar selects a workload or applies to a namespace."""
    of_workload: dict[Workload, list[Object]] = defaultdict(list)
    of_namespace: dict[str, list[Object]] = defaultdict(list)
    for sidecar in mesh.of(kinds.SIDECAR):
        labels = (sidecar.spec.get("workloadSelector") or {}).get("labels") or {}
        if not labels:
            of_namespace[sidecar.namespace].append(sidecar)
            continue
        pods = mesh.workloads.select(labels, sidecar.namespace)
        if not pods:
            which = ",".join(f"{key}={value}" for key, value in labels.items())
            text = f"no pod of namespace {sidecar.namespace} has the labels {which}"
            yield codes.NOT_FOUND.at(sidecar, "workloadSelector", text)
        for pod in pods:
            of_workload[pod].append(sidecar)
    for workload, several in of_workload.items():
        for sidecar in several if len(several) > 1 else ():
            text = f"{_others(sidecar, several)} also selects {workload.object.ref}: only one of them holds"
            yield codes.SIDECAR_CLASH.at(sidecar, "workloadSelector", text)
    for namespace, several in of_namespace.items():
        for sidecar in several if len(several) > 1 else ():
            text = f"{_others(sidecar, several)} is also for all of namespace {namespace}: join them"
            yield codes.DEFAULT_SIDECARS.at(sidecar, "", text)


def _others(sidecar: Object, several: list[Object]) -> str:
    return ", ".join(str(other.ref) for other in several if other is not sidecar)


def egress_proxies(mesh: Mesh) -> Iterator[Finding]:
    """No Sidecar sets `egressProxy`, which has no effect."""
    for sidecar in mesh.of(kinds.SIDECAR):
        if (sidecar.spec.get("outboundTrafficPolicy") or {}).get("egressProxy"):
            yield codes.DEPRECATED.at(sidecar, "outboundTrafficPolicy.egressProxy", "does nothing")


RULES: Final = (selectors, egress_proxies)
