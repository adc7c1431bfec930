"""The objects on the cluster that affect traffic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import yaml

from cluster import client
from cluster.client import Api
from sandbox.live.plan import Plan

Manifest = Mapping[str, Any]

NETWORKING: Final = "/apis/networking.istio.io/v1alpha3"
SECURITY: Final = "/apis/security.istio.io/v1beta1"

ISTIO: Final = {
    "Gateway": f"{NETWORKING}/gateways",
    "VirtualService": f"{NETWORKING}/virtualservices",
    "DestinationRule": f"{NETWORKING}/destinationrules",
    "ServiceEntry": f"{NETWORKING}/serviceentries",
    "WorkloadEntry": f"{NETWORKING}/workloadentries",
    "Sidecar": f"{NETWORKING}/sidecars",
    "EnvoyFilter": f"{NETWORKING}/envoyfilters",
    "AuthorizationPolicy": f"{SECURITY}/authorizationpolicies",
    "RequestAuthentication": f"{SECURITY}/requestauthentications",
    "PeerAuthentication": f"{SECURITY}/peerauthentications",
}
"""API paths of the objects of Istio's API, by kind."""

SYSTEM: Final = ("kube-system", "kube-public", "kube-node-lease")
"""Namespaces of Kubernetes, which are left out."""

CORE: Final = ("/api/v1/services", "/api/v1/pods", "/api/v1/configmaps", "/api/v1/secrets")


@dataclass(frozen=True)
class Snapshot:
    """The objects at one moment."""

    services: Sequence[Manifest]
    pods: Sequence[Manifest]
    istio: Mapping[str, Sequence[Manifest]]
    """By kind."""
    mesh_config: str
    """The MeshConfig, as YAML."""
    secrets: Mapping[tuple[str, str], Mapping[str, str]]
    """The `data` of the Secrets that Gateways name, by namespace and name."""

    @cached_property
    def deployed(self) -> Mapping[str, Any]:
        """The MeshConfig, parsed."""
        return yaml.safe_load(self.mesh_config) or {}

    @cached_property
    def ready_pods(self) -> Mapping[tuple[str, str], Sequence[Manifest]]:
        """The ready pods by namespace and controller."""
        found: dict[tuple[str, str], list[Manifest]] = {}
        for pod in filter(ready, self.pods):
            found.setdefault((pod["metadata"]["namespace"], controller(pod)), []).append(pod)
        return found


def take(api: Api, plan: Plan) -> Snapshot:
    """Reads the objects from the API server. Raises ClusterError if it does not answer."""
    config = client.find(api, f"/api/v1/namespaces/{plan.root}/configmaps/{plan.mesh_config}") or {}
    istio = {kind: _items(api, path) for kind, path in ISTIO.items()}
    return Snapshot(
        services=_items(api, "/api/v1/services"),
        pods=_items(api, "/api/v1/pods"),
        istio=istio,
        mesh_config=config.get("data", {}).get("mesh", ""),
        secrets=_secrets(api, istio["Gateway"], plan),
    )


def _secrets(api: Api, gateways: Sequence[Manifest], plan: Plan) -> dict[tuple[str, str], Mapping[str, str]]:
    servers = [server for gateway in gateways for server in gateway["spec"].get("servers", [])]
    names = {str(name) for server in servers if (name := (server.get("tls") or {}).get("credentialName"))}
    places = {edge.namespace for edge in plan.edges}
    found = {(at, name): client.find(api, f"/api/v1/namespaces/{at}/secrets/{name}") for at in places for name in names}
    return {where: secret.get("data") or {} for where, secret in found.items() if secret}


def _items(api: Api, path: str) -> Sequence[Manifest]:
    """The objects of a collection; none if its definition is missing."""
    found: Sequence[Manifest] = (client.find(api, path) or {}).get("items", [])
    return found


def ready(pod: Manifest) -> bool:
    """Whether a pod is ready and not being deleted, and therefore gets requests."""
    conditions = pod.get("status", {}).get("conditions") or []
    good = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return good and "deletionTimestamp" not in pod["metadata"]


def controller(pod: Manifest) -> str:
    """The name of the workload that a pod belongs to, as Istio determines it: its controller, or the Deployment if the
    controller is a ReplicaSet of one; otherwise the pod's own name."""
    meta = pod["metadata"]
    owner = next((one for one in meta.get("ownerReferences") or () if one.get("controller")), None)
    name: str = owner["name"] if owner else meta["name"]
    digest = (meta.get("labels") or {}).get("pod-template-hash")
    return name.removesuffix(f"-{digest}") if digest and owner and owner["kind"] == "ReplicaSet" else name


def selects(selector: Mapping[str, str] | None, labels: Mapping[str, str] | None) -> bool:
    """Whether the selector of a Service or of an object of Istio's API matches labels. Here an empty one matches
    nothing."""
    return bool(selector) and (selector or {}).items() <= (labels or {}).items()
