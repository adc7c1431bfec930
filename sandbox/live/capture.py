"""Brings traffic to the proxies without iptables: each proxy has listeners on its own addresses.

A workload's listeners come from a generated Sidecar object. An EnvoyFilter binds the listeners for ports on which only
root may listen to other ports. For a gateway, a generated EnvoyFilter adds the Service's node ports, which a real node
would forward to the pods.
"""

from collections.abc import Iterator
from typing import Any, Final

from mesh.core.protocols import is_http_after_tls
from sandbox.live import translate
from sandbox.live.plan import APP_PORT, PRIVILEGED, Gateway, Plan, Workload, bound
from sandbox.live.registry import gateway_of, inbound, is_for, protocol, serving, target, tcp_ports
from sandbox.live.snapshot import Manifest, Snapshot, selects
from sandbox.network import LOOPBACK

EVERYTHING: Final = ["*/*"]
HTTP_MARK: Final = "istio-http/1.1,istio"
"""The protocol names (ALPN) that a caller's proxy offers for HTTP within mutual TLS."""
SET_STATE: Final = "type.googleapis.com/envoy.extensions.filters.http.set_filter_state.v3.Config"
LAST: Final = 2**31 - 1
"""The highest priority of an EnvoyFilter: its patches are applied after all others of its namespace."""


def sidecars(seen: Snapshot, plan: Plan) -> Iterator[dict[str, Any]]:
    """A Sidecar for each stand-in: inbound listeners for the ports of its Services, and outbound ones for its calls.

    Istio applies one Sidecar to a workload, so the outbound settings of the user's Sidecar are merged into it."""
    for workload in plan.workloads:
        wanted = _wanted(seen, plan, workload)
        hosts = [host for listener in wanted.get("egress", []) for host in listener.get("hosts", [])]
        spec: dict[str, Any] = {
            "workloadSelector": {"labels": workload.mark},
            "ingress": list(_inbound(seen, workload)),
            "egress": [{"bind": workload.outbound, "captureMode": "NONE", "hosts": hosts or EVERYTHING}],
        }
        if "outboundTrafficPolicy" in wanted:
            spec["outboundTrafficPolicy"] = wanted["outboundTrafficPolicy"]
        yield {
            "apiVersion": "networking.istio.io/v1",
            "kind": "Sidecar",
            "metadata": {"name": f"live-{workload.name}", "namespace": workload.namespace},
            "spec": spec,
        }


def _wanted(seen: Snapshot, plan: Plan, workload: Workload) -> Manifest:
    """The spec of the user's Sidecar that applies to a workload: one that selects it, otherwise that of its namespace,
    otherwise that of the mesh. Empty if there is none."""
    labels = next((pod["metadata"]["labels"] for pod in serving(seen, workload)), workload.labels)
    ranked: dict[int, Manifest] = {}
    for sidecar in seen.istio["Sidecar"]:
        spec, place = sidecar.get("spec") or {}, sidecar["metadata"]["namespace"]
        selector = spec.get("workloadSelector", {}).get("labels")
        if place == workload.namespace and selects(selector, labels):
            ranked.setdefault(0, spec)
        elif not selector and place in (workload.namespace, plan.config_root):
            ranked.setdefault(1 if place == workload.namespace else 2, spec)
    return ranked[min(ranked)] if ranked else {}


def _inbound(seen: Snapshot, workload: Workload) -> Iterator[dict[str, Any]]:
    """The listeners for the ports of the Services that select a workload's labels, even if it has no pods. Each port
    number has one listener; the first Service decides about its protocol."""
    taken = set()
    for service in seen.services:
        same = service["metadata"]["namespace"] == workload.namespace
        for port in tcp_ports(service) if same and selects(service["spec"].get("selector"), workload.labels) else ():
            number = inbound(port, workload)
            if number not in taken:
                taken.add(number)
                yield {
                    "port": {"number": number, "protocol": _spoken(port), "name": f"port-{number}"},
                    "bind": workload.address,
                    "captureMode": "NONE",
                    "defaultEndpoint": f"0.0.0.0:{APP_PORT}",  # in Istio's API: the proxy's own address
                }


