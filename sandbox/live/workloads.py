"""Finds the workloads on the cluster that need stand-ins: those that a Service selects."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster import client
from cluster.client import Api
from mesh.core.pods import running_containers
from sandbox.live.plan import DeclaredWorkload, Plan
from sandbox.live.snapshot import SYSTEM, Manifest, Snapshot, controller, selects

CONTROLLERS: Final = ("deployments", "statefulsets", "daemonsets")
"""Resources of `apps/v1` that create pods and may have none at the moment. Other workloads are found by their pods."""
_OF_REVISIONS: Final = ("pod-template-hash", "controller-revision-hash")
"""Labels of pods that their templates do not have."""


def declared(api: Api, seen: Snapshot, plan: Plan) -> list[DeclaredWorkload]:
    """The workloads outside the namespaces of Istio and Kubernetes, without gateways. Raises ClusterError if the API
    server does not answer."""
    found: dict[tuple[str, str], DeclaredWorkload] = {}
    for one in _all(api, seen):
        found.setdefault((one.namespace, one.name), one)
    gateways = {(edge.namespace, edge.name) for edge in plan.edges}
    return [
        one
        for place, one in found.items()
        if one.namespace not in (plan.root, *SYSTEM) and place not in gateways and _is_called(one, seen)
    ]


def _all(api: Api, seen: Snapshot) -> Iterator[DeclaredWorkload]:
    for resource in CONTROLLERS:
        for one in client.items(api, f"/apis/apps/v1/{resource}"):
            template = one["spec"]["template"]
            labels = (template.get("metadata") or {}).get("labels") or {}
            yield _workload(one["metadata"]["name"], one["metadata"]["namespace"], labels, template["spec"])
    for pod in seen.pods:
        meta = pod["metadata"]
        labels = {name: value for name, value in (meta.get("labels") or {}).items() if name not in _OF_REVISIONS}
        yield _workload(controller(pod), meta["namespace"], labels, pod["spec"])


def _workload(name: str, namespace: str, labels: Mapping[str, str], spec: Mapping[str, Any]) -> DeclaredWorkload:
    ports = (port for container in running_containers(spec) for port in container.body.get("ports") or ())
    numbers = {port["name"]: port["containerPort"] for port in ports if port.get("name")}
    return DeclaredWorkload(name, namespace, labels, numbers)


def _is_called(workload: DeclaredWorkload, seen: Snapshot) -> bool:
    def is_of(service: Manifest) -> bool:
        return selects(service["spec"].get("selector"), workload.labels)

    return any(is_of(service) for service in seen.services if service["metadata"]["namespace"] == workload.namespace)
