"""The update strategy, the autoscaler and the disruption budget of a Deployment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pulumi
import pulumi_kubernetes as k8s

from components import kube
from mesh.core.merge import merged
from mesh.releases.release import Installation
from mesh.values.pilot import DisruptionBudget
from mesh.values.workload import Workload

ONE_STAYS: Final = DisruptionBudget()
"""The disruption budget that keeps one pod."""


def strategy(workload: Workload) -> Any:
    """The update strategy of a Deployment."""
    surge, unavailable = kube.amount(workload.rollingMaxSurge), kube.amount(workload.rollingMaxUnavailable)
    if not workload.strategy:
        return k8s.apps.v1.DeploymentStrategyArgs(
            rolling_update=k8s.apps.v1.RollingUpdateDeploymentArgs(max_surge=surge, max_unavailable=unavailable)
        )
    if workload.strategy.get("type") == "Recreate":
        return workload.strategy
    return merged({"rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}, workload.strategy)


def autoscaler(
    name: str,
    namespace: pulumi.Input[str],
    labels: Mapping[str, str],
    workload: Workload,
    opts: pulumi.ResourceOptions,
    annotations: Mapping[str, str] | None = None,
) -> k8s.autoscaling.v2.HorizontalPodAutoscaler:
    """A HorizontalPodAutoscaler of the Deployment `name`, by CPU utilization, and by memory utilization if the values
    have a target."""
    memory = workload.memory.targetAverageUtilization
    targets = {"cpu": workload.cpu.targetAverageUtilization, **({"memory": memory} if memory else {})}
    spec: dict[str, Any] = {
        "minReplicas": workload.autoscaleMin,
        "maxReplicas": workload.autoscaleMax,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "metrics": [_utilization(resource, target) for resource, target in targets.items()],
        **({"behavior": workload.autoscaleBehavior} if workload.autoscaleBehavior else {}),
    }
    return k8s.autoscaling.v2.HorizontalPodAutoscaler(
        name,
        metadata=kube.metadata(name, namespace, labels, annotations),
        spec=merged(spec, workload.hpaSpec),
        opts=opts,
    )


def _utilization(resource: str, percent: int) -> dict[str, Any]:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": resource, "target": target}}


def budgeted(mesh: Installation, workload: Workload) -> bool:
    """Whether a Deployment has a PodDisruptionBudget. For a single pod, it would keep the node from being drained."""
    pods = workload.autoscaleMin if workload.autoscaleEnabled else workload.replicaCount or 0
    wanted = workload.wants_budget
    enabled = mesh.values.global_.defaultPodDisruptionBudget.enabled if wanted is None else wanted
    return enabled and (mesh.release.single_budgets or pods > 1)


def disruption_budget(
    name: str,
    namespace: pulumi.Input[str],
    labels: Mapping[str, str],
    selector: Mapping[str, str],
    workload: Workload,
    opts: pulumi.ResourceOptions,
    budget: DisruptionBudget = ONE_STAYS,
) -> k8s.policy.v1.PodDisruptionBudget:
    """A PodDisruptionBudget for the pods that `selector` matches; by default it keeps at least one of them."""
    own = workload.podDisruptionBudget
    policy = budget.unhealthyPodEvictionPolicy
    spec = {
        **({} if "maxUnavailable" in own or "minAvailable" in own else budget.amount),
        "selector": {"matchLabels": dict(selector)},
        **({"unhealthyPodEvictionPolicy": policy} if policy else {}),
    }
    return k8s.policy.v1.PodDisruptionBudget(
        name, metadata=kube.metadata(name, namespace, labels), spec=merged(spec, own), opts=opts
    )
