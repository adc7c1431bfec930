"""The pods with a sidecar on a cluster, and which control plane each of them asks.

Without that Service a proxy runs on with the configuration that it has, and its certificate, which lasts a day by
default, is not renewed.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cluster import client
from cluster.client import Api
from mesh.core import pods, words
from mesh.proxy import control_plane
from mesh.proxy.control_plane import Name
from mesh.proxy.proxy import CONTAINER

Manifest = Mapping[str, Any]

SHOWN: Final = 10
"""Names that a message lists; further ones are only counted."""
TAKE_OUT: Final = (
    "Take the injection label from their namespaces and restart them first"
    " (kubectl label namespace NAME istio-injection- istio.io/rev- ;"
    " kubectl rollout restart deployment,statefulset,daemonset --namespace NAME)"
)
"""How pods get rid of their sidecar."""
_MADE_BY_OTHERS: Final = ("ReplicaSet", "Job")
_ENDED: Final = ("Succeeded", "Failed")
"""Phases of pods whose containers have ended."""


@dataclass(frozen=True)
class Sidecar:
    """A pod that runs Istio's proxy."""

    pod: Manifest
    asks: frozenset[Name]
    """The Services of its control plane: the one that signs its certificates, and the one that configures it. Empty if
    the pod does not say."""

    @property
    def name(self) -> Name:
        return name(self.pod)

    @property
    def makers(self) -> Sequence[Name]:
        """What may have made the pod: what controls it, or else itself; and the Deployment or CronJob of a ReplicaSet
        or Job, whose name has `-<hash>` or `-<number>` after theirs."""
        namespace, itself = self.name
        found = []
        for owner in self.pod["metadata"].get("ownerReferences", []):
            found.append((namespace, owner["name"]))
            if owner["kind"] in _MADE_BY_OTHERS:
                found.append((namespace, owner["name"].rpartition("-")[0]))
        return found or [(namespace, itself)]

    def maker_among(self, names: Container[Name]) -> Name | None:
        """What has made the pod, of the objects with these names; None if none of them has."""
        return next((name for name in self.makers if name in names), None)


def running(api: Api) -> Iterator[Sidecar]:
    """The pods with a proxy on the cluster that have not ended. Raises Refused if pods may not be listed."""
    for pod in client.items(api, "/api/v1/pods"):
        proxy = pods.running_container(pod["spec"], CONTAINER)
        ended = "deletionTimestamp" in pod["metadata"] or (pod.get("status") or {}).get("phase") in _ENDED
        if proxy and not ended:
            yield Sidecar(pod, frozenset(control_plane.asked(proxy.body)))


def listed(found: Iterable[Sidecar]) -> str:
    """The names of the pods, for a message."""
    return words.some(["/".join(name) for name in sorted(one.name for one in found)], SHOWN)


def name(manifest: Manifest) -> Name:
    """The namespace (empty without one) and name of an object."""
    meta = manifest["metadata"]
    return meta.get("namespace") or "", meta["name"]
