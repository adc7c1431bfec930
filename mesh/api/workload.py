"""WorkloadEntry and WorkloadGroup: workloads of the mesh that are not pods."""

import re
from typing import Annotated, ClassVar

from annotated_types import MinLen
from pydantic import AfterValidator, Field

from mesh.api.model import AGE, Column, Findings, Kind, Message, Names, optional
from mesh.api.names import UNIX, Address, Label, Labels
from mesh.api.scalars import Natural32, PortNumber, UInt32
from mesh.core.errors import show

__all__ = [
    "Endpoint",
    "ExecHealthCheckConfig",
    "HTTPHeader",
    "HTTPHealthCheckConfig",
    "ObjectMeta",
    "ReadinessProbe",
    "TCPHealthCheckConfig",
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


class Endpoint(Message):
    """A network endpoint that is not a pod. Istio's API calls it WorkloadEntry, also where another object holds it."""

    address: Address | None = optional("IP address, DNS name, or unix:///path of a socket; without a port.")
    ports: dict[Label, PortNumber] | None = optional("The endpoint's port for each of the service's ports, by name.")
    labels: Labels | None = optional("Labels of the endpoint.")
    network: str | None = optional("Network in which the endpoint is; those of one network reach each other directly.")
    locality: str | None = optional("Where the endpoint is, from the large to the small: region/zone/sub-zone.")
    weight: UInt32 | None = optional("Share of the load, in relation to the other endpoints.")
    serviceAccount: str | None = optional("Service account that is the endpoint's identity, if it has a sidecar.")

    def check(self) -> Findings:
        if self.ports and (self.address or "").startswith(UNIX):
            yield ("ports",), "a Unix domain socket has no ports"


class WorkloadEntry(Endpoint, Kind):
    """One machine or other workload of the mesh that is not a pod. A ServiceEntry makes it part of a service."""

    names: ClassVar = Names(
        group="networking.istio.io",
        plural="workloadentries",
        short=("we",),
        columns=(AGE, Column("Address", ".spec.address", "Address of the workload.")),
    )

    def check(self) -> Findings:
        if not self.address:
            yield ("address",), "is required"
        yield from super().check()


class ObjectMeta(Message):
    """Metadata of the WorkloadEntries that are created from a group."""

    labels: Labels | None = optional("Labels of each entry.")
    annotations: dict[str, str] | None = optional("Annotations of each entry.")


class HTTPHeader(Message):
    """A header of a probe's HTTP request."""

    name: Annotated[str, AfterValidator(_probe_header)] = Field(description="Name of the header.")
    value: str | None = optional("Value of the header.")


class HTTPHealthCheckConfig(Message):
    """A health check by HTTP request: status 200 to 399 is healthy."""

    path: str | None = optional("Path of the request.")
    port: PortNumber = Field(description="Port of the workload.")
    host: str | None = optional("Host to connect to; the workload itself if not set.")
    scheme: Annotated[str, AfterValidator(_scheme)] | None = optional("HTTP, the default, or HTTPS.")
    httpHeaders: list[HTTPHeader] | None = optional("Headers of the request; a name may come several times.")


class TCPHealthCheckConfig(Message):
    """A health check by TCP connection: an accepted connection is healthy."""

    host: str | None = optional("Host to connect to; localhost if not set.")
    port: PortNumber = Field(description="Port to connect to.")


class ExecHealthCheckConfig(Message):
    """A health check by command: exit status 0 is healthy."""

    command: Annotated[list[str], MinLen(1)] = Field(description="The command and its arguments; status 0 is healthy.")


class ReadinessProbe(Message):
    """The readiness probe by which the agent checks whether the workload can take requests."""

    one_of: ClassVar = ("httpGet", "tcpSocket", "exec")

    initialDelaySeconds: Natural32 | None = optional("Seconds before the first probe.")
    timeoutSeconds: Natural32 | None = optional("Seconds until a probe counts as failed; 1 if not set.")
    periodSeconds: Natural32 | None = optional("Seconds between two probes; 10 if not set.")
    successThreshold: Natural32 | None = optional("Probes that must succeed in a row after a failure; 1 if not set.")
    failureThreshold: Natural32 | None = optional("Probes that must fail in a row after a success; 3 if not set.")
    httpGet: HTTPHealthCheckConfig | None = optional("Ask by an HTTP request.")
    tcpSocket: TCPHealthCheckConfig | None = optional("Ask by a connection.")
    exec: ExecHealthCheckConfig | None = optional("Ask by a command.")

    def check(self) -> Findings:
        if not (self.httpGet or self.tcpSocket or self.exec):
            yield (), f"needs one of {', '.join(self.one_of)}"


class WorkloadGroup(Kind):
    """Workloads of one sort that are not pods: what their entries are made from as they join the mesh."""

    names: ClassVar = Names(
        group="networking.istio.io",
        plural="workloadgroups",
        short=("wg",),
        columns=(AGE,),
        kept_by_helm=False,
    )

    metadata: ObjectMeta | None = optional("Labels and annotations of the entries.")
    template: Endpoint = Field(description="What the entries have in common; address and labels come from elsewhere.")
    probe: ReadinessProbe | None = optional("How a workload's health is found out.")
