"""Images and resource limits of containers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh.analysis.findings import Finding
from mesh.analysis.objects import Object
from mesh.analysis.policies.policy import Policy
from mesh.core import pods
from mesh.core.names import AUTO_IMAGE
from mesh.releases.release import Release

_LIMITS: Final = ("cpu", "memory")


def without_digest(item: Object, _: Release) -> Iterator[Finding]:
    """Images without a digest."""
    path, pod = pods.pod_spec(item.kind, item.body)
    for container in pods.all_containers(pod):
        image = container.image
        if image and image != AUTO_IMAGE and "@" not in image:
            text = f"{image} has no digest (`@sha256:…`)"
            yield IMAGE_WITHOUT_DIGEST.at(item, f"{path}.{container.path}.image", text)


def without_limits(item: Object, _: Release) -> Iterator[Finding]:
    """Running containers without a CPU or memory limit. Init containers are exempt, since they end."""
    path, pod = pods.pod_spec(item.kind, item.body)
    for container in pods.running_containers(pod):
        limits = (container.body.get("resources") or {}).get("limits") or {}
        missing = " or ".join(name for name in _LIMITS if name not in limits)
        if missing and container.image != AUTO_IMAGE:
            text = f"container {container.name} has no {missing} limit"
            yield NO_LIMITS.at(item, f"{path}.{container.path}.resources.limits", text)


IMAGE_WITHOUT_DIGEST: Final = Policy(
    code="MESH0302",
    name="ImageWithoutDigest",
    meaning="An image is referenced by a tag only, which can change to another image.",
    level="disabled",
    check_object=without_digest,
)
NO_LIMITS: Final = Policy(
    code="MESH0305",
    name="MissingLimits",
    meaning="A container has no CPU or memory limit.",
    check_object=without_limits,
)
