"""Parts of the admission webhooks: the pods that an injector selects, and the operations for which it is called."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from mesh.core.names import DEFAULT_REVISION, INJECT_LABEL, NAMESPACE_LABEL, REVISION_LABEL
from mesh.releases.release import Installation
from mesh.releases.webhooks import ClientConfig, LabelRequirement, Selector, Webhook, WebhookRule

NEVER: Final[tuple[Selector, Selector]] = ({"istio.io/deactivated": "never-match"},) * 2
"""Istio's selectors of a webhook that is not to be called."""
PODS: Final = WebhookRule(groups=[""], versions=["v1"], resources=["pods"], operations=["CREATE"])


def own_tags(mesh: Installation) -> dict[str, str]:
    """The tags of the values whose webhooks belong to this installation: all but those of the stack's other control
    planes, which have them."""
    return {tag: revision for tag, revision in mesh.values.revisionTags.items() if revision not in mesh.others}


def default_is_elsewhere(mesh: Installation) -> bool:
    """Whether the tag `default` takes the default labels from the control plane without a name."""
    moved = mesh.values.revisionTags.get(DEFAULT_REVISION, DEFAULT_REVISION) != DEFAULT_REVISION
    return moved and not mesh.values.revision


def requirement(key: str, operator: str, *values: str) -> LabelRequirement:
    """A requirement on a label."""
    return LabelRequirement(key=key, operator=operator, values=values)


def selectors(
    revision: str, default: bool, everywhere: bool, never_everywhere: Iterable[str] = ()
) -> dict[str, tuple[Selector, Selector]]:
    """The selectors of namespaces and pods for each webhook, by the first part of its name.

    Pods are injected if they or their namespace have the label of the revision, or of its tag. `default`: also by the
    labels `istio-injection` and `sidecar.istio.io/inject`, and with `everywhere` without labels, except in the
    namespaces `never_everywhere`.
    """
    not_disabled = requirement(INJECT_LABEL, "NotIn", "false")
    no_revision = requirement(REVISION_LABEL, "DoesNotExist")
    no_injection = requirement(NAMESPACE_LABEL, "DoesNotExist")
    this_revision = requirement(REVISION_LABEL, "In", revision)
    found: dict[str, tuple[Selector, Selector]] = {
        "rev.namespace": ([this_revision, no_injection], [not_disabled]),
        "rev.object": ([no_revision, no_injection], [not_disabled, this_revision]),
    }
    if not default:
        return found
    found["namespace"] = ([requirement(NAMESPACE_LABEL, "In", "enabled")], [not_disabled])
    found["object"] = ([no_injection, no_revision], [requirement(INJECT_LABEL, "In", "true"), no_revision])
    if everywhere:
        system = [requirement("kubernetes.io/metadata.name", "NotIn", *names)] if (names := [*never_everywhere]) else []
        unlabelled = [requirement(INJECT_LABEL, "DoesNotExist"), no_revision]
        found["auto"] = ([no_injection, no_revision, *system], unlabelled)
    return found


def injecting(name: str, client: ClientConfig, selected: tuple[Selector, Selector], reinvoke: str | None) -> Webhook:
    """An injection webhook; `name` is the first part of its name."""
    namespaces, pods = selected
    return Webhook(
        name=f"{name}.sidecar-injector.istio.io",
        client_config=client,
        rule=PODS,
        namespace_selector=namespaces,
        object_selector=pods,
        failure_policy="Fail",
        reinvocation_policy=reinvoke,
    )
