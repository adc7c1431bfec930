"""The injection gate: no workload of an injected namespace is created while it could miss its sidecar.

Workloads depend on the injection webhook, which is enough within one update. But if istiod has failed since an earlier
update, no resource has changed, so Pulumi waits for nothing, and the webhook still has the CA bundle that istiod wrote.
Therefore a hook checks the cluster right before each workload is created or updated.
"""

from __future__ import annotations

import time
from typing import Any, Final

import pulumi

from cluster import client, leftovers, proxy
from cluster.errors import ClusterError
from cluster.target import Target
from mesh.releases.release import Installation

NAME: Final = "injector-is-ready"
ANSWER_VALID_FOR: Final = 1.0
"""Seconds for which a positive answer is reused, so that workloads that are created together share one check."""


class GateClosed(Exception):
    """The injector is not ready. The message says what is missing and what to do."""


def hook(target: Target, mesh: Installation) -> pulumi.ResourceHook:
    """A resource hook for workloads that this control plane injects. It raises GateClosed if injection is not ready."""
    namespace, deployment, injector = mesh.root, mesh.revisioned("istiod"), mesh.injector
    checked_at = float("-inf")

    def check(args: pulumi.ResourceHookArgs) -> None:
        nonlocal checked_at
        if time.monotonic() - checked_at < ANSWER_VALID_FOR:
            return
        missing = _missing(target, namespace, deployment, injector)
        if missing:
            raise GateClosed(f"{args.name} would start without a sidecar: {missing}. Fix it, then run `up` again")
        checked_at = time.monotonic()

    return pulumi.ResourceHook(mesh.revisioned(NAME), check)


def _missing(target: Target, namespace: str, deployment: str, injector: str) -> str | None:
    """The reason why new pods would not be injected; None if they would be."""
    try:
        with proxy.connect(target) as api:
            istiod = client.get(api, f"/apis/apps/v1/namespaces/{namespace}/deployments/{deployment}")
            hooks: list[dict[str, Any]] = client.get(api, f"{leftovers.INJECTORS}/{injector}")["webhooks"]
    except ClusterError as error:
        return f"istiod cannot be checked ({error})"
    if not istiod.get("status", {}).get("availableReplicas"):
        return f"Deployment {namespace}/{deployment} has no available pod"
    if not all(webhook["clientConfig"].get("caBundle") for webhook in hooks):
        return f"istiod has not patched the webhook {injector}"
    return None
