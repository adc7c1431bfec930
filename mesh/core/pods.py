"""Pods of objects that make them, and their containers: app containers, native sidecars and init containers."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from mesh.core import kinds
from mesh.core.kinds import GroupKind

TEMPLATES: Final[Mapping[GroupKind, tuple[str, ...]]] = {
    kinds.POD: (),
    **dict.fromkeys((*kinds.POD_TEMPLATE_KINDS, kinds.REPLICATION_CONTROLLER), ("spec", "template")),
    kinds.CRON_JOB: ("spec", "jobTemplate", "spec", "template"),
}
"""Where the pod template is, with its `metadata` and `spec`, in the kinds of Kubernetes that make pods."""

RESTARTED: Final = (kinds.DEPLOYMENT, kinds.STATEFUL_SET, kinds.DAEMON_SET)
"""Kinds whose pods are replaced when the pod template changes."""


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


def template(kind: GroupKind, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The pod template of an object, or the Pod itself; empty for kinds that make no pods."""
    found: Any = manifest if kind in TEMPLATES else {}
    for name in TEMPLATES.get(kind, ()):
        found = found.get(name) or {}
    template: dict[str, Any] = found
    return template


def pod_spec(kind: GroupKind, manifest: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The pod spec in a Pod or in an object with a pod template, and its path; both empty for other objects."""
    if kind not in TEMPLATES:
        return "", {}
    return ".".join((*TEMPLATES[kind], "spec")), template(kind, manifest).get("spec") or {}


def annotated(kind: GroupKind, manifest: Mapping[str, Any], annotations: Mapping[str, str]) -> dict[str, Any]:
    """A copy of an object with further annotations of its pods."""
    result = copy.deepcopy(dict(manifest))
    meta = template(kind, result).setdefault("metadata", {})
    meta["annotations"] = {**(meta.get("annotations") or {}), **annotations}
    return result
