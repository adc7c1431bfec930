"""Istio's admission webhooks: sidecar injection, and validation of Istio's objects.

istiod writes `caBundle` into both, and changes the validating webhook's `failurePolicy` from Ignore to Fail after it
has seen that an invalid object is refused. Therefore these fields are not inputs here, and a webhook is ready when they
are set.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pulumi
import pulumi_kubernetes as k8s

from components import kube
from mesh.releases.release import Installation
from mesh.releases.webhooks import ClientConfig, Selector, Webhook, WebhookConfiguration, WebhookRule

admission, meta = k8s.admissionregistration.v1, k8s.meta.v1

PATCHED: Final = "jsonpath={.webhooks[*].clientConfig.caBundle}"
"""Condition: istiod has written its CA certificate."""
ENFORCED: Final = "jsonpath={.webhooks[0].failurePolicy}=Fail"
"""Condition: istiod has seen that an invalid object is refused."""


def injectors(
    mesh: Installation, gate: bool, opts: pulumi.ResourceOptions
) -> list[admission.MutatingWebhookConfiguration]:
    """The injection webhooks of this control plane and its revision tags. With `gate`, each is ready when istiod has
    patched it."""
    if not mesh.on_cluster:
        return []
    return [_injector(wanted, mesh, gate, opts) for wanted in mesh.release.injection_webhooks(mesh)]


def _injector(
    wanted: WebhookConfiguration, mesh: Installation, gate: bool, opts: pulumi.ResourceOptions
) -> admission.MutatingWebhookConfiguration:
    hooks = [
        admission.MutatingWebhookArgs(**_fields(hook, wanted, mesh.root), reinvocation_policy=hook.reinvocation_policy)
        for hook in wanted.webhooks
    ]
    return admission.MutatingWebhookConfiguration(
        wanted.name,
        metadata=_metadata(wanted, hooks, PATCHED if gate else None),
        webhooks=hooks,
        opts=opts,
    )


def validators(
    mesh: Installation, gate: bool, opts: pulumi.ResourceOptions
) -> list[admission.ValidatingWebhookConfiguration]:
    """The validation webhooks for Istio's objects. With `gate`, each is ready when istiod has seen it work."""
    if not mesh.on_cluster:
        return []
    return [_validator(wanted, mesh, gate, opts) for wanted in mesh.release.validation_webhooks(mesh)]


def _validator(
    wanted: WebhookConfiguration, mesh: Installation, gate: bool, opts: pulumi.ResourceOptions
) -> admission.ValidatingWebhookConfiguration:
    hooks = [admission.ValidatingWebhookArgs(**_fields(hook, wanted, mesh.root)) for hook in wanted.webhooks]
    # istiod does not change a webhook whose certificates are given.
    patched = gate and not any(hook.client_config.ca_bundle for hook in wanted.webhooks)
    enforced = [] if wanted.webhooks[0].failure_policy else [ENFORCED]
    return admission.ValidatingWebhookConfiguration(
        wanted.name,
        metadata=_metadata(wanted, hooks, *((PATCHED, *enforced) if patched else (None,))),
        webhooks=hooks,
        opts=opts,
    )


def _metadata(wanted: WebhookConfiguration, hooks: list[Any], *ready: str | None) -> meta.ObjectMetaArgs:
    conditions = [condition for condition in ready if condition]
    waiting = kube.ready_when(hooks, *conditions) if conditions else {}
    return kube.metadata(wanted.name, labels=wanted.labels, annotations={**wanted.annotations, **waiting})


def policies(mesh: Installation, opts: pulumi.ResourceOptions) -> None:
    """Creates the validating admission policies for Istio's objects, and their bindings."""
    for wanted in mesh.release.admission_policies(mesh):
        matching = admission.MatchResourcesArgs(
            resource_rules=[_named_rule(wanted.rule)], object_selector=_selector(wanted.selector)
        )
        made = admission.ValidatingAdmissionPolicy(
            wanted.name,
            metadata=kube.metadata(wanted.name),
            spec=admission.ValidatingAdmissionPolicySpecArgs(
                failure_policy="Fail",
                match_constraints=matching,
                variables=[
                    admission.VariableArgs(name=name, expression=text) for name, text in wanted.variables.items()
                ],
                validations=[admission.ValidationArgs(expression=text) for text in wanted.validations],
            ),
            opts=opts,
        )
        admission.ValidatingAdmissionPolicyBinding(
            wanted.binding,
            metadata=kube.metadata(wanted.binding),
            spec=admission.ValidatingAdmissionPolicyBindingSpecArgs(
                policy_name=wanted.name, validation_actions=["Deny"]
            ),
            opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[made])),
        )


def _fields(hook: Webhook, wanted: WebhookConfiguration, namespace: str) -> dict[str, Any]:
    """Arguments of MutatingWebhookArgs and ValidatingWebhookArgs."""
    return {
        "name": hook.name,
        "client_config": _client(hook.client_config, namespace),
        "rules": [_rule(hook.rule)],
        "namespace_selector": _selector(hook.namespace_selector),
        "object_selector": _selector(hook.object_selector),
        "failure_policy": hook.failure_policy,
        "side_effects": "None",
        "admission_review_versions": list(wanted.reviews),
    }


def _client(client: ClientConfig, namespace: str) -> admission.WebhookClientConfigArgs:
    bundle = client.ca_bundle or None
    if client.url:
        return admission.WebhookClientConfigArgs(url=client.url, ca_bundle=bundle)
    service = admission.ServiceReferenceArgs(
        name=client.service, namespace=namespace, path=client.path, port=client.port
    )
    return admission.WebhookClientConfigArgs(service=service, ca_bundle=bundle)


def _rule(rule: WebhookRule) -> admission.RuleWithOperationsArgs:
    return admission.RuleWithOperationsArgs(
        api_groups=list(rule.groups),
        api_versions=list(rule.versions),
        operations=list(rule.operations),
        resources=list(rule.resources),
    )


def _named_rule(rule: WebhookRule) -> admission.NamedRuleWithOperationsArgs:
    return admission.NamedRuleWithOperationsArgs(
        api_groups=list(rule.groups),
        api_versions=list(rule.versions),
        operations=list(rule.operations),
        resources=list(rule.resources),
    )


def _selector(selector: Selector) -> meta.LabelSelectorArgs | None:
    if not selector:
        return None
    if isinstance(selector, Mapping):
        return meta.LabelSelectorArgs(match_labels=dict(selector))
    return meta.LabelSelectorArgs(
        match_expressions=[
            meta.LabelSelectorRequirementArgs(key=one.key, operator=one.operator, values=list(one.values) or None)
            for one in selector
        ]
    )
