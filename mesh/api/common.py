"""Messages that several kinds share, such as `StringMatch` and `Destination`."""

from typing import Annotated, ClassVar

from pydantic import Field

from mesh.api.enforced import PORT, Enforced, Rule
from mesh.api.model import Findings, Message, optional
from mesh.api.names import Label, PolicyLabels, Protocol, SomeHost, WorkloadLabels
from mesh.api.regex import Regex
from mesh.api.scalars import Double, EndpointPort, Natural32, PortNumber, SocketPort, Word
from mesh.core.errors import show

__all__ = [
    "Destination",
    "Percent",
    "PolicySelector",
    "PolicyTargetReference",
    "Port",
    "PortSelector",
    "ServicePort",
    "SidecarPort",
    "StringMatch",
    "WorkloadSelector",
]

TARGETS = (
    ("", "Service"),
    ("gateway.networking.k8s.io", "Gateway"),
    ("gateway.networking.k8s.io", "GatewayClass"),
    ("networking.istio.io", "ServiceEntry"),
)
"""API groups and kinds of the objects that a policy can be attached to."""
MIN_PERCENT = 0.0001
"""The smallest percentage above 0 that Envoy can express: one request in a million."""


class StringMatch(Message):
    """A case-sensitive condition on a string. Without any field it only requires the string to be present."""

    one_of: ClassVar = ("exact", "prefix", "regex")

    exact: str | None = optional("The whole string.")
    prefix: str | None = optional("What the string starts with.")
    regex: Regex | None = optional("A regular expression in RE2 syntax that the whole string matches.")


class Percent(Message):
    """A percentage of requests."""

    value: Double | None = optional("Percentage from 0.0 to 100.0; below 0.0001 there is only 0.")

    def check(self) -> Findings:
        if self.value and not MIN_PERCENT <= self.value <= 100:
            yield ("value",), f"{self.value:g} is neither 0 nor in {MIN_PERCENT}..100"


class PortSelector(Message):
    """Selects a port of a service by number."""

    required: ClassVar = ()

    number: PortNumber = Field(description="Number of the service's port, 1 to 65535.")


class Destination(Message):
    """The service, or the subset of it, to which traffic is routed."""

    host: SomeHost = Field(
        description="Name of the service in the mesh's registry; a short name is read in the rule's own namespace."
    )
    subset: Label | None = optional("Name of one of the subsets that a DestinationRule defines for the host.")
    port: PortSelector | None = optional("Port of the service; may be left out if there is only one.")


_NUMBER = "Number of the port; 0 only where a Unix domain socket is bound."
_PROTOCOL = "What is spoken: HTTP, HTTPS, HTTP2, GRPC, GRPC-Web, MONGO, MYSQL, REDIS, TCP, TLS and others."
_PORT_NAME = "Name of the port, unique among the ports beside it."
_TARGET_PORT = "Port on the endpoint that gets the traffic; for service entries only."


class Port(Message):
    """A port and its protocol."""

    required: ClassVar[tuple[str, ...]] = ("number", "protocol", "name")

    number: SocketPort | None = optional(_NUMBER)
    protocol: Protocol | None = optional(_PROTOCOL)
    name: str | None = optional(_PORT_NAME)
    targetPort: PortNumber | None = optional(_TARGET_PORT)


class SidecarPort(Port):
    """A port on which a sidecar listens, and its protocol."""

    required: ClassVar = ()


class ServicePort(Port):
    """A port of a service, and its protocol."""

    required: ClassVar = ("number", "name")

    number: Annotated[SocketPort, Enforced(rules=(PORT,))] | None = optional(_NUMBER)
    protocol: Annotated[Protocol, Enforced(maxLength=256)] | None = optional(_PROTOCOL)
    name: Annotated[str, Enforced(maxLength=256)] | None = optional(_PORT_NAME)
    targetPort: EndpointPort | None = optional(_TARGET_PORT)


class WorkloadSelector(Message):
    """Selects the workloads (pods and machines) to which a networking object applies."""

    labels: WorkloadLabels | None = optional("Labels that a workload of the same namespace must have, all of them.")


class PolicySelector(Message):
    """Selects the workloads (pods and machines) to which a policy applies."""

    matchLabels: PolicyLabels | None = optional("Labels that a workload must have, all of them.")


class PolicyTargetReference(Message):
    """An object that a policy is attached to: a Gateway of the Gateway API, a waypoint's, or a Service behind one."""

    group: (
        Annotated[
            str,
            Enforced(maxLength=253, pattern=r"^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"),
        ]
        | None
    ) = optional("API group of the object; empty for Services.")
    kind: Annotated[Word, Enforced(maxLength=63, pattern=r"^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$")] = Field(
        description="Kind of the object, such as Gateway or Service."
    )
    name: Annotated[Word, Enforced(maxLength=253)] = Field(description="Name of the object, in the policy's namespace.")
    namespace: (
        Annotated[
            str, Enforced(rules=(Rule("self.size() == 0", "cross namespace referencing is not currently supported"),))
        ]
        | None
    ) = optional("Not supported: the object is in the policy's namespace.")

    def check(self) -> Findings:
        if self.namespace:
            yield ("namespace",), "must not be set: the object is in the policy's own namespace"
        group = self.group or ""
        if (group, self.kind) not in TARGETS:
            known = ", ".join(f"{kind} of group {show(of)}" for of, kind in TARGETS)
            yield (), f"{self.kind} of group {show(group)} is not one of {known}"


Weight = Annotated[Natural32, Enforced(description="Share of the route's traffic, in relation to the other weights.")]
"""The share of one of several receivers; in Istio 1.10 the percentage."""
TargetReferences = Annotated[list[PolicyTargetReference], Enforced(maxItems=16)]
