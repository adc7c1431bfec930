"""Containers of pod specs: app containers, native sidecars and init containers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mesh.core import kinds
from mesh.core.kinds import GroupKind


class Container(NamedTuple):
    """A container of a pod's spec."""

    path: str
    """Path of the container in the pod's spec, such as `containers[0]`."""
    body: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.body["name"])

    @property
    def image(self) -> str:
        """The image; empty if the spec has none."""
        return str(self.body.get("image") or "")


def running_containers(pod: Mapping[str, Any]) -> Iterator[Container]:
    """The containers that run as long as the pod: those of `containers`, and native sidecars (init containers with
    `restartPolicy: Always`)."""
    return (
        container
        for container in all_containers(pod)
        if container.path.startswith("containers") or container.body.get("restartPolicy") == "Always"
    )


def running_container(pod: Mapping[str, Any], name: str) -> Container | None:
    """The container `name` of those that run as long as the pod; None if there is none."""
    return next((container for container in running_containers(pod) if container.name == name), None)


def all_containers(pod: Mapping[str, Any]) -> Iterator[Container]:
    """All containers of a pod's spec, init containers last."""
    for field in ("containers", "initContainers"):
        for i, body in enumerate(pod.get(field) or ()):
            yield Container(f"{field}[{i}]", body)


def pod_spec(kind: GroupKind, manifest: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The pod spec in a Pod or in an object with a pod template, and its path; both empty for other objects."""
    spec = manifest.get("spec") or {}
    if kind == kinds.POD:
        return "spec", spec
    if kind in kinds.POD_TEMPLATE_KINDS:
        return "spec.template.spec", (spec.get("template") or {}).get("spec") or {}
    return "", {}
