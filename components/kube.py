"""Small things that every Kubernetes object needs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
import pulumi_kubernetes as k8s

from mesh.core import names
from mesh.core.kubernetes import Resources
from mesh.values.workload import Workload

HAS_ADDRESS: Final = "jsonpath={.status.loadBalancer.ingress}"


def ready_when(content: object, *conditions: str) -> dict[str, str]:
    """Annotations by which Pulumi waits until all `conditions` hold for this very `content` (typed arguments).

    The provider may see the object as it was before an update, find the conditions met, and record that old object as
    the outcome; the next refresh would then show changes. The digest makes an old object not match."""
    text = json.dumps(content, default=vars, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    fresh = f"jsonpath={{.metadata.annotations['{names.DIGEST}']}}={digest}"
    return {names.DIGEST: digest, names.WAIT_FOR: json.dumps([fresh, *conditions])}


def metadata(
    name: str,
    namespace: pulumi.Input[str] | None = None,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, pulumi.Input[str]] | None = None,
) -> k8s.meta.v1.ObjectMetaArgs:
    """Metadata with a fixed name: what others refer to is never generated."""
    return k8s.meta.v1.ObjectMetaArgs(
        name=name,
        namespace=namespace,
        labels=dict(labels) if labels else None,
        annotations={**managed(), **(annotations or {})},
    )


def managed() -> dict[str, str]:
    """The annotation by which the stack always applies an object as the same field manager.

    The provider's own choice is random. What a killed update had created without recording it would then be applied
    by a second manager, and each later change would be a conflict between the two."""
    return {names.FIELD_MANAGER: f"{pulumi.get_project()}-{pulumi.get_stack()}"}


def resources(amounts: Resources) -> k8s.core.v1.ResourceRequirementsArgs:
    return k8s.core.v1.ResourceRequirementsArgs(
        requests=amounts.requests or None,
        limits=amounts.limits or None,
    )


def rolling_update(workload: Workload) -> k8s.apps.v1.DeploymentStrategyArgs:
    return k8s.apps.v1.DeploymentStrategyArgs(
        rolling_update=k8s.apps.v1.RollingUpdateDeploymentArgs(
            max_surge=_amount(workload.rollingMaxSurge), max_unavailable=_amount(workload.rollingMaxUnavailable)
        )
    )


def _amount(text: str) -> int | str:
    """A number, or a percentage as text."""
    return int(text) if text.isdigit() else text


def account(
    name: str,
    namespace: pulumi.Input[str],
    labels: Mapping[str, str],
    pull_secrets: Sequence[str],
    opts: pulumi.ResourceOptions,
) -> k8s.core.v1.ServiceAccount:
    """A service account whose pods may fetch images with the secrets' credentials."""
    return k8s.core.v1.ServiceAccount(
        name,
        metadata=metadata(name, namespace, labels),
        image_pull_secrets=[k8s.core.v1.LocalObjectReferenceArgs(name=secret) for secret in pull_secrets] or None,
        opts=opts,
    )


def service(
    name: str,
    namespace: pulumi.Input[str],
    labels: Mapping[str, str],
    spec: k8s.core.v1.ServiceSpecArgs,
    opts: pulumi.ResourceOptions,
    annotations: Mapping[str, str] | None = None,
) -> k8s.core.v1.Service:
    """A Service that is ready at once, or for a load balancer when it has its outer address.

    Pulumi by itself waits for endpoints, and then always ten seconds more. Whether somebody answers is what the
    Deployment behind the Service is waited for."""
    content = [spec, annotations] if annotations else spec
    ready = ready_when(content, HAS_ADDRESS) if spec.type == "LoadBalancer" else {names.SKIP_AWAIT: "true"}
    notes = {**(annotations or {}), **ready}
    return k8s.core.v1.Service(name, metadata=metadata(name, namespace, labels, notes), spec=spec, opts=opts)


def autoscaler(
    name: str,
    namespace: pulumi.Input[str],
    labels: Mapping[str, str],
    workload: Workload,
    opts: pulumi.ResourceOptions,
) -> k8s.autoscaling.v2.HorizontalPodAutoscaler:
    """Scales the Deployment of the same name by its CPU."""
    target = k8s.autoscaling.v2.MetricTargetArgs(
        type="Utilization", average_utilization=workload.cpu.targetAverageUtilization
    )
    return k8s.autoscaling.v2.HorizontalPodAutoscaler(
        name,
        metadata=metadata(name, namespace, labels),
        spec=k8s.autoscaling.v2.HorizontalPodAutoscalerSpecArgs(
            min_replicas=workload.autoscaleMin,
            max_replicas=workload.autoscaleMax,
            scale_target_ref=k8s.autoscaling.v2.CrossVersionObjectReferenceArgs(
                api_version="apps/v1", kind="Deployment", name=name
            ),
            metrics=[
                k8s.autoscaling.v2.MetricSpecArgs(
                    type="Resource",
                    resource=k8s.autoscaling.v2.ResourceMetricSourceArgs(name="cpu", target=target),
                )
            ],
        ),
        opts=opts,
    )


def disruption_budget(
    name: str,
    namespace: pulumi.Input[str],
    labels: Mapping[str, str],
    selector: Mapping[str, str],
    opts: pulumi.ResourceOptions,
) -> k8s.policy.v1.PodDisruptionBudget:
    """Keeps one pod of those that `selector` matches when nodes are drained."""
    return k8s.policy.v1.PodDisruptionBudget(
        name,
        metadata=metadata(name, namespace, labels),
        spec=k8s.policy.v1.PodDisruptionBudgetSpecArgs(
            min_available=1, selector=k8s.meta.v1.LabelSelectorArgs(match_labels=dict(selector))
        ),
        opts=opts,
    )


def custom(
    manifest: Mapping[str, Any], namespace: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> k8s.apiextensions.CustomResource:
    """The custom resource that `manifest` describes, in `namespace`.

    It is deleted in the background. Pulumi's own way, in the foreground, takes an update of the object to finish, and
    istiod's validation refuses every update where istiod itself is gone."""
    meta = manifest["metadata"]
    annotations = {**(meta.get("annotations") or {}), names.DELETION_PROPAGATION: "background"}
    return k8s.apiextensions.CustomResource(
        meta["name"],
        api_version=manifest["apiVersion"],
        kind=manifest["kind"],
        metadata=metadata(meta["name"], namespace, meta.get("labels"), annotations),
        spec=manifest["spec"],
        opts=opts,
    )
