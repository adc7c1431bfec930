"""Kinds of objects, identified by API group and name: both Istio and the Gateway API have a `Gateway`.

In text, a name alone means the kind of Istio or Kubernetes itself. Kinds of other groups are written as kubectl writes
them: `Gateway.gateway.networking.k8s.io`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Self


class GroupKind(NamedTuple):
    """A kind, without the version of its API."""

    name: str
    group: str
    """Empty for the core group."""

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Self:
        """The kind of a manifest, from its `apiVersion` and `kind`."""
        return cls.of_version(str(manifest["apiVersion"]), str(manifest["kind"]))

    @classmethod
    def of_version(cls, api_version: str, name: str) -> Self:
        """The kind with this name in an `apiVersion` such as `apps/v1`."""
        return cls(name, group_of(api_version))

    def __str__(self) -> str:
        """The name alone if `BY_NAME` has this kind under it, otherwise `name.group`."""
        return self.name if BY_NAME.get(self.name) == self or not self.group else f"{self.name}.{self.group}"


def of_inputs(inputs: Mapping[str, Any]) -> GroupKind | None:
    """The kind of a Kubernetes resource, from its inputs; None if the resource is not a Kubernetes object."""
    return GroupKind.of(inputs) if {"apiVersion", "kind"} <= inputs.keys() else None


def group_of(api_version: str) -> str:
    """The group of an `apiVersion`; empty for the core group (`v1`)."""
    return api_version.rpartition("/")[0]


_ADMISSION: Final = "admissionregistration.k8s.io"
_APPS: Final = "apps"
_NETWORKING: Final = "networking.istio.io"
_RBAC: Final = "rbac.authorization.k8s.io"
_SECURITY: Final = "security.istio.io"

AUTHORIZATION_POLICY: Final = GroupKind("AuthorizationPolicy", _SECURITY)
CLUSTER_ROLE: Final = GroupKind("ClusterRole", _RBAC)
CLUSTER_ROLE_BINDING: Final = GroupKind("ClusterRoleBinding", _RBAC)
CONFIG_MAP: Final = GroupKind("ConfigMap", "")
CRON_JOB: Final = GroupKind("CronJob", "batch")
DAEMON_SET: Final = GroupKind("DaemonSet", _APPS)
CUSTOM_RESOURCE_DEFINITION: Final = GroupKind("CustomResourceDefinition", "apiextensions.k8s.io")
DEPLOYMENT: Final = GroupKind("Deployment", _APPS)
DESTINATION_RULE: Final = GroupKind("DestinationRule", _NETWORKING)
POD_DISRUPTION_BUDGET: Final = GroupKind("PodDisruptionBudget", "policy")
ENVOY_FILTER: Final = GroupKind("EnvoyFilter", _NETWORKING)
GATEWAY: Final = GroupKind("Gateway", _NETWORKING)
INGRESS: Final = GroupKind("Ingress", "networking.k8s.io")
JOB: Final = GroupKind("Job", "batch")
MUTATING_WEBHOOK: Final = GroupKind("MutatingWebhookConfiguration", _ADMISSION)
NAMESPACE: Final = GroupKind("Namespace", "")
NETWORK_POLICY: Final = GroupKind("NetworkPolicy", "networking.k8s.io")
PEER_AUTHENTICATION: Final = GroupKind("PeerAuthentication", _SECURITY)
POD: Final = GroupKind("Pod", "")
REPLICA_SET: Final = GroupKind("ReplicaSet", _APPS)
REPLICATION_CONTROLLER: Final = GroupKind("ReplicationController", "")
REQUEST_AUTHENTICATION: Final = GroupKind("RequestAuthentication", _SECURITY)
ROLE: Final = GroupKind("Role", _RBAC)
ROLE_BINDING: Final = GroupKind("RoleBinding", _RBAC)
HORIZONTAL_POD_AUTOSCALER: Final = GroupKind("HorizontalPodAutoscaler", "autoscaling")
SECRET: Final = GroupKind("Secret", "")
SERVICE: Final = GroupKind("Service", "")
SERVICE_ACCOUNT: Final = GroupKind("ServiceAccount", "")
SERVICE_ENTRY: Final = GroupKind("ServiceEntry", _NETWORKING)
SIDECAR: Final = GroupKind("Sidecar", _NETWORKING)
STATEFUL_SET: Final = GroupKind("StatefulSet", _APPS)
STORAGE_CLASS: Final = GroupKind("StorageClass", "storage.k8s.io")
TELEMETRY: Final = GroupKind("Telemetry", "telemetry.istio.io")
VALIDATING_WEBHOOK: Final = GroupKind("ValidatingWebhookConfiguration", _ADMISSION)
VIRTUAL_SERVICE: Final = GroupKind("VirtualService", _NETWORKING)
PERSISTENT_VOLUME_CLAIM: Final = GroupKind("PersistentVolumeClaim", "")
WORKLOAD_ENTRY: Final = GroupKind("WorkloadEntry", _NETWORKING)

POD_TEMPLATE_KINDS: Final = (DEPLOYMENT, STATEFUL_SET, DAEMON_SET, REPLICA_SET, JOB)
"""Kinds with a pod template in `spec.template`."""

_OTHER_KINDS: Final = (
    GroupKind("ProxyConfig", _NETWORKING),
    GroupKind("WorkloadGroup", _NETWORKING),
    GroupKind("Telemetry", "telemetry.istio.io"),
    GroupKind("TrafficExtension", "extensions.istio.io"),
    GroupKind("WasmPlugin", "extensions.istio.io"),
    GroupKind("IstioOperator", "install.istio.io"),
    GroupKind("ValidatingAdmissionPolicy", _ADMISSION),
    GroupKind("ValidatingAdmissionPolicyBinding", _ADMISSION),
    GroupKind("EndpointSlice", "discovery.k8s.io"),
    GroupKind("MonitoringDashboard", "monitoring.kiali.io"),
    *(
        GroupKind(name, "")
        for name in ("Endpoints", "Event", "LimitRange", "Node", "PersistentVolume", "ResourceQuota")
    ),
)
"""Kinds that have no constant in this module, but whose names are also shown without the group."""

BY_NAME: Final[Mapping[str, GroupKind]] = {
    kind.name: kind for kind in (*(value for value in vars().values() if isinstance(value, GroupKind)), *_OTHER_KINDS)
}
"""The kind that a name without a group stands for."""
