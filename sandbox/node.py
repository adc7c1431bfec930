"""The cluster's only node, whose kubelet kwok simulates."""

from typing import Any

from cluster import client
from cluster.client import Api
from sandbox.network import LOOPBACK

NAME = "mesh-node-1"

RESOURCES = {"cpu": "32", "memory": "64Gi", "pods": "500", "ephemeral-storage": "256Gi"}
"""Capacity for the resource requests of pods. No pod uses it, since pods are simulated."""

NODE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {
        "name": NAME,
        # amd64 on every machine: each release of Istio has images for it.
        "labels": {
            "kubernetes.io/arch": "amd64",
            "kubernetes.io/os": "linux",
            "kubernetes.io/hostname": NAME,
        },
    },
    "status": {
        "addresses": [
            {"type": "InternalIP", "address": LOOPBACK},
            {"type": "Hostname", "address": NAME},
        ],
        "allocatable": RESOURCES,
        "capacity": RESOURCES,
        "nodeInfo": {"architecture": "amd64", "operatingSystem": "linux"},
    },
}

_MOUNTED = (
    "/api/v1/serviceaccounts?fieldSelector=metadata.name%3Ddefault",
    "/api/v1/configmaps?fieldSelector=metadata.name%3Dkube-root-ca.crt",
)
"""API paths, across all namespaces, of the objects that every pod mounts."""


def ensure(api: Api) -> None:
    """Creates the node if it does not exist, with a kubelet of the API server's version, which istiod reads."""
    if client.find(api, f"/api/v1/nodes/{NAME}") is None:
        info = {**NODE["status"]["nodeInfo"], "kubeletVersion": client.get(api, "/version")["gitVersion"]}
        client.create(api, "/api/v1/nodes", {**NODE, "status": {**NODE["status"], "nodeInfo": info}})


def usable(api: Api) -> bool:
    """Whether pods can run: the node is ready, and the controller manager has created in each namespace the objects
    that every pod mounts, the default service account and the cluster's root certificate."""
    node = client.find(api, f"/api/v1/nodes/{NAME}") or {}
    conditions = node.get("status", {}).get("conditions", [])
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    namespaces = len(client.items(api, "/api/v1/namespaces"))
    return ready and all(len(client.items(api, path)) == namespaces for path in _MOUNTED)
