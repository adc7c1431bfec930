"""A plan of the live data plane, and snapshots of a cluster for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh import bookinfo
from sandbox.live.plan import DeclaredGateway, DeclaredWorkload, Plan, Workload
from sandbox.live.snapshot import ISTIO, Snapshot

INGRESS = DeclaredGateway(
    "istio-ingressgateway", "istio-system", {"app": "istio-ingressgateway", "istio": "ingressgateway"}
)
PLAN = Plan(
    service_range="127.77.0.0/16",
    stack="dev",
    namespace="default",
    root="istio-system",
    config_root="istio-system",
    mesh_config="istio",
    version="1.10.3",
    defaults={},
    domain="cluster.local",
    ingress="istio-ingressgateway",
    edges=(INGRESS,),
).serving(
    [
        DeclaredWorkload(f"{app}-{version}", "default", {"app": app, "version": version}, {})
        for app, versions in bookinfo.VERSIONS.items()
        for version in versions
    ],
    {},
)
REVIEWS = [workload for workload in PLAN.workloads if workload.service == "reviews"]


def workload(app: str, version: str = "v1", namespace: str = "default") -> Workload:
    """A workload on 127.0.0.1."""
    name = f"{app}-{version}"
    labels = {"app": app, "version": version}
    return Workload(name, namespace, labels, {}, key=name, address="127.0.0.1", outbound="127.0.0.1")


def pod(labels: Mapping[str, str], namespace: str = "default", ready: str = "True") -> dict[str, Any]:
    """A pod of the Deployment that is named by the labels `app` and `version`."""
    conditions = [{"type": "Ready", "status": ready}]
    name = "-".join(filter(None, (labels.get("app"), labels.get("version"))))
    owner = {"kind": "ReplicaSet", "name": f"{name}-5d8f", "controller": True}
    meta = {"namespace": namespace, "labels": {**labels, "pod-template-hash": "5d8f"}, "ownerReferences": [owner]}
    return {"metadata": meta, "status": {"conditions": conditions}}


def service(name: str, namespace: str = "default", ports: Any = None, **metadata: Any) -> dict[str, Any]:
    ports = ports or [{"name": "http", "port": 9080, "targetPort": 9080}]
    selector = dict(INGRESS.labels) if name == INGRESS.name else {"app": name}
    return {
        "metadata": {"name": name, "namespace": namespace, **metadata},
        "spec": {"selector": selector, "ports": ports},
    }


def custom(kind: str, spec: dict[str, Any], name: str = "one", namespace: str = "default") -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, "resourceVersion": "1", "managedFields": []}
    return {"apiVersion": "networking.istio.io/v1alpha3", "kind": kind, "metadata": metadata, "spec": spec}


def seen(*objects: dict[str, Any], mesh_config: str = "", secrets: Any = None) -> Snapshot:
    """A cluster with these objects: Services and pods have no kind, as in the API server's lists."""
    istio = {kind: [one for one in objects if one.get("kind") == kind] for kind in ISTIO}
    services = [one for one in objects if "kind" not in one and "spec" in one]
    return Snapshot(services, [one for one in objects if "status" in one], istio, mesh_config, secrets or {})


GATEWAY_PORTS = [{"name": "http2", "port": 80, "targetPort": 8080, "nodePort": 31102}]
