"""Istio's admission webhooks: injection of sidecars into pods, validation of Istio's own objects.

istiod writes the certificate authority (`caBundle`) into both, and turns the validating one's `failurePolicy` from
Ignore to Fail once it is seen to refuse a bad object. Those fields are therefore no inputs here, and their being
written is what the objects' readiness means.
"""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_kubernetes as k8s

from components import kube
from mesh.config.installation import Installation
from mesh.core.names import INJECT_LABEL, INJECTOR, NAMESPACE_LABEL, REVISION_LABEL

Selector = k8s.meta.v1.LabelSelectorArgs
Requirement = k8s.meta.v1.LabelSelectorRequirementArgs

PATCHED: Final = "jsonpath={.webhooks[*].clientConfig.caBundle}"
"""Condition: istiod has written its certificate authority."""
ENFORCED: Final = "jsonpath={.webhooks[0].failurePolicy}=Fail"
"""Condition: istiod has also seen a bad object refused."""


def injector(
    mesh: Installation, gate: bool, opts: pulumi.ResourceOptions
) -> k8s.admissionregistration.v1.MutatingWebhookConfiguration:
    """The webhook that asks this control plane for sidecars; with the gate, ready when istiod has patched it."""
    name = mesh.named(INJECTOR)
    hooks = injection(mesh)
    ready = kube.ready_when(hooks, PATCHED) if gate else None
    return k8s.admissionregistration.v1.MutatingWebhookConfiguration(
        name,
        metadata=kube.metadata(name, labels={"app": "sidecar-injector", **mesh.labels}, annotations=ready),
        webhooks=hooks,
        opts=opts,
    )


def injection(mesh: Installation) -> list[k8s.admissionregistration.v1.MutatingWebhookArgs]:
    """One webhook for each way to ask for a sidecar."""
    url = mesh.values.istiodRemote.injectionURL
    istiod = _service(mesh.named("istiod"), mesh.root, "/inject", 443)
    client = k8s.admissionregistration.v1.WebhookClientConfigArgs(url=url) if url else istiod
    return [
        k8s.admissionregistration.v1.MutatingWebhookArgs(
            name=f"{way}.sidecar-injector.istio.io",
            client_config=client,
            rules=[_rule([""], ["v1"], ["CREATE"], ["pods"])],
            namespace_selector=Selector(match_expressions=of_namespace),
            object_selector=Selector(match_expressions=of_pod),
            failure_policy="Fail",
            side_effects="None",
            admission_review_versions=["v1beta1", "v1"],
        )
        for way, (of_namespace, of_pod) in _ways(mesh).items()
    ]


def _ways(mesh: Installation) -> dict[str, tuple[list[Requirement], list[Requirement]]]:
    """The ways to ask for a sidecar, as conditions on namespace and pod: by a label with the revision; where there is
    but one control plane also without; and not asking at all where namespaces are injected by default."""
    not_refused = _is(INJECT_LABEL, "NotIn", "false")
    no_revision, no_injection = _is(REVISION_LABEL, "DoesNotExist"), _is(NAMESPACE_LABEL, "DoesNotExist")
    this_revision = _is(REVISION_LABEL, "In", mesh.revision)
    ways = {
        "rev.namespace": ([this_revision, no_injection], [not_refused]),
        "rev.object": ([no_revision, no_injection], [not_refused, this_revision]),
    }
    if mesh.values.revision:
        return ways
    ways["namespace"] = ([_is(NAMESPACE_LABEL, "In", "enabled")], [not_refused])
    ways["object"] = ([no_injection, no_revision], [_is(INJECT_LABEL, "In", "true"), no_revision])
    if mesh.values.sidecarInjectorWebhook.enableNamespacesByDefault:
        ways["auto"] = ([no_injection, no_revision], [_is(INJECT_LABEL, "DoesNotExist"), no_revision])
    return ways


def validator(
    mesh: Installation, gate: bool, opts: pulumi.ResourceOptions
) -> k8s.admissionregistration.v1.ValidatingWebhookConfiguration:
    """The check of every Istio object that is created or changed; with the gate, ready when it is seen to work."""
    name = f"istiod-{mesh.root}"  # istiod looks for this very name, of whatever revision it is
    groups = ["security.istio.io", "networking.istio.io"]
    check = k8s.admissionregistration.v1.ValidatingWebhookArgs(
        name="validation.istio.io",
        client_config=_service(mesh.named("istiod"), mesh.root, "/validate", None),
        rules=[_rule(groups, ["*"], ["CREATE", "UPDATE"], ["*"])],
        side_effects="None",
        admission_review_versions=["v1beta1", "v1"],
    )
    ready = kube.ready_when([check], PATCHED, ENFORCED) if gate else None
    return k8s.admissionregistration.v1.ValidatingWebhookConfiguration(
        name,
        metadata=kube.metadata(name, labels={"app": "istiod", "istio": "istiod"}, annotations=ready),
        webhooks=[check],
        opts=opts,
    )


def _is(key: str, operator: str, *values: str) -> Requirement:
    return Requirement(key=key, operator=operator, values=list(values) or None)


def _rule(
    groups: list[str], versions: list[str], operations: list[str], resources: list[str]
) -> k8s.admissionregistration.v1.RuleWithOperationsArgs:
    return k8s.admissionregistration.v1.RuleWithOperationsArgs(
        api_groups=groups, api_versions=versions, operations=operations, resources=resources
    )


def _service(
    name: str, namespace: str, path: str, port: int | None
) -> k8s.admissionregistration.v1.WebhookClientConfigArgs:
    reference = k8s.admissionregistration.v1.ServiceReferenceArgs(name=name, namespace=namespace, path=path, port=port)
    return k8s.admissionregistration.v1.WebhookClientConfigArgs(service=reference)
