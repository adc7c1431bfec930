"""What stands on the cluster and concerns traffic."""

import http.client
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cluster import client
from cluster.client import Api
from sandbox.api import Endpoints
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
"""Where the API server has the objects of each kind of Istio's API."""

CORE: Final = ("/api/v1/services", "/api/v1/pods", "/api/v1/configmaps", "/api/v1/secrets")

PAUSE: Final = 1.0
"""Seconds until a watch that ended begins anew: the API server restarts, or a definition is not there yet."""


@dataclass(frozen=True)
class Snapshot:
    """The objects at one moment."""

    services: Sequence[Manifest]
    pods: Sequence[Manifest]
    istio: Mapping[str, Sequence[Manifest]]
    """By kind."""
    mesh_config: str
    """The mesh's configuration, as YAML."""
    secrets: Mapping[tuple[str, str], Mapping[str, str]]
    """The content of those that Gateways name, in base64, by namespace and name."""


def take(api: Api, plan: Plan) -> Snapshot:
    """Asks the API server. ClusterError if it does not answer as it should."""
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
    places = {gateway.namespace for gateway in plan.gateways}
    found = {(at, name): client.find(api, f"/api/v1/namespaces/{at}/secrets/{name}") for at in places for name in names}
    return {where: secret.get("data") or {} for where, secret in found.items() if secret}


def _items(api: Api, path: str) -> Sequence[Manifest]:
    """Nothing where the definition is missing."""
    found: Sequence[Manifest] = (client.find(api, path) or {}).get("items", [])
    return found


def watch(endpoints: Endpoints, changed: threading.Event) -> None:
    """Sets `changed` whenever any of the objects may have changed, for as long as this program runs."""
    for path in (*CORE, *ISTIO.values()):
        threading.Thread(target=_watch, args=(endpoints, path, changed), daemon=True).start()


def _watch(endpoints: Endpoints, path: str, changed: threading.Event) -> None:
    while True:
        try:
            for _ in endpoints.watch(path):
                changed.set()
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(PAUSE)


def ready(pod: Manifest) -> bool:
    """Whether a pod takes part."""
    conditions = pod.get("status", {}).get("conditions") or []
    good = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return good and "deletionTimestamp" not in pod["metadata"]


def selects(selector: Mapping[str, str] | None, labels: Mapping[str, str] | None) -> bool:
    """Whether a Service's selector, or one of Istio's, matches labels; an empty one matches nothing here."""
    return bool(selector) and (selector or {}).items() <= (labels or {}).items()
