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
"""Where a stack says how many pods run, and what switches the budgets of istiod and the gateways off."""
_OF_FILES: Final = "(replicas, or minReplicas of an autoscaler)"
_SCALED: Final = (kinds.DEPLOYMENT, kinds.STATEFUL_SET)


def drains(mesh: Mesh) -> Iterator[Finding]:
    """Each budget lets at least one of its pods go while there are as few as there may be."""
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
            text = f"lets no pod of {who} go, so kubectl drain waits for ever: run {total + 1} {how}"
            yield codes.BUDGET_BLOCKS_DRAIN.at(budget, "", text)


def _scaled(workload: Workload) -> tuple[str, str, str]:
    ref = workload.object.ref
    return ref.namespace, ref.kind.name, ref.name


def _spare(budget: Object, total: int) -> int:
    """How many of all pods may be missing at once."""
    if "maxUnavailable" in budget.spec:
        return _number(budget.spec["maxUnavailable"], total)
    return total - _number(budget.spec.get("minAvailable", 1), total)


def _number(said: Any, total: int) -> int:
    """A number of pods that is said as such or as a percentage, which Kubernetes rounds up."""
    return math.ceil(total * int(said[:-1]) / 100) if isinstance(said, str) and said.endswith("%") else int(said)


RULES: Final = (drains,)
