"""Functions that build Kubernetes objects, for several components."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
import pulumi_kubernetes as k8s

from mesh.core import names
from mesh.core.kubernetes import Resources
from mesh.values.cni import ResourceQuotas, UpdateStrategy

HAS_ADDRESS: Final = "jsonpath={.status.loadBalancer.ingress}"
"""Condition: the load balancer has an address."""


def arguments(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields by their names in the provider's types, such as `external_ips` for `externalIPs`."""
    return {re.sub("(?<=[a-z])(?=[A-Z])", "_", name).lower(): value for name, value in fields.items()}


def ready_when(content: object, *conditions: str) -> dict[str, str]:
    """Annotations that make the provider wait until all `conditions` hold for an object with this `content` (its typed
    arguments).

    Without the digest, the provider could read the object as it was before an update, find the conditions met, and
    record that old object; the next refresh would show changes."""
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
    """Metadata with a fixed name instead of a generated one, since other objects refer to it."""
    return k8s.meta.v1.ObjectMetaArgs(
        name=name,
        namespace=namespace,
        labels=dict(labels) if labels else None,
        annotations={**field_manager(), **(annotations or {})},
    )


def field_manager() -> dict[str, str]:
    """The annotation with the name of the field manager: always the same for a stack.

    The provider's default name is random. Objects that a killed update created but did not record would then be
    applied by a second manager, and each later change would be a conflict between the two."""
    return {names.FIELD_MANAGER: names.field_manager(pulumi.get_project(), pulumi.get_stack())}


def resources(amounts: Resources) -> k8s.core.v1.ResourceRequirementsArgs:
    """A container's resource requests and limits."""
    return k8s.core.v1.ResourceRequirementsArgs(
        requests=amounts.requests or None,
        limits=amounts.limits or None,
    )


def amount(text: str) -> int | str:
    """An IntOrString: a number, or a percentage as text."""
    return int(text) if text.isdigit() else text


def service_account(
    name: str,
    namespace: pulumi.Input[str],
    labels: Mapping[str, str],
    pull_secrets: Sequence[str],
    opts: pulumi.ResourceOptions,
    annotations: Mapping[str, str] | None = None,
) -> k8s.core.v1.ServiceAccount:
    """A service account; its pods pull images with `pull_secrets`."""
    return k8s.core.v1.ServiceAccount(
        name,
        metadata=metadata(name, namespace, labels, annotations),
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
    """A Service that counts as ready at once, or when it has an address if it is a LoadBalancer.

    By default the provider waits for endpoints, and then always ten seconds more. This is not needed, since it also
    waits for the Deployment behind the Service."""
    content = [spec, annotations] if annotations else spec
    ready = ready_when(content, HAS_ADDRESS) if spec.type == "LoadBalancer" else {names.SKIP_AWAIT: "true"}
    notes = {**(annotations or {}), **ready}
    return k8s.core.v1.Service(name, metadata=metadata(name, namespace, labels, notes), spec=spec, opts=opts)


def daemon_set(
    name: str,
    namespace: pulumi.Input[str],
    labels: Mapping[str, str],
    selector: Mapping[str, str],
    pod: Any,
    strategy: UpdateStrategy,
    opts: pulumi.ResourceOptions,
    annotations: Mapping[str, str] | None = None,
) -> k8s.apps.v1.DaemonSet:
    """A DaemonSet of the pods that the template `pod` describes."""
    limits = strategy.rollingUpdate
    rolling = k8s.apps.v1.RollingUpdateDaemonSetArgs(
        max_surge=amount(limits.maxSurge) if limits.maxSurge else None,
        max_unavailable=amount(limits.maxUnavailable) if limits.maxUnavailable else None,
    )
    updated = k8s.apps.v1.DaemonSetUpdateStrategyArgs(
        type=strategy.type, rolling_update=rolling if strategy.type == "RollingUpdate" else None
    )
    spec = k8s.apps.v1.DaemonSetSpecArgs(
        selector=k8s.meta.v1.LabelSelectorArgs(match_labels=dict(selector)), update_strategy=updated, template=pod
    )
    return k8s.apps.v1.DaemonSet(name, metadata=metadata(name, namespace, labels, annotations), spec=spec, opts=opts)


def quota(
    name: str,
    namespace: pulumi.Input[str],
    labels: Mapping[str, str],
    wanted: ResourceQuotas,
    opts: pulumi.ResourceOptions,
) -> list[k8s.core.v1.ResourceQuota]:
    """A ResourceQuota that admits pods of the priority class `system-node-critical`, if it is wanted."""
    if not wanted.enabled:
        return []
    priority = k8s.core.v1.ScopedResourceSelectorRequirementArgs(
        scope_name="PriorityClass", operator="In", values=["system-node-critical"]
    )
    spec = k8s.core.v1.ResourceQuotaSpecArgs(
        hard={"pods": str(wanted.pods)},
        scope_selector=k8s.core.v1.ScopeSelectorArgs(match_expressions=[priority]),
    )
    return [k8s.core.v1.ResourceQuota(name, metadata=metadata(name, namespace, labels), spec=spec, opts=opts)]


def custom_resource(
    manifest: Mapping[str, Any], namespace: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> k8s.apiextensions.CustomResource:
    """The custom resource of `manifest`, in `namespace`.

    It is deleted with background propagation. The provider's default, foreground, adds a finalizer, whose removal is an
    update; the validation webhook refuses every update when istiod is gone."""
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
