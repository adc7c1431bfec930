"""The pods with a proxy on a cluster, and the control plane that each of them uses.

If the Service of its control plane is deleted, a proxy keeps its configuration. Its certificate, which is valid for a
day by default, is not renewed.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mesh.core import pods, words
from mesh.proxy import control_plane
from mesh.proxy.control_plane import Name
from mesh.proxy.proxy import CONTAINER

Manifest = Mapping[str, Any]

SHOWN: Final = 10
"""The number of names that a message lists; the others are only counted."""
TAKE_OUT: Final = (
    "Remove the injection label from their namespaces and restart them first"
    " (kubectl label namespace NAME istio-injection- istio.io/rev- ;"
    " kubectl rollout restart deployment,statefulset,daemonset --namespace NAME)"
)
"""How to remove the sidecars from pods."""
_MADE_BY_OTHERS: Final = ("ReplicaSet", "Job")
_ROLES_OF_GATEWAYS: Final = ("router", "waypoint")
_ENDED: Final = ("Succeeded", "Failed")
"""Phases of pods whose containers have ended."""


@dataclass(frozen=True)
class Sidecar:
    """A pod that runs Istio's proxy."""

    pod: Manifest
    asks: frozenset[Name]
    """The Services of its control plane: the one that signs its certificates, and the one that configures it. Empty if
    the pod names none."""

    @property
    def name(self) -> Name:
        return name(self.pod)

    @property
    def image(self) -> str:
        """The image of the proxy."""
        proxy = pods.running_container(self.pod["spec"], CONTAINER)
        return proxy.image if proxy else ""

    @property
    def is_gateway(self) -> bool:
        """Whether the proxy is a gateway, not a sidecar."""
        return is_gateway(self.pod["spec"])

    def maker_among(self, names: Container[Name]) -> Name | None:
        """The one of these names whose object has created the pod; None if none has."""
        return next((one for one in makers(self.pod) if one in names), None)


def makers(pod: Manifest) -> Sequence[Name]:
    """The names of the objects that may have created a pod: its owners, or the pod itself if it has none; also the
    Deployment or CronJob of a ReplicaSet or Job, whose name has `-<hash>` or `-<number>` after theirs."""
    namespace, itself = name(pod)
    found = []
    for owner in pod["metadata"].get("ownerReferences", []):
        found.append((namespace, owner["name"]))
        if owner["kind"] in _MADE_BY_OTHERS:
            found.append((namespace, owner["name"].rpartition("-")[0]))
    return found or [(namespace, itself)]


def among(found: Iterable[Manifest]) -> Iterator[Sidecar]:
    """The pods with a proxy that have not ended."""
    for pod in found:
        proxy = pods.running_container(pod["spec"], CONTAINER)
        if proxy and not has_ended(pod):
            yield Sidecar(pod, frozenset(control_plane.asked(proxy.body)))


def has_ended(pod: Manifest) -> bool:
    """Whether a pod is being deleted, or its containers have ended."""
    return "deletionTimestamp" in pod["metadata"] or (pod.get("status") or {}).get("phase") in _ENDED


def is_gateway(spec: Manifest) -> bool:
    """Whether the proxy in the spec of a pod or of a pod template is a gateway: by its role, or if the role is injected
    later, because it is the only container. False without a proxy."""
    proxy = pods.running_container(spec, CONTAINER)
    if not proxy:
        return False
    args = proxy.body.get("args") or ()
    return any(role in args[:2] for role in _ROLES_OF_GATEWAYS) or (
        not args and len([*pods.running_containers(spec)]) == 1
    )


def listed(found: Iterable[Sidecar]) -> str:
    """The names of the pods, for a message."""
    return words.some(["/".join(name) for name in sorted(one.name for one in found)], SHOWN)


def name(manifest: Manifest) -> Name:
    """The namespace (empty without one) and name of an object."""
    meta = manifest["metadata"]
    return meta.get("namespace") or "", meta["name"]
