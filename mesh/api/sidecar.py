"""Sidecar: the inbound and outbound listeners of sidecars, and the services that they can reach."""

from typing import Annotated, ClassVar, Literal

from annotated_types import MinLen
from pydantic import AfterValidator, Field

from mesh.api.common import Destination, SidecarPort, WorkloadSelector
from mesh.api.destination_rule import ConnectionPoolSettings
from mesh.api.gateway import ServerTLSSettings
from mesh.api.model import Findings, Kind, Message, Names, nested, optional
from mesh.api.names import UNIX, Bind, IpAddress, host_in_namespace, is_domain, is_label, socket, whole_host
from mesh.api.scalars import port_of
from mesh.core.errors import show
from mesh.core.protocols import is_tls

__all__ = ["IstioEgressListener", "IstioIngressListener", "OutboundTrafficPolicy", "Sidecar"]

IPV6_HOSTS = ("[::1]", "[::]")
"""Addresses of the workload itself and of its pod, as in defaultEndpoint."""
CaptureMode = Literal["DEFAULT", "IPTABLES", "NONE"]


def _imported(text: str) -> str:
    whole_host(host_in_namespace(text, "*.~"))
    return text


def _local(text: str) -> str:
    if text.startswith(UNIX):
        return socket(text)
    host, colon, port = text.rpartition(":")
    if not colon or host not in ("", "127.0.0.1", "0.0.0.0", *IPV6_HOSTS) or not port_of(port):
        raise ValueError(f"{show(text)} is not 127.0.0.1:<port>, 0.0.0.0:<port> or {UNIX}/path")
    return text


class IstioIngressListener(Message):
    """An inbound listener of the sidecar."""

    port: SidecarPort = Field(description="Port of the listener; number is required.")
    bind: IpAddress | None = optional("Address to listen on; found out by Istio if not set.")
    captureMode: CaptureMode | None = optional(
        "How traffic comes to the listener: the environment's way (the default), by iptables, or by itself."
    )
    defaultEndpoint: Annotated[str, AfterValidator(_local)] | None = optional(
        "Where the workload listens: 127.0.0.1:<port>, 0.0.0.0:<port> for the pod's address, or unix:///path."
    )
    tls: ServerTLSSettings | None = optional("TLS that the sidecar ends itself, for callers outside the mesh.")
    connectionPool: ConnectionPoolSettings | None = optional(
        "Limits of connections to the listener, in place of the Sidecar's inboundConnectionPool."
    )

    def check(self) -> Findings:
        if not self.port.number:
            yield ("port", "number"), "must be in 1..65535"
        yield from _listener_port(self.port)
        if self.tls:
            yield from nested(("tls",), self._check_tls(self.tls))

    def _check_tls(self, tls: ServerTLSSettings) -> Findings:
        for name in ("subjectAltNames", "httpsRedirect", "credentialName", "credentialNames", "tlsCertificates"):
            if getattr(tls, name):
                yield (name,), "is for gateways only"
        if tls.mode in ("ISTIO_MUTUAL", "AUTO_PASSTHROUGH"):
            yield ("mode",), f"{tls.mode} is for gateways only"
        if not is_tls(self.port.protocol or ""):
            yield (), "needs a port of protocol HTTPS or TLS"


class IstioEgressListener(Message):
    """An outbound listener of the sidecar, and the services that it imports."""

    required: ClassVar = ("hosts",)

    port: SidecarPort | None = optional("Port of the listener; if not set, the ports of the services below.")
    bind: Bind | None = optional("Address or unix:// socket to listen on; found out by Istio if not set.")
    captureMode: CaptureMode | None = optional(
        "How traffic comes to the listener: the environment's way (the default), by iptables, or by itself."
    )
    hosts: Annotated[list[Annotated[str, AfterValidator(_imported)]], MinLen(1)] = Field(
        description="Services as namespace/host; * is any of either, . this namespace and ~ none."
    )

    def check(self) -> Findings:
        if not self.port:
            return
        yield from _listener_port(self.port)
        on_socket = (self.bind or "").startswith(UNIX)
        if bool(self.port.number) == on_socket:
            text = "must be 0 for a Unix domain socket" if on_socket else "must be in 1..65535, or bind a socket"
            yield ("port", "number"), text
        if on_socket and self.captureMode == "IPTABLES":
            yield ("captureMode",), "IPTABLES is not possible with a Unix domain socket"


class OutboundTrafficPolicy(Message):
    """How the sidecar handles traffic to services that are not in the registry."""

    mode: Literal["REGISTRY_ONLY", "ALLOW_ANY"] | None = optional("Refuse it (the default here) or let it pass.")
    egressProxy: Destination | None = optional("Service that gets the traffic in mode ALLOW_ANY; its port is required.")

    def check(self) -> Findings:
        if not self.egressProxy:
            return
        if self.mode != "ALLOW_ANY":
            yield ("egressProxy",), "needs mode ALLOW_ANY"
        if not is_domain(self.egressProxy.host):
            yield ("egressProxy", "host"), f"{show(self.egressProxy.host)} is not a DNS name"
        if not self.egressProxy.port:
            yield ("egressProxy", "port"), "is required"


class Sidecar(Kind):
    """What the proxies beside some workloads listen on and whom they know; by default all ports, and everybody."""

    names: ClassVar = Names(group="networking.istio.io", plural="sidecars")

    workloadSelector: WorkloadSelector | None = optional("Which workloads; all of the namespace if not set.")
    inboundConnectionPool: ConnectionPoolSettings | None = optional("Limits of connections to the workloads.")
    ingress: list[IstioIngressListener] | None = optional(
        "Incoming traffic; as the workload's services say if not set."
    )
    egress: list[IstioEgressListener] | None = optional("Outgoing traffic; to all services of the mesh if not set.")
    outboundTrafficPolicy: OutboundTrafficPolicy | None = optional(
        "What happens to traffic to unknown services; the mesh's own policy if not set."
    )

    def check(self) -> Findings:
        if not (self.ingress or self.egress or self.outboundTrafficPolicy or self.inboundConnectionPool):
            yield (), "needs ingress, egress or outboundTrafficPolicy"
        egress = self.egress or []
        for i, listener in enumerate(egress[:-1]):
            if not listener.port:
                yield ("egress", i), "a listener without port must be the last"
        yield from _distinct("ingress", [listener.port.number for listener in self.ingress or ()])
        bound = [(entry.port.number or entry.bind) if entry.port else None for entry in egress]
        yield from _distinct("egress", bound)


def _listener_port(port: SidecarPort) -> Findings:
    if port.targetPort:
        yield ("port", "targetPort"), "is for service entries; see defaultEndpoint"
    if port.name and not is_label(port.name):
        yield ("port", "name"), f"{show(port.name)} is not a DNS label"


def _distinct(field: str, bound: list[int | str | None]) -> Findings:
    for i, address in enumerate(bound):
        if address is not None and address in bound[:i]:
            yield (field, i), f"another listener is bound to {address}, too"
