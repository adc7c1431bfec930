"""Objects of a mesh as they stand on a cluster, and an API server that lists them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cluster.client import Answer
from tests.fake_api import FakeApi, listing

REV, OLD, INJECT = "istio.io/rev", "istio-injection", "sidecar.istio.io/inject"
PATHS = {
    "Deployment": "/apis/apps/v1/deployments",
    "Service": "/api/v1/services",
    "MutatingWebhookConfiguration": "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
    "Namespace": "/api/v1/namespaces",
    "Pod": "/api/v1/pods",
}
"""The collections that `cluster.revisions` reads."""

Manifest = dict[str, Any]


def cluster(*objects: Manifest, **answers: Answer) -> FakeApi:
    """An API server with these objects; `answers` are other ones, by kind."""
    found = {kind: listing(*(one for one in objects if one["kind"] == kind)) for kind in PATHS}
    return FakeApi({f"GET {path}": answers.get(kind, found[kind]) for kind, path in PATHS.items()})


def injector(
    name: str, service: str, *labels: tuple[str, str], tag: str = "", pods: tuple[tuple[str, str], ...] = ()
) -> Manifest:
    """The webhook of the control plane of `service`, or of its tag, for labels of namespaces and of pods."""

    def hook(where: str, key: str, value: str) -> Manifest:
        chosen = [{"key": key, "operator": "In", "values": [value]}, {"key": "x", "operator": "DoesNotExist"}]
        client = {"service": {"namespace": "istio-system", "name": service}}
        return {
            "name": "x.sidecar-injector.istio.io",
            "clientConfig": client,
            where: {"matchExpressions": chosen},
        }

    hooks = [hook("namespaceSelector", *one) for one in labels] + [hook("objectSelector", *one) for one in pods]
    revision = service.removeprefix("istiod").removeprefix("-") or "default"
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": name, "labels": {REV: revision, **({"istio.io/tag": tag} if tag else {})}},
        "webhooks": hooks,
    }


def namespace(name: str, **labels: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def service(name: str = "istiod", **labels: str) -> Manifest:
    """The Service of a control plane."""
    meta = {"name": name, "namespace": "istio-system", "labels": {"app": "istiod", **labels}}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"ports": [{"port": 15012}]}}


def deployment(
    place: str, name: str, image: str, labels: Mapping[str, str] = {}, ready: int = 1, **container: Any
) -> Manifest:
    template = {
        "metadata": {"labels": dict(labels)},
        "spec": {"containers": [{"name": name, "image": image, **container}]},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": place, "labels": dict(labels)},
        "spec": {"replicas": 1, "template": template},
        "status": {"readyReplicas": ready},
    }


def pod(place: str, owner: str, proxy: Manifest | None = None, /, kind: str = "ReplicaSet", **labels: str) -> Manifest:
    """A pod of a Deployment, or with `kind` of another workload, with a proxy beside its app."""
    version = "batch/v1" if kind == "Job" else "apps/v1"
    maker = {"apiVersion": version, "kind": kind, "name": f"{owner}-5f6d8" if kind == "ReplicaSet" else owner}
    meta = {
        "name": f"{owner}-5f6d8-x",
        "namespace": place,
        "labels": labels,
        "ownerReferences": [maker],
    }
    containers = [{"name": "app", "image": "app"}, *([proxy] if proxy else [])]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": containers}}


def proxy(service: str = "istiod", image: str = "istio/proxyv2:1.10.3", *args: str) -> Manifest:
    """A proxy that asks a control plane."""
    env = [{"name": "CA_ADDR", "value": f"{service}.istio-system.svc:15012"}]
    return {"name": "istio-proxy", "image": image, "args": ["proxy", *(args or ("sidecar",))], "env": env}
