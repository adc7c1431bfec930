"""Turns the cluster's Services into ServiceEntries. Pods are simulated and cannot be reached, so the endpoints of
Services are the stand-ins of the ready pods."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mesh.core import protocols
from sandbox.live.plan import Gateway, Plan, Proxy, Workload, bound
from sandbox.live.snapshot import SYSTEM, Manifest, Snapshot, ready, selects

_EXPORT: Final = "networking.istio.io/exportTo"
UNKNOWN: Final = ("THRIFT",)
"""Protocols that pilot no longer knows. Their traffic is treated as plain TCP, as Istio does."""
TLS_MODE: Final = "security.istio.io/tlsMode"
"""Label with the value `istio` on pods with a sidecar. Without a rule, callers use mutual TLS only for such pods."""


def entries(seen: Snapshot, plan: Plan) -> Iterator[dict[str, Any]]:
    """A ServiceEntry for each Service. It has no endpoints if the pods of the Service have no stand-in."""
    for service in seen.services:
        name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
        ports = [_port(port) for port in tcp_ports(service)]
        if namespace in SYSTEM or (namespace, name) == ("default", "kubernetes") or not ports:
            continue
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
            "metadata": {"name": f"live-{name}", "namespace": namespace, **_age(service, plan)},
            "spec": spec,
        }


def _age(service: Manifest, plan: Plan) -> dict[str, str]:
    """The creation time of a gateway's Service, so that all other Services count as older. Of two services with the
    same TCP port callers reach the older one, and workloads do not call gateways."""
    created = service["metadata"].get("creationTimestamp")
    return {"creationTimestamp": created} if created and gateway_of(service, plan) else {}


def unserved(seen: Snapshot, plan: Plan) -> list[str]:
    """The Services outside Istio's namespace that have ready pods but no stand-in, since their workloads are newer than
    the plan, or there was no place for them."""
    names = []
    for service in seen.services:
        namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
        pods = any(_is_behind(service, pod) for pod in seen.pods)
        if pods and namespace != plan.root and not [*_workloads(service, seen, plan), *_gateways(service, seen, plan)]:
            names.append(f"{namespace}/{name}")
    return names


def tcp_ports(service: Manifest) -> list[Manifest]:
    """The TCP ports of a Service."""
    return [port for port in service["spec"].get("ports") or () if port.get("protocol", "TCP") == "TCP"]


def inbound(port: Manifest, workload: Workload) -> int:
    """The port on which a workload's proxy listens for a Service's port."""
    wanted = port.get("targetPort")
    number = workload.ports.get(wanted, port["port"]) if isinstance(wanted, str) else target(port)
    return bound(int(number))


def target(port: Manifest) -> int:
    """The target port of a Service's port; the port itself if the target port is a name."""
    wanted = port.get("targetPort")
    return wanted if isinstance(wanted, int) else int(port["port"])


def serving(seen: Snapshot, workload: Workload, service: Manifest | None = None) -> list[Manifest]:
    """The ready pods for which a stand-in answers; only those of `service` if it is given."""
    pods = seen.ready_pods.get((workload.namespace, workload.name), ())
    return [pod for pod in pods if service is None or _is_behind(service, pod)]


def pods(seen: Snapshot, proxy: Proxy) -> list[Manifest]:
    """The ready pods that a live proxy represents."""
    if isinstance(proxy, Workload):
        return serving(seen, proxy)
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
    """A Service's port in the form of a ServiceEntry."""
    return {"number": port["port"], "name": _name(port), "protocol": protocol(port), "targetPort": target(port)}


def _name(port: Manifest) -> str:
    return str(port.get("name") or f"port-{port['port']}")


def protocol(port: Manifest) -> str:
    """The protocol of a Service's port; empty if it names none, so that the proxies detect it."""
    named = protocols.of_service_port(port)
    return "TCP" if named in UNKNOWN else named


def _workloads(service: Manifest, seen: Snapshot, plan: Plan) -> Iterator[dict[str, Any]]:
    """An endpoint for each version of a workload, weighted by its number of ready pods."""
    for workload in plan.workloads:
        if pods := serving(seen, workload, service):
            labels = {k: v for k, v in pods[0]["metadata"]["labels"].items() if k != "pod-template-hash"}
            ports = {_name(port): inbound(port, workload) for port in tcp_ports(service)}
            yield {
                "address": workload.address,
                "labels": {**labels, **workload.mark},
                "ports": ports,
                "weight": len(pods),
                **_identity(plan, pods),
            }


def _gateways(service: Manifest, seen: Snapshot, plan: Plan) -> Iterator[dict[str, Any]]:
    gateway = gateway_of(service, plan)
    pods = [pod for pod in seen.pods if gateway and _is_behind(service, pod)]
    if gateway and pods:
        mode = {TLS_MODE: pods[0]["metadata"]["labels"].get(TLS_MODE, "disabled")} if plan.identity else {}
        yield {"address": gateway.address, "labels": {**gateway.labels, **mode}, **_identity(plan, pods)}


def _identity(plan: Plan, pods: Sequence[Manifest]) -> Mapping[str, str]:
    """The endpoint's field with its service account, which callers expect in its certificate."""
    return {"serviceAccount": account(pods)} if plan.identity else {}


def gateway_of(service: Manifest, plan: Plan) -> Gateway | None:
    """The gateway of this Service; None if it does not belong to a gateway."""
    named = (service["metadata"]["name"], service["metadata"]["namespace"])
    return next((gateway for gateway in plan.gateways if (gateway.name, gateway.namespace) == named), None)


def is_for(declared: Manifest, gateway: Gateway) -> bool:
    """Whether a Gateway object selects the pods of a gateway. A Gateway without a selector selects all."""
    selector = declared["spec"].get("selector")
    return not selector or selects(selector, gateway.labels)
