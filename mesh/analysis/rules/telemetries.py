"""Checks Telemetries: they select workloads, and only one holds for each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from mesh.analysis import codes
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh, selector_labels
from mesh.analysis.objects import Object
from mesh.analysis.workloads import Workload
from mesh.core import kinds


def selectors(mesh: Mesh) -> Iterator[Finding]:
    """Each selector matches workloads, and at most one Telemetry selects a workload or holds for a namespace."""
    of_workload: dict[Workload, list[Object]] = defaultdict(list)
    of_namespace: dict[str, list[Object]] = defaultdict(list)
    for telemetry in mesh.of(kinds.TELEMETRY):
        if not (labels := selector_labels(telemetry)):
            of_namespace[telemetry.namespace].append(telemetry)
            continue
        pods = mesh.workloads.select(labels, telemetry.namespace)
        if not pods:
            which = ",".join(f"{key}={value}" for key, value in labels.items())
            text = f"no pod of namespace {telemetry.namespace} has the labels {which}"
            yield codes.NOT_FOUND.at(telemetry, "selector", text)
        for pod in pods:
            of_workload[pod].append(telemetry)
    for workload, several in of_workload.items():
        for telemetry in several if len(several) > 1 else ():
            text = f"{_others(telemetry, several)} also selects {workload.object.ref}: only one of them holds"
            yield codes.TELEMETRY_CLASH.at(telemetry, "selector", text)
    for namespace, several in of_namespace.items():
        for telemetry in several if len(several) > 1 else ():
            text = f"{_others(telemetry, several)} is also for all of namespace {namespace}: join them"
            yield codes.DEFAULT_TELEMETRIES.at(telemetry, "", text)


def _others(telemetry: Object, several: list[Object]) -> str:
    return ", ".join(str(other.ref) for other in several if other is not telemetry)


RULES: Final = (selectors,)
