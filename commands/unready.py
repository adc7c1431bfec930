"""After an update that failed: which objects of the stack are not ready, and what the cluster says of the reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from components import cluster
from components.cluster import ClusterError, Target

Object = Mapping[str, Any]


def explain(state: Mapping[str, Any], at: Target) -> None:
    """Prints a line for each reason why a recorded Deployment or load balancer is not ready."""
    for resource in state.get("resources") or []:
        manifest = resource.get("inputs", {})
        kind, meta = manifest.get("kind"), manifest.get("metadata", {})
        try:
            for reason in _reasons(at, kind, meta):
                print(f"{kind} {meta['namespace']}/{meta['name']} is not ready: {reason}")
        except ClusterError:
            continue  # the error itself has been shown


def _reasons(at: Target, kind: str | None, meta: Mapping[str, str]) -> Iterator[str]:
    if kind == "Deployment":
        found = cluster.get(at, f"/apis/apps/v1/namespaces/{meta['namespace']}/deployments/{meta['name']}")
        yield from dict.fromkeys(_of_deployment(at, found))
    elif kind == "Service":
        found = cluster.get(at, f"/api/v1/namespaces/{meta['namespace']}/services/{meta['name']}")
        if found["spec"]["type"] == "LoadBalancer" and not found["status"]["loadBalancer"].get("ingress"):
            yield "nobody has given the load balancer an address"


def _of_deployment(at: Target, found: Object) -> Iterator[str]:
    """Why it does not have the pods that it should have."""
    status = found["status"]
    if not status.get("unavailableReplicas") and status.get("updatedReplicas", 0) >= found["spec"]["replicas"]:
        return
    for condition in status.get("conditions", []):
        if condition["type"] == "ReplicaFailure":
            yield condition["message"]
    selector = ",".join(f"{key}={value}" for key, value in found["spec"]["selector"]["matchLabels"].items())
    pods = cluster.get(at, f"/api/v1/namespaces/{found['metadata']['namespace']}/pods?labelSelector={selector}")
    for pod in pods["items"]:
        yield from _of_pod(pod["status"])


def _of_pod(status: Object) -> Iterator[str]:
    for condition in status.get("conditions", []):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            yield condition["message"]
    for container in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("message"):
            yield f"container {container['name']}: {waiting['reason']}: {waiting['message']}"
