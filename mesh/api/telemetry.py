"""Telemetry: tracing, metrics and access logs of workloads' requests."""

from typing import ClassVar, Literal

from pydantic import Field

from mesh.api.cel import Cel
from mesh.api.common import PolicySelector, PolicyTargetReference, TargetReferences
from mesh.api.enforced import ONE_SELECTION, Rule
from mesh.api.model import AGE, Findings, Kind, Message, Names, at_most_one, optional
from mesh.api.scalars import BoolValue, Duration, PercentageValue, Word

__all__ = [
    "AccessLogging",
    "CustomTag",
    "Environment",
    "Formatter",
    "LiteralTag",
    "LogFilter",
    "LogMatch",
    "MetricSelector",
    "Metrics",
    "MetricsOverride",
    "ProviderRef",
    "RequestHeader",
    "TagOverride",
    "Telemetry",
    "TelemetryTag",
    "Tracing",
    "TracingMatch",
]

WorkloadMode = Literal["CLIENT_AND_SERVER", "CLIENT", "SERVER"]
_OPERATION = '(has(self.operation) ? self.operation : "")'


class ProviderRef(Message):
    """A reference to an extension provider that receives spans."""

    name: Word = Field(description="Its name among the extension providers of the mesh's configuration.")


class LiteralTag(Message):
    """A tag with a fixed value."""

    value: Word = Field(description="Value of the tag.")


class Environment(Message):
    """A tag whose value is an environment variable of the proxy."""

    name: Word = Field(description="Name of the environment variable.")
    defaultValue: str | None = optional("Value of the tag where there is no such variable.")


class RequestHeader(Message):
    """A tag whose value is a header of the request."""

    name: Word = Field(description="Name of the header.")
    defaultValue: str | None = optional("Value of the tag where there is no such header.")


class Formatter(Message):
    """A tag whose value is made by Envoy's command operators, such as %REQ(:METHOD)%."""

    value: Word = Field(description="The text with its operators.")


class CustomTag(Message):
    """A custom tag of each span."""

    one_of: ClassVar[tuple[str, ...]] = ("literal", "environment", "header")

    literal: LiteralTag | None = optional("A fixed value.")
    environment: Environment | None = optional("The value of an environment variable of the proxy.")
    header: RequestHeader | None = optional("The value of a header of the request.")


class TelemetryTag(CustomTag):
    """A custom tag of each span."""

    one_of: ClassVar = (*CustomTag.one_of, "formatter")

    formatter: Formatter | None = optional("A value made by Envoy's command operators.")


class TracingMatch(Message):
    """Whose part in a request is meant."""

    mode: WorkloadMode | None = optional("As the caller, as the one that is called, or as either (the default).")


class Tracing(Message):
    """Tracing of requests: provider, sampling and tags."""

    match: TracingMatch | None = optional("Requests that are meant; all if not set.")
    providers: list[ProviderRef] | None = optional("Who gets the spans, one at most; the mesh's default if not set.")
    randomSamplingPercentage: PercentageValue | None = optional(
        "Percentage of requests that are traced where the caller has not decided, from 0.00 to 100.00."
    )
    disableSpanReporting: BoolValue | None = optional(
        "Whether no spans are sent; what callers decide is still passed on."
    )
    customTags: dict[str, TelemetryTag] | None = optional("Further tags on each span, by their names.")
    useRequestIdForTraceSampling: BoolValue | None = optional(
        "Whether the request's ID decides about its trace, so that all proxies agree; true if not set."
    )
    enableIstioTags: BoolValue | None = optional("Whether spans have Istio's own tags; true if not set.")
    disableContextPropagation: BoolValue | None = optional("Whether what callers decide is not passed on either.")


