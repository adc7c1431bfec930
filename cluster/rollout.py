"""Rollouts of workloads: whether all pods have the latest pod template, and why they do not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from cluster import client
from cluster.client import APPLY, Api, Request
from mesh.core import kinds, names
from mesh.core.kinds import GroupKind

Manifest = Mapping[str, Any]

PLURALS: Final[Mapping[GroupKind, str]] = {
    kinds.DEPLOYMENT: "deployments",
    kinds.STATEFUL_SET: "statefulsets",
    kinds.DAEMON_SET: "daemonsets",
}
"""The kinds whose pods are replaced when their template changes, as in API paths."""
_PAUSE: Final = 0.5
"""Seconds between two reads of a workload."""


def path(manifest: Manifest) -> str:
    """The API path of a workload."""
    meta = manifest["metadata"]
    return f"/apis/apps/v1/namespaces/{meta['namespace']}/{PLURALS[GroupKind.of(manifest)]}/{meta['name']}"


def apply(api: Api, manifest: Manifest) -> Manifest:
    """Applies a workload server-side, as the provider does. Raises Refused with the API server's reason."""
    notes = manifest["metadata"]["annotations"]
    force = "&force=true" if notes.get(names.FORCE) == "true" else ""
    request = Request("PATCH", f"{path(manifest)}?fieldManager={notes[names.FIELD_MANAGER]}{force}", manifest, APPLY)
    return client.object_in(api.ask(request))


def wait(api: Api, manifest: Manifest, limit: float, on_wait: Callable[[str], None]) -> bool:
    """Waits up to `limit` seconds until a workload has rolled out, and returns whether it has. `on_wait` is called with
    the progress each time it changes."""
    end, said = time.monotonic() + limit, ""
    while not finished(found := client.get(api, path(manifest))):
        if time.monotonic() > end:
            return False
        if (text := _progress(found)) != said:
            on_wait(said := text)
        time.sleep(_PAUSE)
    return True


def finished(found: Manifest) -> bool:
    """Whether all pods of a workload have its latest template and are available."""
    status, wanted = found.get("status") or {}, _wanted(found)
    available = status.get("availableReplicas") or status.get("numberAvailable") or 0
    old = GroupKind.of(found) == kinds.DEPLOYMENT and status.get("replicas", 0) != wanted
    return _is_seen(found) and not old and _updated(found) == wanted == available


def rolls(found: Manifest) -> bool:
    """Whether a Deployment is still rolling out its latest change."""
    status = found.get("status") or {}
    reasons = {condition["type"]: condition.get("reason") for condition in status.get("conditions") or ()}
    return not _is_seen(found) or reasons.get("Progressing") != "NewReplicaSetAvailable"


def _is_seen(found: Manifest) -> bool:
    """Whether the workload's controller has seen its latest change."""
    return bool((found.get("status") or {}).get("observedGeneration", 0) >= found["metadata"]["generation"])


def reasons(api: Api, found: Manifest) -> Iterator[str]:
    """Kubernetes' own messages about why a workload lacks available or updated pods."""
    status = found.get("status") or {}
    for condition in status.get("conditions", []):
        if condition["type"] == "ReplicaFailure":
            yield condition["message"]
    for pod in _pods(api, found):
        yield from _of_pod(pod["status"])


def drop_unready(api: Api, found: Manifest) -> None:
    """Deletes the pods of a StatefulSet that have its latest template and are not ready: the controller waits for them
    even if the template changes back."""
    last = (found.get("status") or {}).get("updateRevision")
    for pod in _pods(api, found) if GroupKind.of(found) == kinds.STATEFUL_SET else ():
        ready = any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions") or ())
        if pod["metadata"].get("labels", {}).get("controller-revision-hash") == last and not ready:
            client.delete(api, f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}")


def _wanted(found: Manifest) -> int:
    if GroupKind.of(found) == kinds.DAEMON_SET:
        return int((found.get("status") or {}).get("desiredNumberScheduled", 0))
    return int(found["spec"].get("replicas", 1))


def _updated(found: Manifest) -> int:
    status = found.get("status") or {}
    return int(status.get("updatedReplicas") or status.get("updatedNumberScheduled") or 0)


def _progress(found: Manifest) -> str:
    return f"{_updated(found)} of {_wanted(found)} pods are new"


def _pods(api: Api, found: Manifest) -> Iterator[Manifest]:
    selector = ",".join(f"{key}={value}" for key, value in (found["spec"]["selector"].get("matchLabels") or {}).items())
    yield from client.items(api, f"/api/v1/namespaces/{found['metadata']['namespace']}/pods?labelSelector={selector}")


def _of_pod(status: Manifest) -> Iterator[str]:
    for condition in status.get("conditions", []):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            yield condition["message"]
    for container in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("message"):
            yield f"container {container['name']}: {waiting['reason']}: {waiting['message']}"
