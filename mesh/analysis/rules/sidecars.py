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


def selected(mesh: Mesh) -> Iterator[Finding]:
    """Each selector matches workloads, and at most one Sidecar selects a workload or applies to a namespace."""
    of_workload: dict[Workload, list[Object]] = defaultdict(list)
    of_namespace: dict[str, list[Object]] = defaultdict(list)
    for thing in mesh.of(kinds.SIDECAR):
        labels = (thing.spec.get("workloadSelector") or {}).get("labels") or {}
        if not labels:
            of_namespace[thing.namespace].append(thing)
            continue
        pods = mesh.workloads.select(labels, thing.namespace)
        if not pods:
            which = ",".join(f"{key}={value}" for key, value in labels.items())
            text = f"no pod of namespace {thing.namespace} has the labels {which}"
            yield codes.NOT_FOUND.at(thing, "workloadSelector", text)
        for pod in pods:
            of_workload[pod].append(thing)
    for workload, several in of_workload.items():
        for thing in several if len(several) > 1 else ():
            text = f"{_others(thing, several)} also selects {workload.object.ref}: only one of them holds"
            yield codes.SIDECAR_CLASH.at(thing, "workloadSelector", text)
    for namespace, several in of_namespace.items():
        for thing in several if len(several) > 1 else ():
            text = f"{_others(thing, several)} is also for all of namespace {namespace}: join them"
            yield codes.DEFAULT_SIDECARS.at(thing, "", text)


def _others(thing: Object, several: list[Object]) -> str:
    return ", ".join(str(other.ref) for other in several if other is not thing)


def proxies(mesh: Mesh) -> Iterator[Finding]:
    """No Sidecar sets `egressProxy`, which has no effect."""
    for thing in mesh.of(kinds.SIDECAR):
        if (thing.spec.get("outboundTrafficPolicy") or {}).get("egressProxy"):
            yield codes.DEPRECATED.at(thing, "outboundTrafficPolicy.egressProxy", "does nothing")


RULES: Final = (selected, proxies)
