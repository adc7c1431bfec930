"""Checks PodDisruptionBudgets: nodes with their pods can be drained."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

from mesh.analysis import codes
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.workloads import Workload
from mesh.core import kinds

_OF_STACK: Final = "(autoscaleMin, replicaCount), or set mesh:global.defaultPodDisruptionBudget.enabled to false"
"""The settings of a stack for the number of pods, and the one that turns off the budgets of istiod and gateways."""
_OF_FILES: Final = "(replicas, or minReplicas of an autoscaler)"
_SCALED: Final = (kinds.DEPLOYMENT, kinds.STATEFUL_SET)


def drains(mesh: Mesh) -> Iterator[Finding]:
    """Each budget allows the eviction of a pod even while the fewest possible pods run."""
    least = {
        (scaler.namespace, target.get("kind"), target.get("name")): scaler.spec.get("minReplicas") or 1
        for scaler in mesh.of(kinds.HORIZONTAL_POD_AUTOSCALER)
        for target in [scaler.spec.get("scaleTargetRef") or {}]
    }
    for budget in mesh.of(kinds.POD_DISRUPTION_BUDGET):
        labels = (budget.spec.get("selector") or {}).get("matchLabels") or {}
        found = mesh.workloads.select(labels, budget.namespace) if labels else ()
        if not found or any(workload.object.kind not in _SCALED for workload in found):
            continue
        numbers = [least.get(_scaled(workload), workload.object.spec.get("replicas", 1)) for workload in found]
        total = sum(numbers)
        if total and _spare(budget, total) <= 0:
            who = ", ".join(str(workload.object.ref) for workload in found)
            how = mesh.by(_OF_STACK, _OF_FILES)
            text = f"allows no eviction of a pod of {who}, so kubectl drain waits forever: run {total + 1} {how}"
            yield codes.BUDGET_BLOCKS_DRAIN.at(budget, "", text)


def _scaled(workload: Workload) -> tuple[str, str, str]:
    ref = workload.object.ref
    return ref.namespace, ref.kind.name, ref.name


def _spare(budget: Object, total: int) -> int:
    """How many pods of the total may be missing at once."""
    if "maxUnavailable" in budget.spec:
        return _number(budget.spec["maxUnavailable"], total)
    return total - _number(budget.spec.get("minAvailable", 1), total)


def _number(said: Any, total: int) -> int:
    """A number of pods, given as such or as a percentage, which Kubernetes rounds up."""
    return math.ceil(total * int(said[:-1]) / 100) if isinstance(said, str) and said.endswith("%") else int(said)


RULES: Final = (drains,)
