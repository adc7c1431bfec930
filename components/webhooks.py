"""Istio's admission webhooks: sidecar injection, and validation of Istio's objects.

istiod writes `caBundle` into both, and changes the validating webhook's `failurePolicy` from Ignore to Fail when it has
seen a bad object refused. Therefore these fields are not inputs here, and a webhook is ready when they are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pulumi
import pulumi_kubernetes as k8s

from components import kube
from mesh.releases.release import Installation
from mesh.releases.webhooks import ClientConfig, LabelRequirement, Webhook, WebhookRule

admission, meta = k8s.admissionregistration.v1, k8s.meta.v1

PATCHED: Final = "jsonpath={.webhooks[*].clientConfig.caBundle}"
"""Condition: istiod has written its CA certificate."""
ENFORCED: Final = "jsonpath={.webhooks[0].failurePolicy}=Fail"
"""Condition: istiod has seen that a bad object is refused."""
_REVIEWS: Final = ["v1beta1", "v1"]
"""Versions of AdmissionReview that istiod supports."""


def injector(mesh: Installation, gate: bool, opts: pulumi.ResourceOptions) -> admission.MutatingWebhookConfiguration:
    """The injection webhook of this control plane; with `gate` it is ready when istiod has patched it."""
    wanted = mesh.release.injection_webhooks(mesh)
    hooks = [admission.MutatingWebhookArgs(**_fields(hook, mesh.root)) for hook in wanted.webhooks]
    ready = kube.ready_when(hooks, PATCHED) if gate else None
    return admission.MutatingWebhookConfiguration(
        wanted.name,
        metadata=kube.metadata(wanted.name, labels=wanted.labels, annotations=ready),
        webhooks=hooks,
        opts=opts,
    )


def validator(mesh: Installation, gate: bool, opts: pulumi.ResourceOptions) -> admission.ValidatingWebhookConfiguration:
    """The validation webhook for Istio's objects; with `gate` it is ready when istiod has seen it work."""
    wanted = mesh.release.validation_webhooks(mesh)
    hooks = [admission.ValidatingWebhookArgs(**_fields(hook, mesh.root)) for hook in wanted.webhooks]
    ready = kube.ready_when(hooks, PATCHED, ENFORCED) if gate else None
    return admission.ValidatingWebhookConfiguration(
        wanted.name,
        metadata=kube.metadata(wanted.name, labels=wanted.labels, annotations=ready),
        webhooks=hooks,
        opts=opts,
    )


def _fields(hook: Webhook, namespace: str) -> dict[str, Any]:
    """Arguments of MutatingWebhookArgs and ValidatingWebhookArgs."""
    return {
        "name": hook.name,
        "client_config": _client(hook.client_config, namespace),
        "rules": [_rule(hook.rule)],
        "namespace_selector": _selector(hook.namespace_selector),
        "object_selector": _selector(hook.object_selector),
        "failure_policy": hook.failure_policy,
        "side_effects": "None",
        "admission_review_versions": _REVIEWS,
    }


def _client(client: ClientConfig, namespace: str) -> admission.WebhookClientConfigArgs:
    if client.url:
        return admission.WebhookClientConfigArgs(url=client.url)
    service = admission.ServiceReferenceArgs(
        name=client.service, namespace=namespace, path=client.path, port=client.port
    )
    return admission.WebhookClientConfigArgs(service=service)


def _rule(rule: WebhookRule) -> admission.RuleWithOperationsArgs:
    return admission.RuleWithOperationsArgs(
        api_groups=list(rule.groups),
        api_versions=list(rule.versions),
        operations=list(rule.operations),
        resources=list(rule.resources),
    )


def _selector(requirements: Sequence[LabelRequirement]) -> meta.LabelSelectorArgs | None:
    if not requirements:
        return None
    return meta.LabelSelectorArgs(
        match_expressions=[
            meta.LabelSelectorRequirementArgs(key=one.key, operator=one.operator, values=list(one.values) or None)
            for one in requirements
        ]
    )
