"""Checks the injection labels of namespaces, and the webhooks that they refer to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh.analysis import codes
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object, Ref
from mesh.analysis.rules import injectors
from mesh.analysis.workloads import SYSTEM
from mesh.core import errors, kinds
from mesh.core.names import MODE_LABEL, NAMESPACE_LABEL, REVISION_LABEL


def injection_labels(mesh: Mesh) -> Iterator[Finding]:
    """Each namespace has one injection label, and a revision that it names has a control plane."""
    revisions = {obj.labels[REVISION_LABEL] for obj in _injectors(mesh)} | mesh.tags.keys()
    for obj in mesh.of(kinds.NAMESPACE):
        enabled, revision = obj.labels.get(NAMESPACE_LABEL), obj.labels.get(REVISION_LABEL)
        ambient = obj.labels.get(MODE_LABEL) == "ambient"
        said = {NAMESPACE_LABEL: enabled, REVISION_LABEL: revision, MODE_LABEL: ambient}
        labels = [name for name, value in said.items() if value]
        if len(labels) > 1 and enabled in (None, "enabled"):
            text = f"{' and '.join(labels)} are set together: leave one of them out"
            yield codes.SEVERAL_LABELS.at(obj, "metadata.labels", text)
        elif revision and enabled is None:
            if revisions and revision not in revisions:
                text = f"no control plane of revision {revision} injects here{errors.nearest(revision, revisions)}"
                yield codes.UNKNOWN_REVISION.at(obj, "metadata.labels", text)
        elif not labels and enabled is None and obj.name not in (mesh.home, *SYSTEM):
            yield from _unlabelled(mesh, obj)


def _unlabelled(mesh: Mesh, obj: Object) -> Iterator[Finding]:
    if mesh.injects_unlabelled:
        text = (
            f"enableNamespacesByDefault injects its pods: label it {NAMESPACE_LABEL}=disabled if that is not intended"
        )
        yield codes.INJECTED_BY_DEFAULT.at(obj, "metadata.labels", text)
    elif not _manual(mesh, obj.name):
        text = f"pods get no sidecar: label it {NAMESPACE_LABEL}=enabled, or =disabled if that is intended"
        yield codes.NOT_INJECTED.at(obj, "metadata.labels", text)


def _injectors(mesh: Mesh) -> Iterator[Object]:
    """The webhooks that inject sidecars."""
    for obj in mesh.of(kinds.MUTATING_WEBHOOK):
        if REVISION_LABEL in obj.labels:
            yield obj


def _manual(mesh: Mesh, namespace: str) -> bool:
    """Whether all workloads of a namespace have the sidecar in their own pod template."""
    pods = mesh.workloads.select({}, namespace)
    return bool(pods) and all(pod.proxy for pod in pods)


def webhook_services(mesh: Mesh) -> Iterator[Finding]:
    """The Service that an injection webhook calls exists."""
    for obj in mesh.of(kinds.MUTATING_WEBHOOK):
        for i, webhook in enumerate(obj.body.get("webhooks") or ()):
            service = (webhook.get("clientConfig") or {}).get("service")
            ours = REVISION_LABEL in obj.labels or webhook["name"].endswith("istio.io")
            if ours and service and not mesh.get(Ref(kinds.SERVICE, service["namespace"], service["name"])):
                text = f"there is no Service {service['namespace']}/{service['name']}: new pods are refused"
                yield codes.WEBHOOK.at(obj, f"webhooks[{i}].clientConfig.service", text)


RULES: Final = (injection_labels, webhook_services, *injectors.RULES)
