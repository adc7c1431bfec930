"""Brings traffic to the proxies without iptables, by listeners on an address of each proxy.

A workload's listeners come from a generated Sidecar object. For a gateway, a generated EnvoyFilter adds the Service's
node ports, which a real node would forward to the pods.
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
    """A Sidecar for each stand-in: inbound listeners for the ports of its Services, and outbound ones for its calls.

    Istio applies one Sidecar to a workload, so the outbound settings of the user's Sidecar are merged into it."""
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
    """The spec of the user's Sidecar that applies to a workload: one that selects it, else that of its namespace, else
    that of the mesh; empty if there is none."""
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
    """The ports of the Services that select a workload's labels, even if it has no pods."""
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
        "defaultEndpoint": f"0.0.0.0:{APP_PORT}",  # in Istio's API: the proxy's own address
    }


def plain_text(plan: Plan) -> dict[str, Any]:
    """The PeerAuthentication that turns mutual TLS off: the proxies have no certificates, and would wait for them."""
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": "PeerAuthentication",
        "metadata": {"name": "live", "namespace": plan.root},
        "spec": {"mtls": {"mode": "DISABLE"}},
    }


def gateway_ports(seen: Snapshot, plan: Plan) -> Iterator[dict[str, Any]]:
    """An EnvoyFilter for each gateway, which binds its listeners to its address and its Service's node ports."""
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
    """The ingress gateway's node ports that a Gateway opens for HTTP, also inside TLS, by port name."""
    return {
        port.get("name", ""): port["nodePort"]
        for service in seen.services
        if (ingress := gateway_of(service, plan)) and ingress.name == plan.ingress
        for port in service["spec"]["ports"]
        if port.get("nodePort") and {port["port"], target(port)} & _http_ports(seen, plan, ingress)
    }


def _http_ports(seen: Snapshot, plan: Plan, ingress: Gateway) -> set[int]:
    """The HTTP ports of the Gateways that select the ingress gateway. Ports of other protocols are left out, since they
    only listen if they have a route."""
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
