"""The order in which an app's objects are created: objects that others need come first."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from mesh.core import kinds, pods
from mesh.core.kinds import GroupKind


class Stage(IntEnum):
    """A step of the installation; each waits for the ones before."""

    DEFINITIONS = 0
    """Namespaces, CRDs, and objects that the whole cluster shares."""
    CONFIG = 1
    """Accounts, roles, ConfigMaps, Secrets, volumes, quotas and Services."""
    WORKLOADS = 2
    """Workloads, which wait for the injection gate, and the objects that scale or protect them."""
    ROUTES = 3
    """Objects of Istio and of other APIs, which lead to running workloads."""


_GUARDS: Final = frozenset((kinds.HORIZONTAL_POD_AUTOSCALER, kinds.POD_DISRUPTION_BUDGET))
_SHARED: Final = frozenset(
    (
        kinds.NAMESPACE,
        kinds.CUSTOM_RESOURCE_DEFINITION,
        kinds.STORAGE_CLASS,
        GroupKind("PriorityClass", "scheduling.k8s.io"),
        GroupKind("RuntimeClass", "node.k8s.io"),
        GroupKind("IngressClass", "networking.k8s.io"),
    )
)
_ROUTING_GROUPS: Final = ("istio.io", "gateway.networking.k8s.io")
_OWN_GROUPS: Final = frozenset(("", "apps", "batch", "autoscaling", "policy"))
"""Groups of Kubernetes without a domain."""


def stage(kind: GroupKind) -> Stage:
    """The step in which an object of a kind is created."""
    if kind in _SHARED:
        return Stage.DEFINITIONS
    if kind in pods.TEMPLATES or kind in _GUARDS:
        return Stage.WORKLOADS
    if kind == kinds.INGRESS or kind.group.endswith(_ROUTING_GROUPS):
        return Stage.ROUTES
    return Stage.CONFIG if kind.group in _OWN_GROUPS or kind.group.endswith(".k8s.io") else Stage.ROUTES
