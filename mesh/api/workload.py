"""WorkloadEntry and WorkloadGroup: workloads of the mesh that are not pods."""

import re
from typing import Annotated, ClassVar

from annotated_types import MinLen
from pydantic import AfterValidator, Field

from mesh.api.enforced import NO_PORTS_OF_SOCKET, Enforced, Rule
from mesh.api.model import AGE, Column, Findings, Kind, Message, Names, optional
from mesh.api.names import UNIX, Address, EntryLabels, Label
from mesh.api.scalars import Count32, EndpointPort, UInt32, Word
from mesh.core.errors import show

__all__ = [
    "Endpoint",
    "ExecHealthCheckConfig",
    "GrpcHealthCheckConfig",
    "HTTPHeader",
    "HTTPHealthCheckConfig",
    "ObjectMeta",
    "ReadinessProbe",
    "TCPHealthCheckConfig",
    "Template",
    "WorkloadEntry",
    "WorkloadGroup",
]

_PROBE_HEADER = re.compile(r"[-A-Za-z0-9]+")  # stricter than HTTP, as for Kubernetes' probes


def _scheme(text: str) -> str:
    if text not in ("HTTP", "HTTPS"):
        raise ValueError(f"{show(text)} is not one of HTTP, HTTPS")
    return text


def _probe_header(name: str) -> str:
    if not _PROBE_HEADER.fullmatch(name):
        raise ValueError(f"{show(name)} is not letters, digits and hyphens")
    return name


_SOCKETS = (
    Rule(
        'self.startsWith("unix://") ? (self.substring(7, 8) == "/" || self.substring(7, 8) == "@") : true',
        "UDS must be an absolute path or abstract socket",
    ),
    Rule('self.startsWith("unix://") ? !self.endsWith("/") : true', "UDS may not be a dir"),
)
_PORT_NAMES = Rule(
    'self.all(key, size(key) < 63 && key.matches("^[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?$"))',
    "port name must be valid",
)
_SCHEMES = Rule('self in ["", "HTTP", "HTTPS"]', "scheme must be one of [HTTP, HTTPS]")


class Template(Message):
    """What the WorkloadEntries of a group have in common."""

    enforced: ClassVar[tuple[Rule, ...]] = (NO_PORTS_OF_SOCKET,)

    address: Annotated[Address, Enforced(maxLength=256, rules=_SOCKETS)] | None = optional(
        "IP address, DNS name, or unix:///path of a socket; without a port."
    )
    ports: Annotated[dict[Label, EndpointPort], Enforced(maxProperties=128, rules=(_PORT_NAMES,))] | None = optional(
        "The endpoint's port for each of the service's ports, by name."
    )
    labels: EntryLabels | None = optional("Labels of the endpoint.")
    network: Annotated[str, Enforced(maxLength=2048)] | None = optional(
        "Network in which the endpoint is; those of one network reach each other directly."
    )
    locality: Annotated[str, Enforced(maxLength=2048)] | None = optional(
        "Where the endpoint is, from the large to the small: region/zone/sub-zone."
    )
    weight: UInt32 | None = optional("Share of the load, in relation to the other endpoints.")
    serviceAccount: Annotated[str, Enforced(maxLength=253)] | None = optional(
        "Service account that is the endpoint's identity, if it has a sidecar."
    )

    def check(self) -> Findings:
        if self.ports and (self.address or "").startswith(UNIX):
            yield ("ports",), "a Unix domain socket has no ports"


class Endpoint(Template):
    """A network endpoint that is not a pod. Istio's API calls it WorkloadEntry, also where another object holds it."""

    enforced: ClassVar = (Rule("has(self.address) || has(self.network)", "Address is required"), NO_PORTS_OF_SOCKET)


class WorkloadEntry(Endpoint, Kind):
    """One machine or other workload of the mesh that is not a pod. A ServiceEntry makes it part of a service."""

    names: ClassVar = Names(
        group="networking.istio.io",
        plural="workloadentries",
        short=("we",),
        columns=(AGE, Column("Address", ".spec.address", "Address of the workload.")),
        needs_spec=True,
    )

    def check(self) -> Findings:
        if not self.address and not self.network:
            yield ("address",), "is required"
        yield from super().check()


