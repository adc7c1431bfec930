"""The injection gate: no workload of an injected namespace is created while its sidecar could be missing.

Workloads depend on the injection webhook, which orders one update. An istiod that has died since goes unnoticed: no
resource changed, so nothing is waited for, and the webhook still has the certificate authority that istiod wrote.
Therefore each workload asks the cluster once more, right before it is created or changed.
"""

from __future__ import annotations

import time
from typing import Any, Final

import pulumi

from cluster import client, proxy
from cluster.errors import ClusterError
from cluster.target import Target
from mesh.core.names import INJECTOR
from mesh.releases.release import Installation

NAME: Final = "injector-is-ready"
FRESH: Final = 1.0
"""Seconds for which the cluster's answer is good: workloads that are made at the same time ask once."""
_WEBHOOKS: Final = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"


class GateClosed(Exception):
    """The injector is not ready; the text says what is missing and what to do."""


def hook(at: Target, mesh: Installation) -> pulumi.ResourceHook:
    """A hook for workloads whose sidecars come from this control plane."""
    namespace, deployment, injector = mesh.root, mesh.revisioned("istiod"), mesh.revisioned(INJECTOR)
    asked = float("-inf")

    def check(args: pulumi.ResourceHookArgs) -> None:
        nonlocal asked
        if time.monotonic() - asked < FRESH:
            return
        missing = _missing(at, namespace, deployment, injector)
        if missing:
            raise GateClosed(f"{args.name} would start without a sidecar: {missing}. Mend it, then run `up` again")
        asked = time.monotonic()

    return pulumi.ResourceHook(NAME, check)


def _missing(at: Target, namespace: str, deployment: str, injector: str) -> str | None:
    """What keeps new pods from being injected; None if nothing does."""
    try:
        with proxy.connect(at) as api:
            istiod = client.get(api, f"/apis/apps/v1/namespaces/{namespace}/deployments/{deployment}")
            hooks: list[dict[str, Any]] = client.get(api, f"{_WEBHOOKS}/{injector}")["webhooks"]
    except ClusterError as error:
        return f"istiod cannot be seen ({error})"
    if not istiod.get("status", {}).get("availableReplicas"):
        return f"Deployment {namespace}/{deployment} has no available pod"
    if not all(webhook["clientConfig"].get("caBundle") for webhook in hooks):
        return f"istiod has not patched the webhook {injector}"
    return None
