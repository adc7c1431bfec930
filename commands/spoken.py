"""The protocol of a request of `make smoke`: HTTP, gRPC, a plain connection, or a TLS connection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from mesh.analysis import hosts
from mesh.analysis.mesh import Mesh
from mesh.analysis.services import Port, Service
from mesh.core import kinds
from mesh.core.protocols import is_http, is_tls
from mesh.requests.expected import NO_CONNECTION, Answers
from mesh.requests.gateways import takes_connections
from mesh.requests.samples import Sample
from mesh.requests.types import Outcome

HTTP: Final = "HTTP"
GRPC: Final = "gRPC"
TCP: Final = "TCP"
TLS: Final = "TLS"
CONNECTIONS: Final = (TCP, TLS)
"""The protocols for which connections are opened, without requests."""
HEALTH: Final = "/grpc.health.v1.Health/Check"
"""The call that is made if any call will do; it changes nothing."""
_OTHER: Final = "UNKNOWN"
_CODES: Final = {
    400: "INTERNAL",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "UNIMPLEMENTED",
    **dict.fromkeys((429, 502, 503, 504), "UNAVAILABLE"),
}
"""The gRPC codes with which proxies answer calls, by HTTP status, as gRPC maps them; UNKNOWN for all other statuses."""


def of(mesh: Mesh, sample: Sample, outcome: Outcome) -> str:
    """The protocol of a request; empty if `make smoke` does not support it."""
    if sample.outside:
        server = _server(mesh, sample)
        protocol = server["port"].get("protocol", "")
        if takes_connections(server):
            return TLS if is_tls(protocol) else TCP
    else:
        called = called_port(mesh, sample)
        protocol = called.protocol if called else ""
    if protocol and not (is_http(protocol) or sample.outside):
        return TLS if is_tls(protocol) else "" if protocol == "UDP" else TCP
    behind = {port.protocol for port in _behind(mesh, outcome) if port}
    return GRPC if {protocol, *behind} & {"GRPC"} else HTTP


def called(mesh: Mesh, sample: Sample) -> Service | None:
    """The service that a workload calls; None for requests from outside."""
    return None if sample.outside else mesh.service(sample.host, sample.source.partition("/")[0])


def called_port(mesh: Mesh, sample: Sample) -> Port | None:
    """The port that a workload calls; None for requests from outside, or if the service does not have the port."""
    service = called(mesh, sample)
    return service.port(sample.port) if service else None


def needs_certificate(mesh: Mesh, sample: Sample) -> bool:
    """Whether a gateway requires a client certificate for a request."""
    return sample.outside and (_server(mesh, sample).get("tls") or {}).get("mode") == "MUTUAL"


def as_call(sample: Sample) -> Sample:
    """A request as a gRPC call: a health check if any path will do."""
    return replace(sample, method="POST", path=HEALTH if sample.path == "/" else sample.path)


def told(sample: Sample, spoken: str) -> str:
    """A request as text. Other protocols than HTTP are written like calls of stand-ins, such as `grpc://stock:9000/…`."""
    if spoken == HTTP:
        return str(sample)
    way = f"{'through' if sample.outside else 'from'} {sample.source.partition('/')[2]}"
    if spoken in CONNECTIONS:
        host = "*" if sample.outside and spoken == TCP else sample.host
        return f"{spoken.lower()}://{host}:{sample.port} {way}"
    return f"{spoken.lower()}://{sample.origin.removeprefix('https://')}{sample.path}{sample.suffix} {way}"


def answers(found: Answers, spoken: str) -> Answers:
    """The expected answers, as a client of this protocol sees them."""
    if spoken == HTTP:
        return found
    shares: dict[str, float] = {}
    for name, share in found.shares.items():
        told = name
        if name[:3].isdigit():
            told = NO_CONNECTION if spoken in CONNECTIONS else code(int(name[:3]))
        shares[told] = shares.get(told, 0.0) + share
    return Answers(shares=shares, late={} if spoken in CONNECTIONS else found.late)


def code(status: int) -> str:
    """The gRPC code with which a proxy answers a call instead of an HTTP status."""
    return _CODES.get(status, _OTHER)


def _server(mesh: Mesh, sample: Sample) -> Mapping[str, Any]:
    """The server of a Gateway that accepts a request from outside; a default one if there is none."""
    namespace, _, name = sample.source.partition("/")
    pod = mesh.workloads.named(namespace, name)
    by_host: dict[str, Mapping[str, Any]] = {}
    for gateway in mesh.of(kinds.GATEWAY) if pod else ():
        for server in gateway.items("servers") if pod in mesh.gateway_pods(gateway) else ():
            port = server["port"]
            if port.get("number") == sample.port and is_tls(port.get("protocol") or "") == sample.secure:
                names = (hosts.parse_server_host(one, gateway.namespace)[1] for one in server.get("hosts") or ())
                by_host |= dict.fromkeys(names, server)
    return hosts.most_specific(sample.host, by_host) or {"port": {"protocol": TLS if sample.secure else HTTP}}


def _behind(mesh: Mesh, outcome: Outcome) -> Iterator[Port | None]:
    """The ports that a request is forwarded to."""
    for receiver in outcome.receivers:
        service = mesh.service(receiver.host, "")
        yield service.port(receiver.port) if service and receiver.port else None
