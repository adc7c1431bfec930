"""A survey of the cluster, taken before the first resource is registered: version, identity, and what is installed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cluster import client, proxy
from cluster.client import Api, Request
from cluster.errors import ClusterError, Unreachable
from cluster.target import OFFLINE, Target, offline
from mesh import api

_PATHS: Final = {
    "version": "/version",
    "namespaces": "/api/v1/namespaces",
    "nodes": "/api/v1/nodes?limit=1",
    "injectors": "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
    "groups": "/apis",
}
_DEFINITIONS: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@dataclass(frozen=True)
class Survey:
    """What the API server says of a cluster."""

    target: Target
    uid: str
    """The cluster's identity: the uid of its namespace kube-system, which never changes."""
    version: tuple[int, int]
    namespaces: Mapping[str, Mapping[str, str]]
    """The annotations of each namespace, by name."""
    istio: str | None
    """The evidence of an installed Istio control plane, as text for messages; None without one."""
    node: str | None
    """Address of the first node: its ExternalIP, or else its InternalIP; None if it has neither."""
    injectors: frozenset[str] = frozenset()
    """Names of the MutatingWebhookConfigurations."""
    definitions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The annotations of each of Istio's custom resource definitions, by name."""


def take(target: Target) -> Survey:
    """Connects to a cluster and surveys it. Raises Unreachable if it does not answer, or ClusterError if it refuses."""
    if offline():
        raise Unreachable(f"{OFFLINE} is set")
    if target.kubeconfig and not target.kubeconfig.exists():
        raise Unreachable("the embedded cluster has not been started")
    with proxy.connect(target) as server:
        return read(target, server)


def read(target: Target, server: Api) -> Survey:
    """Surveys a cluster through a connection that is already open."""
    requests = [Request("GET", path) for path in _PATHS.values()]
    answers = dict(zip(_PATHS, client.ask_all(server, requests), strict=True))
    if answers["version"].code in (200, 404) and "major" not in answers["version"].body:
        raise ClusterError(f"{target.server} answers, but not as a Kubernetes API server does")
    found = {what: client.object_in(answer) for what, answer in answers.items()}
    version, webhooks = found["version"], found["injectors"]["items"]
    namespaces = {n["metadata"]["name"]: n["metadata"] for n in found["namespaces"]["items"]}
    return Survey(
        target,
        namespaces["kube-system"]["uid"],
        (int(version["major"]), int(re.sub(r"\D", "", version["minor"]))),
        {name: metadata.get("annotations") or {} for name, metadata in namespaces.items()},
        _istio(webhooks),
        _address(found["nodes"]["items"]),
        frozenset(webhook["metadata"]["name"] for webhook in webhooks),
        _definitions(server) if any(g["name"].endswith(".istio.io") for g in found["groups"]["groups"]) else {},
    )


def _istio(webhooks: Iterable[Mapping[str, Any]]) -> str | None:
    for webhook in webhooks:
        meta = webhook["metadata"]
        if any(map(is_istiod, webhook.get("webhooks", []))):
            return f"injection webhook {meta['name']}, {_installer(meta)}"
    return None


def is_istiod(webhook: Mapping[str, Any]) -> bool:
    """Whether an admission webhook calls a Service of istiod."""
    name: str = webhook["clientConfig"].get("service", {}).get("name", "")
    return name.startswith("istiod")


def _definitions(server: Api) -> Mapping[str, Mapping[str, str]]:
    """Istio's custom resource definitions on the cluster, of any release that is supported here.

    An update that was killed may have left only some of them."""
    ours = set(map(api.definition_name, api.kinds()))
    found = (definition["metadata"] for definition in client.items(server, _DEFINITIONS))
    return {metadata["name"]: metadata.get("annotations") or {} for metadata in found if metadata["name"] in ours}


def _installer(meta: Mapping[str, Any]) -> str:
    labels, annotations = meta.get("labels") or {}, meta.get("annotations") or {}
    if "meta.helm.sh/release-name" in annotations:
        return f"installed by Helm as release {annotations['meta.helm.sh/release-name']}"
    if any("operator.istio.io" in label for label in labels):
        return "installed by istioctl or the Istio operator"
    return "installed by other means"


def _address(nodes: Iterable[Mapping[str, Any]]) -> str | None:
    for node in nodes:
        found = {a["type"]: a["address"] for a in node.get("status", {}).get("addresses", [])}
        return found.get("ExternalIP") or found.get("InternalIP")
    return None