def _spoken(port: Manifest) -> str:
    """The protocol of requests to a stand-in. HTTP/2 reaches it as HTTP/1.1, except for gRPC. It does not terminate
    TLS."""
    named = protocol(port)
    return {"HTTP2": "HTTP", "HTTPS": "TCP", "TLS": "TCP"}.get(named, named)


def plain_text(plan: Plan) -> dict[str, Any]:
    """The PeerAuthentication that turns mutual TLS off. The proxies have no certificates and would wait for them."""
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": "PeerAuthentication",
        "metadata": {"name": "live", "namespace": plan.config_root},
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


def called_ports(seen: Snapshot, plan: Plan) -> Iterator[dict[str, Any]]:
    """An EnvoyFilter for each namespace of workloads. It binds the listeners for calls to ports below 1024 to other
    ports, and is applied after all other EnvoyFilters, which match by the called port."""
    services = [service["spec"].get("ports") or () for service in seen.services]
    entries = [entry["spec"].get("ports") or () for entry in seen.istio["ServiceEntry"]]
    numbers = {int(port.get("port") or port["number"]) for ports in (*services, *entries) for port in ports}
    patches = [_bound(number) for number in sorted(numbers) if number < PRIVILEGED]
    for namespace in sorted({workload.namespace for workload in plan.workloads}) if patches else ():
        yield {
            "apiVersion": "networking.istio.io/v1alpha3",
            "kind": "EnvoyFilter",
            "metadata": {"name": "live-calls", "namespace": namespace},
            "spec": {"priority": LAST, "configPatches": patches},
        }


def _bound(number: int) -> dict[str, Any]:
    return {
        "applyTo": "LISTENER",
        "match": {"context": "SIDECAR_OUTBOUND", "listener": {"portNumber": number}},
        "patch": {"operation": "MERGE", "value": {"address": {"socket_address": {"port_value": bound(number)}}}},
    }


def http_marks(plan: Plan) -> Iterator[dict[str, Any]]:
    """An EnvoyFilter that offers Istio's protocol name for HTTP in TLS handshakes. The receiver's proxy uses it to
    detect HTTP on a port without a protocol. Istio's own proxies have a filter for it."""
    name = {"text_format_source": {"inline_string": HTTP_MARK}}
    state = {"object_key": "envoy.network.application_protocols", "format_string": name, "shared_with_upstream": "ONCE"}
    filter_ = {"name": "live.http-mark", "typed_config": {"@type": SET_STATE, "on_request_headers": [state]}}
    manager = {"name": "envoy.filters.network.http_connection_manager"}
    before = {"filterChain": {"filter": {**manager, "subFilter": {"name": "envoy.filters.http.router"}}}}
    patches = [
        {
            "applyTo": "HTTP_FILTER",
            "match": {"context": context, "listener": before},
            "patch": {"operation": "INSERT_BEFORE", "value": filter_},
        }
        for context in ("SIDECAR_OUTBOUND", "GATEWAY")
    ]
    if plan.identity:
        yield {
            "apiVersion": "networking.istio.io/v1alpha3",
            "kind": "EnvoyFilter",
            "metadata": {"name": "live-http-mark", "namespace": plan.config_root},
            "spec": {"configPatches": patches},
        }


def open_ports(seen: Snapshot, plan: Plan) -> dict[str, int]:
    """The ingress gateway's node ports that a Gateway opens for HTTP or HTTPS, by port name."""
    return {
        port.get("name", ""): port["nodePort"]
        for service in seen.services
        if (ingress := gateway_of(service, plan)) and ingress.name == plan.ingress
        for port in service["spec"]["ports"]
        if port.get("nodePort") and {port["port"], target(port)} & _http_ports(seen, plan, ingress)
    }


def _http_ports(seen: Snapshot, plan: Plan, ingress: Gateway) -> set[int]:
    """The HTTP ports of the Gateways that select the ingress gateway. Ports of other protocols are left out, since the
    proxy listens on them only if they have a route."""
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
