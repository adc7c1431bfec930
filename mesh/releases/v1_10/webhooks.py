"""The admission webhooks of Istio 1.10: injection of sidecars into pods, validation of Istio's objects."""

from __future__ import annotations

from typing import Final

from mesh.core.names import INJECTOR
from mesh.releases.common.webhooks import injecting, selectors
from mesh.releases.release import Installation
from mesh.releases.webhooks import ClientConfig, Webhook, WebhookConfiguration, WebhookRule

REVIEWS: Final = ("v1beta1", "v1")
"""Versions of AdmissionReview that istiod supports."""


def injectors(mesh: Installation) -> list[WebhookConfiguration]:
    """The injection webhooks of this control plane: one for each way in which a pod can request a sidecar."""
    url = mesh.values.istiodRemote.injectionURL
    client = ClientConfig(service=mesh.revisioned("istiod"), path="/inject", port=443, url=url)
    everywhere = mesh.values.sidecarInjectorWebhook.enableNamespacesByDefault
    chosen = selectors(mesh.revision, default=not mesh.values.revision, everywhere=everywhere)
    hooks = [injecting(name, client, selected, reinvoke=None) for name, selected in chosen.items()]
    labels = {"app": "sidecar-injector", **mesh.labels}
    return [WebhookConfiguration(name=mesh.revisioned(INJECTOR), labels=labels, webhooks=hooks, reviews=REVIEWS)]


def validators(mesh: Installation) -> list[WebhookConfiguration]:
    """The webhook that validates every Istio object that is created or updated; it belongs to the base."""
    if not mesh.values.base.enabled:
        return []
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
    labels = {"app": "istiod", "istio": "istiod"}
    return [WebhookConfiguration(name=name, labels=labels, webhooks=[check], reviews=REVIEWS)]
