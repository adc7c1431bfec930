"""The admission webhooks of Istio 1.30: injection of sidecars into pods, validation of Istio's objects."""

from __future__ import annotations

from mesh.core.names import INJECT_LABEL, INJECTOR, NAMESPACE_LABEL, REVISION_LABEL
from mesh.releases.release import Installation
from mesh.releases.webhooks import ClientConfig, LabelRequirement, Webhook, WebhookConfiguration, WebhookRule

Selector = list[LabelRequirement]


def injector(mesh: Installation) -> WebhookConfiguration:
    """The injection webhooks of this control plane: one for each way in which a pod can request a sidecar."""
    url = mesh.values.istiodRemote.injectionURL
    client = ClientConfig(service=mesh.revisioned("istiod"), path="/inject", port=443, url=url)
    pods = WebhookRule(groups=[""], versions=["v1"], resources=["pods"], operations=["CREATE"])
    hooks = [
        Webhook(
            name=f"{name}.sidecar-injector.istio.io",
            client_config=client,
            rule=pods,
            namespace_selector=of_namespace,
            object_selector=of_pod,
            failure_policy="Fail",
        )
        for name, (of_namespace, of_pod) in _selectors(mesh).items()
    ]
    labels = {"app": "sidecar-injector", **mesh.labels}
    return WebhookConfiguration(name=mesh.revisioned(INJECTOR), labels=labels, webhooks=hooks)


def _selectors(mesh: Installation) -> dict[str, tuple[Selector, Selector]]:
    """The selectors of namespaces and pods for each webhook, by the first part of its name.

    Pods are injected if they or their namespace have the label of the revision. The default revision also injects by
    labels `istio-injection` and `sidecar.istio.io/inject` and, if namespaces are enabled by default, without labels.
    """
    not_disabled = _requirement(INJECT_LABEL, "NotIn", "false")
    no_revision = _requirement(REVISION_LABEL, "DoesNotExist")
    no_injection = _requirement(NAMESPACE_LABEL, "DoesNotExist")
    this_revision = _requirement(REVISION_LABEL, "In", mesh.revision)
    selectors = {
        "rev.namespace": ([this_revision, no_injection], [not_disabled]),
        "rev.object": ([no_revision, no_injection], [not_disabled, this_revision]),
    }
    if mesh.values.revision:
        return selectors
    selectors["namespace"] = ([_requirement(NAMESPACE_LABEL, "In", "enabled")], [not_disabled])
    selectors["object"] = ([no_injection, no_revision], [_requirement(INJECT_LABEL, "In", "true"), no_revision])
    if mesh.values.sidecarInjectorWebhook.enableNamespacesByDefault:
        selectors["auto"] = ([no_injection, no_revision], [_requirement(INJECT_LABEL, "DoesNotExist"), no_revision])
    return selectors


def validator(mesh: Installation) -> WebhookConfiguration:
    """The webhook that validates every Istio object that is created or updated."""
    check = Webhook(
        name="validation.istio.io",
        client_config=ClientConfig(service=mesh.revisioned("istiod"), path="/validate"),
        rule=WebhookRule(
            groups=["security.istio.io", "networking.istio.io"],
            versions=["*"],
            resources=["*"],
            operations=["CREATE", "UPDATE"],
        ),
    )
    name = f"istiod-{mesh.root}"  # istiod expects this name, whatever its revision
    return WebhookConfiguration(name=name, labels={"app": "istiod", "istio": "istiod"}, webhooks=[check])


def _requirement(key: str, operator: str, *values: str) -> LabelRequirement:
    return LabelRequirement(key=key, operator=operator, values=values)
