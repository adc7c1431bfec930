"""The admission webhooks of Istio 1.10: injection of sidecars into pods, validation of Istio's objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mesh.core.names import DEFAULT_REVISION, revisioned
from mesh.releases.common.webhooks import NEVER, default_is_elsewhere, injecting, own_tags, selectors
from mesh.releases.release import Installation, Tag
from mesh.releases.webhooks import ClientConfig, Selector, Webhook, WebhookConfiguration, WebhookRule

REVIEWS: Final = ("v1beta1", "v1")
"""Versions of AdmissionReview that istiod supports."""
_KNOWN: Final = ("v1alpha3", "v1beta1")
"""The versions of the API's groups that 1.10 validates."""


def tags(mesh: Installation) -> list[Tag]:
    """The tags of the values. The control plane without a name has the default labels anyway."""
    unnamed = (DEFAULT_REVISION, DEFAULT_REVISION)
    return [Tag(name=name, revision=target) for name, target in own_tags(mesh).items() if (name, target) != unnamed]


def injectors(mesh: Installation) -> list[WebhookConfiguration]:
    """The injection webhooks of this control plane and of its tags: one for each way in which a pod can request a
    sidecar. There are none if something else installs them."""
    if mesh.values.global_.operatorManageWebhooks:
        return []
    everywhere = mesh.values.sidecarInjectorWebhook.enableNamespacesByDefault
    chosen = selectors(mesh.revision, default=not mesh.values.revision, everywhere=everywhere)
    if default_is_elsewhere(mesh):
        chosen = dict.fromkeys(chosen, NEVER)
    own = _injector(mesh, mesh.injector, mesh.labels, mesh.revision, chosen)
    return [
        own,
        *(
            _injector(
                mesh,
                mesh.cluster_wide(f"istio-revision-tag-{tag.name}"),
                tag.labels,
                tag.revision,
                selectors(tag.name, default=tag.name == DEFAULT_REVISION, everywhere=False),
            )
            for tag in tags(mesh)
        ),
    ]


def _injector(
    mesh: Installation,
    name: str,
    labels: Mapping[str, str],
    revision: str,
    chosen: Mapping[str, tuple[Selector, Selector]],
) -> WebhookConfiguration:
    """The webhooks that call the injector of `revision` for the selected pods."""
    service = revisioned("istiod", revision)
    url = mesh.values.istiodRemote.injectionURL
    client = ClientConfig(service=service, path="/inject", port=443, url=url)
    hooks = [injecting(part, client, selected, reinvoke=None) for part, selected in chosen.items()]
    labels = {"app": "sidecar-injector", **labels}
    return WebhookConfiguration(name=name, labels=labels, webhooks=hooks, reviews=REVIEWS)


def validators(mesh: Installation) -> list[WebhookConfiguration]:
    """The webhook that validates every Istio object that is created or updated; it belongs to the base.

    It refuses versions of objects that are newer than 1.10. If newer CRDs serve such versions, the webhook requests
    those that it knows, and the API server converts the objects."""
    if not (mesh.values.base.enabled and mesh.values.global_.configValidation):
        return []
    check = Webhook(
        name="validation.istio.io",
        client_config=ClientConfig(
            service=mesh.revisioned("istiod"), path="/validate", url=mesh.values.base.validationURL
        ),
        rule=WebhookRule(
            groups=["security.istio.io", "networking.istio.io"],
            versions=["*"] if mesh.newest is mesh.release else _KNOWN,
            resources=["*"],
            operations=["CREATE", "UPDATE"],
        ),
    )
    name = f"istiod-{mesh.root}"  # istiod expects this name, whatever its revision
    labels = {"app": "istiod", "istio": "istiod"}
    return [WebhookConfiguration(name=name, labels=labels, webhooks=[check], reviews=REVIEWS)]
