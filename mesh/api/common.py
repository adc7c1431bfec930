"""Messages that several kinds share, such as `StringMatch` and `Destination`."""

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from mesh.api.model import Findings, Message, optional
from mesh.api.names import Label, Protocol, Selector, SomeHost
from mesh.api.regex import Regex
from mesh.api.scalars import Double, PortNumber, SocketPort

__all__ = [
    "Destination",
    "Percent",
    "PolicySelector",
    "Port",
    "PortSelector",
    "StringMatch",
    "WorkloadSelector",
]

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

    number: PortNumber = Field(description="Number of the service's port, 1 to 65535.")


class Destination(Message):
    """The service, or the subset of it, to which traffic is routed."""

    host: SomeHost = Field(
        description="Name of the service in the mesh's registry; a short name is read in the rule's own namespace."
    )
    subset: Label | None = optional("Name of one of the subsets that a DestinationRule defines for the host.")
    port: PortSelector | None = optional("Port of the service; may be left out if there is only one.")


class Port(Message):
    """A port and its protocol."""

    number: SocketPort | None = optional("Number of the port; 0 only where a Unix domain socket is bound.")
    protocol: Protocol | None = optional(
        "What is spoken: HTTP, HTTPS, HTTP2, GRPC, GRPC-Web, MONGO, MYSQL, REDIS, TCP, TLS and others."
    )
    name: str | None = optional("Name of the port, unique among the ports beside it.")
    targetPort: PortNumber | None = optional("Port on the endpoint that gets the traffic; for service entries only.")


class WorkloadSelector(Message):
    """Selects the workloads (pods and machines) to which a networking object applies."""

    labels: Selector | None = optional("Labels that a workload of the same namespace must have, all of them.")


class PolicySelector(Message):
    """Selects the workloads (pods and machines) to which a policy applies."""

    matchLabels: Selector | None = optional("Labels that a workload must have, all of them.")


def weights(receivers: Sequence[Message] | None) -> Findings:
    """Refuses weights of several destinations under `route` that do not add up to 100."""
    total = sum(getattr(receiver, "weight", None) or 0 for receiver in receivers or ())
    if receivers and len(receivers) > 1 and total != 100:
        yield ("route",), f"the weights of several destinations must add up to 100, not {total}"
