"""Checks kinds of which only one object applies to a workload: Sidecars, Telemetries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from mesh.analysis import codes
from mesh.analysis.findings import Code, Finding
from mesh.analysis.mesh import Mesh, targets
from mesh.analysis.objects import Object
from mesh.analysis.workloads import Workload
from mesh.core.kinds import GroupKind


def findings(mesh: Mesh, kind: GroupKind, field: str, clash: Code, defaults: Code) -> Iterator[Finding]:
    """Selectors, in `field` of the kind's objects, that match no pod; objects that select the same workload (`clash`)
    or apply to the same namespace (`defaults`). Objects with targets are skipped: they apply to no workload."""
    of_workload: dict[Workload, list[Object]] = defaultdict(list)
    of_namespace: dict[str, list[Object]] = defaultdict(list)
    for obj in mesh.of(kind):
        selector = obj.spec.get(field) or {}
        if targets(obj):
            continue
        if not (labels := selector.get("labels") or selector.get("matchLabels")):
            of_namespace[obj.namespace].append(obj)
            continue
        pods = mesh.workloads.select(labels, obj.namespace)
        if not pods:
            which = ",".join(f"{key}={value}" for key, value in labels.items())
            yield codes.NOT_FOUND.at(obj, field, f"no pod of namespace {obj.namespace} has the labels {which}")
        for pod in pods:
            of_workload[pod].append(obj)
    for workload, several in of_workload.items():
        for obj in several if len(several) > 1 else ():
            text = f"{_others(obj, several)} also selects {workload.object.ref}: only one of them applies"
            yield clash.at(obj, field, text)
    for namespace, several in of_namespace.items():
        for obj in several if len(several) > 1 else ():
            yield defaults.at(
                obj, "", f"{_others(obj, several)} also applies to all of namespace {namespace}: join them"
            )


def _others(obj: Object, several: list[Object]) -> str:
    return ", ".join(str(other.ref) for other in several if other is not obj)
