"""How traffic comes to a proxy without iptables: listeners that are bound to its own address.

For workloads this is what Istio's Sidecar is for; for gateways, whose node ports a real node would lead to the pods,
an EnvoyFilter adds them to the listeners.
"""

from collections.abc import Iterator
from typing import Any, Final

from mesh.core.protocols import is_http_after_tls
from sandbox.live import translate
from sandbox.live.plan import APP_PORT, Gateway, Plan, Workload
from sandbox.live.registry import gateway_of, is_for, serving, target
from sandbox.live.snapshot import Manifest, Snapshot, selects
from sandbox.network import LOOPBACK

EVERYTHING: Final = ["*/*"]


def sidecars(seen: Snapshot, plan: Plan) -> Iterator[dict[str, Any]]:
    """A Sidecar for each stand-in: its Service's ports in front of it, and those of others for its calls.

    Istio honours one Sidecar for a workload; so what the user's says of outbound traffic is part of it."""
    for workload in plan.workloads:
        wanted = _wanted(seen, plan, workload)
        hosts = [host for listener in wanted.get("egress", []) for host in listener.get("hosts", [])]
        spec: dict[str, Any] = {
            "workloadSelector": {"labels": workload.labels},
            "ingress": [_inbound(port, workload) for port in _ports(seen, plan, workload)],
            "egress": [{"bind": workload.outbound, "captureMode": "NONE", "hosts": hosts or EVERYTHING}],
        }
        if "outboundTrafficPolicy" in wanted:
            spec["outboundTrafficPolicy"] = wanted["outboundTrafficPolicy"]
        yield {
            "apiVersion": "networking.istio.io/v1",
            "kind": "Sidecar",
            "metadata": {"name": f"live-{workload.name}", "namespace": plan.namespace},
            "spec": spec,
        }


def _wanted(seen: Snapshot, plan: Plan, workload: Workload) -> Manifest:
    """The user's Sidecar for a workload: one that selects it, else its namespace's, else the mesh's."""
    labels = next((pod["metadata"]["labels"] for pod in serving(seen, plan, workload)), workload.labels)
    ranked: dict[int, Manifest] = {}
    for sidecar in seen.istio["Sidecar"]:
        spec, place = sidecar.get("spec") or {}, sidecar["metadata"]["namespace"]
        selector = spec.get("workloadSelector", {}).get("labels")
        if place == plan.namespace and selects(selector, labels):
            ranked.setdefault(0, spec)
        elif not selector and place in (plan.namespace, plan.root):
            ranked.setdefault(1 if place == plan.namespace else 2, spec)
    return ranked[min(ranked)] if ranked else {}


def _ports(seen: Snapshot, plan: Plan, workload: Workload) -> list[Manifest]:
    """The ports of the Services of a workload's app, whether its pods are there or not."""
    return [
        port
        for service in seen.services
        if service["metadata"]["namespace"] == plan.namespace
        and selects(service["spec"].get("selector"), workload.labels)
        for port in service["spec"]["ports"]
    ]


def _inbound(port: Manifest, workload: Workload) -> dict[str, Any]:
    name = port.get("name") or f"http-{port['port']}"
    return {
        "port": {"number": target(port), "protocol": "HTTP", "name": name},
        "bind": workload.address,
        "captureMode": "NONE",
        "defaultEndpoint": f"0.0.0.0:{APP_PORT}",  # Istio's way to say: the proxy's own address
    }


def plain_text(plan: Plan) -> dict[str, Any]:
    """The PeerAuthentication of a mesh without certificates: proxies would otherwise wait for theirs."""
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": "PeerAuthentication",
        "metadata": {"name": "live", "namespace": plan.root},
        "spec": {"mtls": {"mode": "DISABLE"}},
    }


def gateway_ports(seen: Snapshot, plan: Plan) -> Iterator[dict[str, Any]]:
    """An EnvoyFilter for each gateway: listeners on its own address, and on the node ports of its Service."""
    for service in seen.services:
        gateway = gateway_of(service, plan)
        if gateway:
            yield {
                "apiVersion": "networking.istio.io/v1alpha3",
                "kind": "EnvoyFilter",
                "metadata": {"name": f"live-{gateway.name}", "namespace": gateway.namespace},
                "spec": {
                    "workloadSelector": {"labels": dict(gateway.labels)},
                    "configPatches": [_patch(port, gateway) for port in service["spec"]["ports"]],
                },
            }


def open_ports(seen: Snapshot, plan: Plan) -> dict[str, int]:
    """Node ports of the ingress at which some Gateway lets visitors in with HTTP, by their names."""
    return {
        port.get("name", ""): port["nodePort"]
        for service in seen.services
        if (ingress := gateway_of(service, plan)) and ingress.name == plan.ingress
        for port in service["spec"]["ports"]
        if port.get("nodePort") and {port["port"], target(port)} & _http_ports(seen, plan, ingress)
    }


def _http_ports(seen: Snapshot, plan: Plan, ingress: Gateway) -> set[int]:
    """Ports of the Gateways that are for the ingress. Others than those of HTTP listen only if they have a route."""
    return {
        server["port"]["number"]
        for gateway in translate.gateways(seen, plan)
        if is_for(gateway, ingress)
        for server in gateway["spec"]["servers"]
        if is_http_after_tls(server["port"].get("protocol", ""))
        and (server.get("tls") or {}).get("mode") not in ("PASSTHROUGH", "AUTO_PASSTHROUGH")
    }


def _patch(port: Manifest, gateway: Gateway) -> dict[str, Any]:
    value: dict[str, Any] = {"address": {"socket_address": {"address": gateway.address}}}
    if port.get("nodePort"):
        node_port = {"socket_address": {"address": LOOPBACK, "port_value": port["nodePort"]}}
        value["additional_addresses"] = [{"address": node_port}]
    return {
        "applyTo": "LISTENER",
        "match": {"context": "GATEWAY", "listener": {"portNumber": target(port)}},
        "patch": {"operation": "MERGE", "value": value},
    }
