"""ServiceEntry: services that are added to the mesh's service registry."""

from typing import Annotated, ClassVar, Literal

from annotated_types import MinLen
from pydantic import Field

from mesh.api.common import ServicePort, WorkloadSelector
from mesh.api.enforced import Enforced, Rule
from mesh.api.enforced import at_most_one as at_most_one_rule
from mesh.api.model import AGE, Column, Findings, Kind, Names, at_most_one, nested, optional
from mesh.api.names import UNIX, ServiceExportTo, SomeHost, Subnet, is_domain, is_ip, is_label
from mesh.api.workload import Endpoint
from mesh.core.errors import show
from mesh.core.protocols import is_http, is_tls

__all__ = ["ServiceEntry"]


_DISTINCT_NUMBERS = Rule(
    "self.all(l1, self.exists_one(l2, l1.number == l2.number))", "port number cannot be duplicated"
)
_BY_DNS = ("DNS", "DNS_ROUND_ROBIN")
_DYNAMIC = "DYNAMIC_DNS"
_DYNAMIC_PROTOCOLS = ("HTTP", "TLS", "GRPC", "HTTP2")


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
        needs_spec=True,
    )
    enforced: ClassVar = (
        at_most_one_rule("only one of WorkloadSelector or Endpoints can be set", "workloadSelector", "endpoints"),
        Rule(
            '!((has(self.addresses) ? self.addresses : []).exists(k, k.contains("/")) &&'
            ' !((has(self.resolution) ? self.resolution : "NONE") in ["STATIC", "NONE"]))',
            "CIDR addresses are allowed only for NONE/STATIC resolution types",
        ),
        Rule(
            '((has(self.resolution) ? self.resolution : "NONE") == "NONE") ? !has(self.endpoints) : true',
            "NONE mode cannot set endpoints",
        ),
        Rule(
            '((has(self.resolution) ? self.resolution : "") == "DNS_ROUND_ROBIN") ?'
            " ((has(self.endpoints) ? self.endpoints : []).size() <= 1) : true",
            "DNS_ROUND_ROBIN mode cannot have multiple endpoints",
        ),
    )

    hosts: Annotated[
        list[Annotated[SomeHost, Enforced(rules=(Rule('self != "*"', "hostname cannot be wildcard"),))]],
        MinLen(1),
        Enforced(minItems=1, maxItems=256),
    ] = Field(description="DNS names of the service, or *.example.com.")
    addresses: Annotated[list[Annotated[Subnet, Enforced(maxLength=64)]], Enforced(maxItems=256)] | None = optional(
        "Addresses or ranges by which traffic to the service is recognised."
    )
    ports: Annotated[list[ServicePort], Enforced(maxItems=256, unique="name", rules=(_DISTINCT_NUMBERS,))] | None = (
        optional("Ports of the service; name and number are required.")
    )
    location: Literal["MESH_EXTERNAL", "MESH_INTERNAL"] | None = optional(
        "Outside the mesh (the default), so that there is no mutual TLS with it, or a part of it."
    )
    resolution: Literal["NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"] | None = optional(
        "Addresses are those that callers use (the default), the endpoints', or what DNS says."
    )
    endpoints: Annotated[list[Endpoint], Enforced(maxItems=4096)] | None = optional(
        "Where the service runs; not together with workloadSelector."
    )
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
        if self.resolution == _DYNAMIC:
            yield from self._check_dynamic()
        else:
            yield from self._check_endpoints()
        if self.resolution in _BY_DNS and any("/" in address for address in self.addresses or ()):
            yield ("addresses",), f"ranges are not possible with resolution {self.resolution}"
        protocols = [port.protocol or "TCP" for port in self.ports or ()]
        opaque = [protocol for protocol in protocols if not is_http(protocol) and not is_tls(protocol)]
        if len(self.hosts) > 1 and opaque and self.resolution not in (None, "NONE"):
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
        if self.resolution in _BY_DNS and not endpoints:
            for i, host in enumerate(self.hosts):
                if not is_domain(host):
                    text = f"cannot be looked up: resolution {self.resolution} needs endpoints for it"
                    yield ("hosts", i), f"{show(host)} {text}"
        if self.resolution == "DNS_ROUND_ROBIN" and len(endpoints) > 1:
            yield ("endpoints",), "can be one only with resolution DNS_ROUND_ROBIN"
        if any(is_unix_socket(endpoint) for endpoint in endpoints) and len(self.ports or ()) != 1:
            yield ("ports",), "must be exactly one where an endpoint is a Unix domain socket"
        for i, endpoint in enumerate(endpoints):
            yield from nested(("endpoints", i), self._check_endpoint(endpoint))

    def _check_dynamic(self) -> Findings:
        """Checks a service whose names proxies look up on request: those that a wildcard matches."""
        for i, host in enumerate(self.hosts):
            if not host.startswith("*"):
                yield ("hosts", i), f"{show(host)} has no wildcard: resolution {_DYNAMIC} is for *.example.com"
        for name in ("addresses", "endpoints"):
            if getattr(self, name):
                yield (name,), f"cannot be set with resolution {_DYNAMIC}"
        for i, port in enumerate(self.ports or ()):
            if (port.protocol or "").upper() not in _DYNAMIC_PROTOCOLS:
                yield ("ports", i, "protocol"), f"must be one of {', '.join(_DYNAMIC_PROTOCOLS)} with {_DYNAMIC}"

    def _check_endpoint(self, endpoint: Endpoint) -> Findings:
        if not endpoint.address and not endpoint.network:
            yield ("address",), "is required"
        elif not endpoint.address:
            if self.resolution in _BY_DNS:
                yield ("address",), f"is required with resolution {self.resolution}"
        elif self.resolution in _BY_DNS and is_unix_socket(endpoint):
            yield ("address",), "is a Unix domain socket: use resolution STATIC"
        elif self.resolution == "STATIC" and not is_unix_socket(endpoint) and not is_ip(endpoint.address):
            yield ("address",), f"{show(endpoint.address)} is not an IP address: use resolution DNS for names"
        names = [str(port.name) for port in self.ports or ()]
        for name in endpoint.ports or ():
            if name not in names:
                yield ("ports", name), f"is not one of the service's ports ({', '.join(names)})"


def is_unix_socket(endpoint: Endpoint) -> bool:
    """Whether the endpoint's address is a Unix domain socket."""
    return (endpoint.address or "").startswith(UNIX)
