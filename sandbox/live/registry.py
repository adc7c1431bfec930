"""The cluster's Services as ServiceEntries. Pods are simulated and cannot be reached, so the endpoints of Bookinfo's
Services are the stand-ins of the ready pods."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mesh.core import protocols
from sandbox.live.plan import Gateway, Plan, Proxy, Workload
from sandbox.live.snapshot import Manifest, Snapshot, ready, selects

_IGNORED: Final = ("kube-system", "kube-public", "kube-node-lease")
_EXPORT: Final = "networking.istio.io/exportTo"
TLS_MODE: Final = "security.istio.io/tlsMode"
"""Label of pods with a sidecar, `istio`: without a rule, callers use mutual TLS for these only."""


def entries(seen: Snapshot, plan: Plan) -> Iterator[dict[str, Any]]:
    """A ServiceEntry for each Service; without endpoints if its pods have no stand-in."""
    for service in seen.services:
        name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
        if namespace in _IGNORED or (namespace, name) == ("default", "kubernetes"):
            continue
        ports = [_port(port) for port in service["spec"].get("ports") or [] if port.get("protocol") != "UDP"]
        spec: dict[str, Any] = {
            "hosts": [plan.host(name, namespace)],
            "ports": ports,
            "location": "MESH_INTERNAL",
            "resolution": "STATIC",
            "endpoints": [*_workloads(service, seen, plan), *_gateways(service, seen, plan)],
        }
        exported = (service["metadata"].get("annotations") or {}).get(_EXPORT)
        if exported:
            spec["exportTo"] = exported.split(",")
        yield {
            "apiVersion": "networking.istio.io/v1",
            "kind": "ServiceEntry",
            "metadata": {"name": f"live-{name}", "namespace": namespace},
            "spec": spec,
        }


def unserved(seen: Snapshot, plan: Plan) -> list[str]:
    """The Services outside Istio's namespace that have ready pods but no stand-in."""
    names = []
    for service in seen.services:
        namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
        pods = any(_is_behind(service, pod) for pod in seen.pods)
        if pods and namespace != plan.root and not [*_workloads(service, seen, plan), *_gateways(service, seen, plan)]:
            names.append(f"{namespace}/{name}")
    return names


def target(port: Manifest) -> int:
    """The target port of a Service's port; the port itself if the target port is a name."""
    wanted = port.get("targetPort")
    return wanted if isinstance(wanted, int) else int(port["port"])


def serving(seen: Snapshot, plan: Plan, workload: Workload, service: Manifest | None = None) -> list[Manifest]:
    """The ready pods that a stand-in answers for; only those of `service` if it is given."""
    return [
        pod
        for pod in seen.pods
        if pod["metadata"]["namespace"] == plan.namespace
        and selects(workload.labels, pod["metadata"].get("labels"))
        and (_is_behind(service, pod) if service else ready(pod))
    ]


def pods(seen: Snapshot, plan: Plan, proxy: Proxy) -> list[Manifest]:
    """The ready pods whose proxy a live one stands for."""
    if isinstance(proxy, Workload):
        return serving(seen, plan, proxy)
    return [
        pod
        for pod in seen.pods
        if pod["metadata"]["namespace"] == proxy.namespace
        and selects(proxy.labels, pod["metadata"].get("labels"))
        and ready(pod)
    ]


def account(pods: Sequence[Manifest]) -> str:
    """The service account of a workload's pods; empty if there are none."""
    return str(pods[0]["spec"].get("serviceAccountName", "default")) if pods else ""


def _is_behind(service: Manifest, pod: Manifest) -> bool:
    of, meta = service["metadata"], pod["metadata"]
    selected = selects(service["spec"].get("selector"), meta.get("labels"))
    return of["namespace"] == meta["namespace"] and selected and ready(pod)


def _port(port: Manifest) -> dict[str, Any]:
    """A Service's port as a ServiceEntry has it; TCP if the Service names no protocol."""
    name = port.get("name") or f"port-{port['port']}"
    protocol = protocols.of_service_port(port) or "TCP"
    return {"number": port["port"], "name": name, "protocol": protocol, "targetPort": target(port)}


def _workloads(service: Manifest, seen: Snapshot, plan: Plan) -> Iterator[dict[str, Any]]:
    """An endpoint for each version of a workload, weighted by its number of ready pods."""
    for workload in plan.workloads:
        pods = serving(seen, plan, workload, service)
        if pods:
            labels = {k: v for k, v in pods[0]["metadata"]["labels"].items() if k != "pod-template-hash"}
            yield {"address": workload.address, "labels": labels, "weight": len(pods), **_identity(plan, pods)}


def _gateways(service: Manifest, seen: Snapshot, plan: Plan) -> Iterator[dict[str, Any]]:
    gateway = gateway_of(service, plan)
    pods = [pod for pod in seen.pods if gateway and _is_behind(service, pod)]
    if gateway and pods:
        mode = {TLS_MODE: pods[0]["metadata"]["labels"].get(TLS_MODE, "disabled")} if plan.identity else {}
        yield {"address": gateway.address, "labels": {**gateway.labels, **mode}, **_identity(plan, pods)}


def _identity(plan: Plan, pods: Sequence[Manifest]) -> Mapping[str, str]:
    """The field of an endpoint with its service account, which callers expect in its certificate."""
    return {"serviceAccount": account(pods)} if plan.identity else {}


def gateway_of(service: Manifest, plan: Plan) -> Gateway | None:
    """The gateway with this Service; None if it is no gateway's."""
    named = (service["metadata"]["name"], service["metadata"]["namespace"])
    return next((gateway for gateway in plan.gateways if (gateway.name, gateway.namespace) == named), None)


def is_for(declared: Manifest, gateway: Gateway) -> bool:
    """Whether a Gateway object selects the pods of a gateway; one without a selector selects all."""
    selector = declared["spec"].get("selector")
    return not selector or selects(selector, gateway.labels)
