"""What pods are made from: images and resources of their containers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh.analysis.findings import Finding
from mesh.analysis.objects import Object
from mesh.analysis.policies.policy import Policy
from mesh.core import pods
from mesh.releases.release import Release

_AT_INJECTION: Final = "auto"
"""The image of a container that the injector fills in."""
_LIMITS: Final = ("cpu", "memory")


def without_digest(thing: Object, _: Release) -> Iterator[Finding]:
    """Images that a tag alone names."""
    path, pod = pods.pod_spec(thing.kind, thing.body)
    for container in pods.all_containers(pod):
        image = container.image
        if image and image != _AT_INJECTION and "@" not in image:
            text = f"{image} has no digest: add the one that you have checked, `@sha256:…`"
            yield IMAGE_WITHOUT_DIGEST.at(thing, f"{path}.{container.path}.image", text)


def without_limits(thing: Object, _: Release) -> Iterator[Finding]:
    """Containers that run on without a limit of memory or CPU."""
    path, pod = pods.pod_spec(thing.kind, thing.body)
    for container in pods.running_containers(pod):
        limits = (container.body.get("resources") or {}).get("limits") or {}
        lacking = " or ".join(name for name in _LIMITS if name not in limits)
        if lacking and container.image != _AT_INJECTION:
            text = f"the container {container.name} has no limit of {lacking}"
            yield NO_LIMITS.at(thing, f"{path}.{container.path}.resources.limits", text)


IMAGE_WITHOUT_DIGEST: Final = Policy(
    code="MESH0302",
    name="ImageWithoutDigest",
    meaning="An image is named by a tag alone, which may come to mean another image.",
    level="disabled",
    check_object=without_digest,
)
NO_LIMITS: Final = Policy(
    code="MESH0305",
    name="MissingLimits",
    meaning="A container may take all memory or CPU of its node.",
    check_object=without_limits,
)