class MetricSelector(Message):
    """Metrics that are meant."""

    one_of: ClassVar = ("metric", "customMetric")

    metric: (
        Literal[
            "ALL_METRICS",
            "REQUEST_COUNT",
            "REQUEST_DURATION",
            "REQUEST_SIZE",
            "RESPONSE_SIZE",
            "TCP_OPENED_CONNECTIONS",
            "TCP_CLOSED_CONNECTIONS",
            "TCP_SENT_BYTES",
            "TCP_RECEIVED_BYTES",
            "GRPC_REQUEST_MESSAGES",
            "GRPC_RESPONSE_MESSAGES",
        ]
        | None
    ) = optional("One of Istio's metrics, or all of them.")
    customMetric: Word | None = optional("Name of a metric of one's own.")
    mode: WorkloadMode | None = optional("As the caller, as the one that is called, or as either (the default).")


class TagOverride(Message):
    """A change to one label of a metric."""

    enforced: ClassVar = (
        Rule(f'({_OPERATION} == "UPSERT") ? (self.value != "") : true', "value must be set when operation is UPSERT"),
        Rule(f'({_OPERATION} == "REMOVE") ? !has(self.value) : true', "value must not be set when operation is REMOVE"),
    )

    operation: Literal["UPSERT", "REMOVE"] | None = optional("Set the label (the default), or leave it out.")
    value: str | None = optional("The label's value, a CEL expression; required with UPSERT.")

    def check(self) -> Findings:
        if self.operation != "REMOVE" and not self.value:
            yield ("value",), "is required with operation UPSERT"
        elif self.operation == "REMOVE" and self.is_set("value"):
            yield ("value",), "is for operation UPSERT only"


class MetricsOverride(Message):
    """A change to some metrics."""

    match: MetricSelector | None = optional("Metrics that are meant; all of them if not set.")
    disabled: BoolValue | None = optional("Whether the metrics are left out.")
    tagOverrides: dict[str, TagOverride] | None = optional("Changes to their labels, by the labels' names.")


class Metrics(Message):
    """Metrics of requests and connections."""

    providers: list[ProviderRef] | None = optional("Who gets the metrics; the mesh's default if not set.")
    overrides: list[MetricsOverride] | None = optional("Changes to the metrics, made in this order.")
    reportingInterval: Duration | None = optional("Time between two reports on a TCP connection; 5s if not set.")


class LogMatch(Message):
    """Whose part in a request or connection is logged."""

    mode: WorkloadMode | None = optional("As the caller, as the one that is called, or as either (the default).")


class LogFilter(Message):
    """A condition for an entry of the log."""

    required: ClassVar = ()

    expression: Cel = Field(description="CEL expression on Envoy's attributes, such as response.code >= 400.")


class AccessLogging(Message):
    """The access log."""

    match: LogMatch | None = optional("Requests and connections that are meant; all if not set.")
    providers: list[ProviderRef] | None = optional("Who gets the entries; the mesh's default if not set.")
    disabled: BoolValue | None = optional("Whether nothing is logged.")
    filter: LogFilter | None = optional("What is logged; everything if not set.")


class Telemetry(Kind):
    """Which of their requests some workloads report, and what they say about them."""

    names: ClassVar = Names(group="telemetry.istio.io", plural="telemetries", short=("telemetry",), columns=(AGE,))
    enforced: ClassVar = (ONE_SELECTION,)

    selector: PolicySelector | None = optional(
        "Which workloads; all of the namespace if not set, or of the mesh if it is Istio's root namespace."
    )
    targetRef: PolicyTargetReference | None = optional("Deprecated, see targetRefs.")
    targetRefs: TargetReferences | None = optional(
        "Gateways of the Gateway API, waypoints, or services behind one, that the object is for; not with selector."
    )
    tracing: list[Tracing] | None = optional("How requests are traced.")
    metrics: list[Metrics] | None = optional("Which metrics there are.")
    accessLogging: list[AccessLogging] | None = optional("What is logged.")

    def check(self) -> Findings:
        yield from at_most_one(self, "selector", "targetRef", "targetRefs")
