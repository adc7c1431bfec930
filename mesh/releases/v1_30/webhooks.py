"""The admission webhooks of Istio 1.30: injection of sidecars into pods, validation of Istio's objects.

Labels of namespaces and pods name a revision or a tag. The tag `default` stands for the revision that injects by the
other labels, too, and validates the objects without a label; `istioctl install` makes it with the first control plane
of a cluster.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mesh.core.names import DEFAULT_REVISION, REVISION_LABEL, revisioned
from mesh.releases.common.webhooks import (
    NEVER,
    default_is_elsewhere,
    injecting,
    own_tags,
    requirement,
    selectors,
)
from mesh.releases.release import Installation, Tag
from mesh.releases.webhooks import ClientConfig, LabelRequirement, Webhook, WebhookConfiguration, WebhookRule

_REVIEWS: Final = ("v1",)
"""Versions of AdmissionReview that istiod supports."""
_SYSTEM: Final = ("kube-system", "kube-public", "kube-node-lease", "local-path-storage")
"""Namespaces that `enableNamespacesByDefault` leaves alone."""
OBJECTS: Final = WebhookRule(
    groups=["security.istio.io", "networking.istio.io", "telemetry.istio.io", "extensions.istio.io"],
    versions=["*"],
    resources=["*"],
    operations=["CREATE", "UPDATE"],
)
"""Istio's objects, whenever they are written."""


def tags(mesh: Installation) -> list[Tag]:
    """The tags: those of the values, and `default` with a control plane that has no name, or that installs the base."""
    explicit = [
        Tag(name=name, revision=revision, service=revision == mesh.revision)
        for name, revision in own_tags(mesh).items()
    ]
    first = not mesh.values.revision or mesh.values.base.enabled
    implied = first and mesh.values.pilot.enabled and DEFAULT_REVISION not in mesh.values.revisionTags
    return [*explicit, *([Tag(name=DEFAULT_REVISION, revision=mesh.revision, implied=True)] if implied else [])]


def injectors(mesh: Installation) -> list[WebhookConfiguration]:
    """The injection webhooks of this control plane and of its tags: one for each way to request a sidecar.

    The default labels belong to one of them only: to the control plane without a name, or else to the tag `default`.
    There are none if something else installs them.
    """
    if mesh.values.global_.operatorManageWebhooks:
        return []
    unnamed, active = not mesh.values.revision, not default_is_elsewhere(mesh)
    own = _injector(mesh, mesh.injector, mesh.labels, mesh.revision, mesh.revision, active=active)
    return [
        own,
        *(
            _injector(
                mesh,
                _of_tag(tag, mesh),
                tag.labels,
                tag.revision,
                tag.name,
                active=not (unnamed and (tag.name, tag.revision) == (DEFAULT_REVISION, DEFAULT_REVISION)),
            )
            for tag in tags(mesh)
        ),
    ]


def _of_tag(tag: Tag, mesh: Installation) -> str:
    """The name of a tag's injection webhook. Those that `istioctl` makes by itself name no namespace."""
    name = f"istio-revision-tag-{tag.name}"
    return name if tag.implied else mesh.cluster_wide(name)


def _injector(
    mesh: Installation, name: str, labels: Mapping[str, str], revision: str, selected: str, active: bool
) -> WebhookConfiguration:
    """The webhooks that call the injector of `revision` for the label's value `selected`."""
    webhook, remote = mesh.values.sidecarInjectorWebhook, mesh.values.istiodRemote
    client = ClientConfig(
        service=service(revision),
        path=remote.injectionPath,
        port=443,
        url=remote.injectionURL,
        ca_bundle=remote.injectionCABundle if selected == mesh.revision else "",
    )
    by_default = selected == DEFAULT_REVISION
    chosen = selectors(selected, by_default, webhook.enableNamespacesByDefault, never_everywhere=_SYSTEM)
    hooks = [
        injecting(part, client, found if active else NEVER, webhook.reinvocationPolicy)
        for part, found in chosen.items()
    ]
    return WebhookConfiguration(
        name=name,
        labels={"app": "sidecar-injector", **labels},
        annotations=mesh.values.pilot.sidecarInjectorWebhookAnnotations,
        webhooks=hooks,
        reviews=_REVIEWS,
    )


def validators(mesh: Installation) -> list[WebhookConfiguration]:
    """The webhooks that validate Istio's objects: those with the label of this revision, and with the tag `default`,
    those without a label."""
    values = mesh.values
    own = f"{mesh.revisioned('istio-validator')}-{mesh.root}"
    labelled = requirement(REVISION_LABEL, "In", mesh.revision)
    found = [_validator(mesh, own, "rev.validation", mesh.revision, mesh.labels, labelled)]
    unlabelled = requirement(REVISION_LABEL, "DoesNotExist")
    for tag in tags(mesh):
        if tag.name == DEFAULT_REVISION:
            found.append(
                _validator(mesh, "istiod-default-validator", "validation", tag.revision, tag.labels, unlabelled)
            )
    return found if values.global_.configValidation and values.trusts_istiod else []


def _validator(
    mesh: Installation, name: str, prefix: str, revision: str, labels: Mapping[str, str], selected: LabelRequirement
) -> WebhookConfiguration:
    base = mesh.values.base
    client = ClientConfig(
        service=service(revision), path="/validate", url=base.validationURL, ca_bundle=base.validationCABundle
    )
    check = Webhook(
        name=f"{prefix}.istio.io",
        client_config=client,
        rule=OBJECTS,
        object_selector=[selected],
        failure_policy="Fail" if base.validationCABundle else base.validationFailurePolicy or None,
    )
    labels = {"app": "istiod", "istio": "istiod", **labels}
    return WebhookConfiguration(name=name, labels=labels, webhooks=[check], reviews=_REVIEWS)


def service(revision: str) -> str:
    """The Service of the control plane of a revision."""
    return revisioned("istiod", revision)
