"""Waits for new pods of the stack after an update, and explains why objects are not ready."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster import client, leftovers, rollout
from cluster.client import Api
from cluster.errors import ClusterError
from mesh.core import kinds
from mesh.core.kinds import GroupKind

Manifest = Mapping[str, Any]

PAUSE: Final = 0.5
"""Seconds between two requests for the Deployments that roll out."""


def wait(state: Mapping[str, Any], api: Api, limit: float) -> bool:
    """Waits up to `limit` seconds until the recorded Deployments have rolled out. Returns whether they have.

    Pulumi's Kubernetes provider (4.25) may read a Deployment's status from before the update, and assume that the
    rollout has finished."""
    manifests = [resource.get("inputs", {}) for resource in state.get("resources") or []]
    ours = {_name(manifest) for manifest in manifests if kinds.of_inputs(manifest) == kinds.DEPLOYMENT}
    end = time.monotonic() + limit
    told: set[str] = set()
    while ours:
        found = client.items(api, "/apis/apps/v1/deployments")
        rolling = {_name(each) for each in found if rollout.rolls(each)} & ours
        for name in sorted(rolling - told):
            print(f"waiting for the new pods of Deployment {name}", flush=True)
        told |= rolling
        if not rolling:
            break
        if time.monotonic() > end:
            print(f"no new pods within {limit:.0f} s (mesh:timeout): Deployment {', '.join(sorted(rolling))}")
            return False
        time.sleep(PAUSE)
    return True


def _name(found: Manifest) -> str:
    return f"{found['metadata'].get('namespace')}/{found['metadata'].get('name')}"


def explain(state: Mapping[str, Any], api: Api) -> None:
    """Prints a line for each reason why a recorded Deployment, load balancer or validating webhook is not ready."""
    lines: dict[str, None] = {}
    for resource in state.get("resources") or []:
        manifest = resource.get("inputs", {})
        kind, meta = kinds.of_inputs(manifest), manifest.get("metadata", {})
        try:
            lines |= dict.fromkeys(_lines(api, kind, meta))
        except ClusterError:
            continue  # the error itself has been shown
    for line in lines:
        print(line)


def _lines(api: Api, kind: GroupKind | None, meta: Mapping[str, str]) -> Iterator[str]:
    if kind == kinds.VALIDATING_WEBHOOK:
        yield from _of_validator(api, meta["name"])
    for reason in _reasons(api, kind, meta):
        yield f"{kind} {meta['namespace']}/{meta['name']} is not ready: {reason}"


def _of_validator(api: Api, name: str) -> Iterator[str]:
    """A line for each Deployment without an available pod whose answer the API server needs to accept an object."""
    for webhook in client.get(api, f"{leftovers.VALIDATORS}/{name}").get("webhooks") or []:
        service = webhook["clientConfig"].get("service")
        if service and webhook.get("failurePolicy") == "Fail":
            place = service["namespace"]
            found = client.find(api, f"/apis/apps/v1/namespaces/{place}/deployments/{service['name']}") or {}
            if not found.get("status", {}).get("availableReplicas"):
                yield (
                    f"Deployment {place}/{service['name']} has no available pod. It validates objects of Istio's API,"
                    " so the API server refuses them all. If it is scaled to zero, `kubectl scale"
                    f" deployment/{service['name']} --namespace {place} --replicas 1` starts it; then run"
                    " `make up` again"
                )


def _reasons(api: Api, kind: GroupKind | None, meta: Mapping[str, str]) -> Iterator[str]:
    if kind == kinds.DEPLOYMENT:
        found = client.get(api, f"/apis/apps/v1/namespaces/{meta['namespace']}/deployments/{meta['name']}")
        yield from dict.fromkeys(_of_deployment(api, found))
    elif kind == kinds.SERVICE:
        found = client.get(api, f"/api/v1/namespaces/{meta['namespace']}/services/{meta['name']}")
        if found["spec"]["type"] == "LoadBalancer" and not found["status"]["loadBalancer"].get("ingress"):
            yield "the load balancer has no address yet"


def _of_deployment(api: Api, found: Manifest) -> Iterator[str]:
    """The reasons why a Deployment lacks available or updated pods."""
    status = found["status"]
    if status.get("unavailableReplicas") or status.get("updatedReplicas", 0) < found["spec"]["replicas"]:
        yield from rollout.reasons(api, found)
