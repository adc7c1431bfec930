"""ServiceEntry: services that are added to the mesh's service registry."""

from typing import Annotated, ClassVar, Literal

from annotated_types import MinLen
from pydantic import Field

from mesh.api.common import Port, WorkloadSelector
from mesh.api.model import AGE, Column, Findings, Kind, Names, at_most_one, nested, optional
from mesh.api.names import UNIX, ServiceExportTo, SomeHost, Subnet, is_domain, is_ip, is_label
from mesh.api.workload import Endpoint
from mesh.core.errors import show
from mesh.core.protocols import is_http, is_tls

__all__ = ["ServiceEntry"]


class ServiceEntry(Kind):
    """A service in the mesh's registry that is not one of Kubernetes': outside the mesh, or made of machines."""

    names: ClassVar = Names(
        group="networking.istio.io",
        plural="serviceentries",
        short=("se",),
        columns=(
            Column("Hosts", ".spec.hosts", "Hosts of the service."),
            Column("Location", ".spec.location", "Whether the service is part of the mesh."),
            Column("Resolution", ".spec.resolution", "How the service's addresses are found."),
            AGE,
        ),
    )

    hosts: Annotated[list[SomeHost], MinLen(1)] = Field(description="DNS names of the service, or *.example.com.")
    addresses: list[Subnet] | None = optional("Addresses or ranges by which traffic to the service is recognised.")
    ports: list[Port] | None = optional("Ports of the service; name and number are required.")
    location: Literal["MESH_EXTERNAL", "MESH_INTERNAL"] | None = optional(
        "Outside the mesh (the default), so that there is no mutual TLS with it, or a part of it."
    )
    resolution: Literal["NONE", "STATIC", "DNS"] | None = optional(
        "Addresses are those that callers use (the default), the endpoints', or what DNS says."
    )
    endpoints: list[Endpoint] | None = optional("Where the service runs; not together with workloadSelector.")
    workloadSelector: WorkloadSelector | None = optional(
        "Pods and WorkloadEntries of this namespace where the service runs; for MESH_INTERNAL only."
    )
    exportTo: ServiceExportTo | None = optional(
        "Namespaces whose proxies see the service: names, . for its own, * for all (the default), ~ for none."
    )
    subjectAltNames: list[str] | None = optional("Names, one of which the service's certificates must have.")

    def check(self) -> Findings:
        yield from at_most_one(self, "endpoints", "workloadSelector")
        yield from self._check_ports()
        yield from self._check_endpoints()
        if self.resolution == "DNS" and any("/" in address for address in self.addresses or ()):
            yield ("addresses",), "ranges are not possible with resolution DNS"
        protocols = [port.protocol or "TCP" for port in self.ports or ()]
        opaque = [protocol for protocol in protocols if not is_http(protocol) and not is_tls(protocol)]
        if len(self.hosts) > 1 and opaque and self.resolution in ("STATIC", "DNS"):
            yield ("hosts",), f"only one is possible with a port of protocol {opaque[0]}, which names no host"

    def _check_ports(self) -> Findings:
        ports = self.ports or []
        for i, port in enumerate(ports):
            if not port.number:
                yield ("ports", i, "number"), "must be in 1..65535"
            if not port.name:
                yield ("ports", i, "name"), "is required"
            elif not is_label(port.name):
                yield ("ports", i, "name"), f"{show(port.name)} is not a DNS label"
            for field in ("number", "name"):
                value = getattr(port, field)
                if value and value in [getattr(other, field) for other in ports[:i]]:
                    yield ("ports", i, field), f"{show(value)} is also the {field} of another port"

    def _check_endpoints(self) -> Findings:
        endpoints = self.endpoints or []
        if endpoints and self.resolution in (None, "NONE"):
            yield ("endpoints",), "need resolution STATIC or DNS"
            return
        if self.resolution == "DNS" and not endpoints:
            for i, host in enumerate(self.hosts):
                if not is_domain(host):
                    yield ("hosts", i), f"{show(host)} cannot be looked up: resolution DNS needs endpoints for it"
        if any(is_unix_socket(endpoint) for endpoint in endpoints) and len(self.ports or ()) != 1:
            yield ("ports",), "must be exactly one where an endpoint is a Unix domain socket"
        for i, endpoint in enumerate(endpoints):
            yield from nested(("endpoints", i), self._check_endpoint(endpoint))

    def _check_endpoint(self, endpoint: Endpoint) -> Findings:
        if not endpoint.address:
            yield ("address",), "is required"
        elif self.resolution == "DNS" and is_unix_socket(endpoint):
            yield ("address",), "is a Unix domain socket: use resolution STATIC"
        elif self.resolution == "STATIC" and not is_unix_socket(endpoint) and not is_ip(endpoint.address):
            yield ("address",), f"{show(endpoint.address)} is no IP address: use resolution DNS for names"
        names = [str(port.name) for port in self.ports or ()]
        for name in endpoint.ports or ():
            if name not in names:
                yield ("ports", name), f"is none of the service's ports ({', '.join(names)})"


def is_unix_socket(endpoint: Endpoint) -> bool:
    """Whether the endpoint's address is a Unix domain socket."""
    return (endpoint.address or "").startswith(UNIX)
