"""Reads the objects on a cluster that decide about requests; for `make smoke`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cluster import client
from cluster.client import Api
from commands import routes
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.config.settings import Settings
from sandbox import live

NETWORKING: Final = "/apis/networking.istio.io/v1alpha3"
SECURITY: Final = "/apis/security.istio.io/v1beta1"
READ: Final = {
    "Namespace": "/api/v1/namespaces",
    "Service": "/api/v1/services",
    "ConfigMap": "/api/v1/configmaps",
    **{kind: f"/apis/apps/v1/{kind.lower()}s" for kind in ("Deployment", "StatefulSet", "DaemonSet")},
    **{
        kind: f"{NETWORKING}/{kind.lower()}s"
        for kind in ("Gateway", "VirtualService", "DestinationRule", "Sidecar", "EnvoyFilter")
    },
    "ServiceEntry": f"{NETWORKING}/serviceentries",
    "RequestAuthentication": f"{SECURITY}/requestauthentications",
    "AuthorizationPolicy": f"{SECURITY}/authorizationpolicies",
    "PeerAuthentication": f"{SECURITY}/peerauthentications",
}
"""API paths by kind."""


def mesh(api: Api, chosen: Settings) -> Mesh:
    """The index of the objects on the stack's cluster, with the policies that its live data plane applies."""
    applied = live.applied(str(chosen.context), ("AuthorizationPolicy", "PeerAuthentication"))
    return Mesh(_objects(api, applied), chosen.mesh_names)


def _objects(api: Api, applied: live.Applied | None) -> Iterator[Object]:
    for kind, path in READ.items():
        version = path.removeprefix("/apis/").removeprefix("/api/").rpartition("/")[0]
        if applied is None or kind not in applied:
            yield from routes.listed(version, kind, (client.find(api, path) or {}).get("items", []))
    for items in (applied or {}).values():
        yield from map(Object.read, items)
