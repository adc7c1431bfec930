"""A plan of the live data plane, and snapshots of a cluster for it."""

from __future__ import annotations

from typing import Any

from sandbox.live.plan import DeclaredGateway, Plan
from sandbox.live.snapshot import ISTIO, Snapshot

INGRESS = DeclaredGateway(
    "istio-ingressgateway", "istio-system", {"app": "istio-ingressgateway", "istio": "ingressgateway"}
)
PLAN = Plan(
    service_range="127.77.0.0/16",
    stack="dev",
    namespace="default",
    root="istio-system",
    mesh_config="istio",
    version="1.10.3",
    defaults={},
    domain="cluster.local",
    ingress="istio-ingressgateway",
    edges=(INGRESS,),
)
REVIEWS = [workload for workload in PLAN.workloads if workload.app == "reviews"]


def pod(labels: dict[str, str], namespace: str = "default", ready: str = "True") -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": ready}]
    return {"metadata": {"namespace": namespace, "labels": labels}, "status": {"conditions": conditions}}


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