class ObjectMeta(Message):
    """Metadata of the WorkloadEntries that are created from a group."""

    labels: EntryLabels | None = optional("Labels of each entry.")
    annotations: Annotated[dict[str, str], Enforced(maxProperties=256)] | None = optional("Annotations of each entry.")


class HTTPHeader(Message):
    """A header of a probe's HTTP request."""

    required: ClassVar = ()

    name: Annotated[str, AfterValidator(_probe_header), Enforced(pattern="^[-_A-Za-z0-9]+$")] = Field(
        description="Name of the header."
    )
    value: str | None = optional("Value of the header.")


class HTTPHealthCheckConfig(Message):
    """A health check by HTTP request: status 200 to 399 is healthy."""

    path: str | None = optional("Path of the request.")
    port: EndpointPort = Field(description="Port of the workload.")
    host: str | None = optional("Host to connect to; the workload itself if not set.")
    scheme: Annotated[str, AfterValidator(_scheme), Enforced(rules=(_SCHEMES,))] | None = optional(
        "HTTP, the default, or HTTPS."
    )
    httpHeaders: list[HTTPHeader] | None = optional("Headers of the request; a name may come several times.")


class TCPHealthCheckConfig(Message):
    """A health check by TCP connection: an accepted connection is healthy."""

    host: str | None = optional("Host to connect to; localhost if not set.")
    port: EndpointPort = Field(description="Port to connect to.")


class ExecHealthCheckConfig(Message):
    """A health check by command: exit status 0 is healthy."""

    command: Annotated[list[Word], MinLen(1)] = Field(description="The command and its arguments; status 0 is healthy.")


class GrpcHealthCheckConfig(Message):
    """A health check by gRPC's own health service."""

    port: EndpointPort | None = optional("Port to connect to.")
    service: str | None = optional("Name of the service that is asked for.")


class ReadinessProbe(Message):
    """The readiness probe by which the agent checks whether the workload can take requests."""

    one_of: ClassVar = ("httpGet", "tcpSocket", "exec", "grpc")

    initialDelaySeconds: Count32 | None = optional("Seconds before the first probe.")
    timeoutSeconds: Count32 | None = optional("Seconds until a probe counts as failed; 1 if not set.")
    periodSeconds: Count32 | None = optional("Seconds between two probes; 10 if not set.")
    successThreshold: Count32 | None = optional("Probes that must succeed in a row after a failure; 1 if not set.")
    failureThreshold: Count32 | None = optional("Probes that must fail in a row after a success; 3 if not set.")
    httpGet: HTTPHealthCheckConfig | None = optional("Ask by an HTTP request.")
    tcpSocket: TCPHealthCheckConfig | None = optional("Ask by a connection.")
    exec: ExecHealthCheckConfig | None = optional("Ask by a command.")
    grpc: GrpcHealthCheckConfig | None = optional("Ask gRPC's health service; istiod does not accept it yet.")

    def check(self) -> Findings:
        if self.grpc:
            yield ("grpc",), "is refused by istiod's own validation: use httpGet, tcpSocket or exec"
        elif not (self.httpGet or self.tcpSocket or self.exec):
            yield (), "needs one of httpGet, tcpSocket, exec"


class WorkloadGroup(Kind):
    """Workloads of one sort that are not pods: what their entries are made from as they join the mesh."""

    names: ClassVar = Names(
        group="networking.istio.io",
        plural="workloadgroups",
        short=("wg",),
        columns=(AGE,),
        needs_spec=True,
    )

    metadata: ObjectMeta | None = optional("Labels and annotations of the entries.")
    template: Template = Field(description="What the entries have in common; address and labels come from elsewhere.")
    probe: ReadinessProbe | None = optional("How a workload's health is found out.")
