"""Istio's admission webhooks: injection of sidecars into pods, validation of Istio's own objects.

istiod writes the certificate authority (`caBundle`) into both, and turns the validating one's `failurePolicy` from
Ignore to Fail once it is seen to refuse a bad object. Those fields are therefore no inputs here, and their being
written is what the objects' readiness means.
"""

from __future__ import annotations

from typing import Final

import pulumi_kubernetes as k8s

Selector = k8s.meta.v1.LabelSelectorArgs

INJECT_LABEL: Final = "sidecar.istio.io/inject"
NAMESPACE_LABEL: Final = "istio-injection"
REVISION_LABEL: Final = "istio.io/rev"

PATCHED: Final = "jsonpath={.webhooks[*].clientConfig.caBundle}"
"""Condition: istiod has written its certificate authority."""
ENFORCED: Final = "jsonpath={.webhooks[0].failurePolicy}=Fail"
"""Condition: istiod has also seen a bad object refused."""


def injection(service: str, namespace: str, revision: str) -> list[k8s.admissionregistration.v1.MutatingWebhookArgs]:
    """The four ways to ask for a sidecar: a label of the namespace or of the pod, with a revision or without."""
    not_refused = _is(INJECT_LABEL, "NotIn", "false")
    no_revision, no_injection = _is(REVISION_LABEL, "DoesNotExist"), _is(NAMESPACE_LABEL, "DoesNotExist")
    this_revision = _is(REVISION_LABEL, "In", revision)
    ways = {
        "rev.namespace": ([this_revision, no_injection], [not_refused]),
        "rev.object": ([no_revision, no_injection], [not_refused, this_revision]),
        "namespace": ([_is(NAMESPACE_LABEL, "In", "enabled")], [not_refused]),
        "object": ([no_injection, no_revision], [_is(INJECT_LABEL, "In", "true"), no_revision]),
    }
    pods = _rule([""], ["v1"], ["CREATE"], ["pods"])
    return [
        k8s.admissionregistration.v1.MutatingWebhookArgs(
            name=f"{way}.sidecar-injector.istio.io",
            client_config=_service(service, namespace, "/inject", 443),
            rules=[pods],
            namespace_selector=Selector(match_expressions=of_namespace),
            object_selector=Selector(match_expressions=of_pod),
            failure_policy="Fail",
            side_effects="None",
            admission_review_versions=["v1beta1", "v1"],
        )
        for way, (of_namespace, of_pod) in ways.items()
    ]


def validation(service: str, namespace: str) -> list[k8s.admissionregistration.v1.ValidatingWebhookArgs]:
    """The check of every Istio object that is created or changed."""
    groups = ["security.istio.io", "networking.istio.io"]
    return [
        k8s.admissionregistration.v1.ValidatingWebhookArgs(
            name="validation.istio.io",
            client_config=_service(service, namespace, "/validate", None),
            rules=[_rule(groups, ["*"], ["CREATE", "UPDATE"], ["*"])],
            side_effects="None",
            admission_review_versions=["v1beta1", "v1"],
        )
    ]


def _is(key: str, operator: str, *values: str) -> k8s.meta.v1.LabelSelectorRequirementArgs:
    return k8s.meta.v1.LabelSelectorRequirementArgs(key=key, operator=operator, values=list(values) or None)


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
