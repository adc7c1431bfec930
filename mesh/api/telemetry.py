"""Telemetry: tracing of workloads' requests."""

from typing import Annotated, ClassVar

from annotated_types import Interval
from pydantic import Field

from mesh.api.common import PolicySelector
from mesh.api.model import AGE, Kind, Message, Names, optional
from mesh.api.scalars import BoolValue, DoubleValue, Text

__all__ = ["CustomTag", "Environment", "LiteralTag", "ProviderRef", "RequestHeader", "Telemetry", "Tracing"]


class ProviderRef(Message):
    """A reference to an extension provider that receives spans."""

    name: Text = Field(description="Its name among the extension providers of the mesh's configuration.")


class LiteralTag(Message):
    """A tag with a fixed value."""

    value: Text = Field(description="Value of the tag.")


class Environment(Message):
    """A tag whose value is an environment variable of the proxy."""

    name: Text = Field(description="Name of the environment variable.")
    defaultValue: str | None = optional("Value of the tag where there is no such variable.")


class RequestHeader(Message):
    """A tag whose value is a header of the request."""

    name: Text = Field(description="Name of the header.")
    defaultValue: str | None = optional("Value of the tag where there is no such header.")


class CustomTag(Message):
    """A custom tag of each span."""

    one_of: ClassVar = ("literal", "environment", "header")

    literal: LiteralTag | None = optional("A fixed value.")
    environment: Environment | None = optional("The value of an environment variable of the proxy.")
    header: RequestHeader | None = optional("The value of a header of the request.")


class Tracing(Message):
    """Tracing of requests: provider, sampling and tags."""

    providers: list[ProviderRef] | None = optional("Who gets the spans, one at most; the mesh's default if not set.")
    randomSamplingPercentage: Annotated[DoubleValue, Interval(ge=0, le=100)] | None = optional(
        "Percentage of requests that are traced where the caller has not decided, from 0.00 to 100.00."
    )
    disableSpanReporting: BoolValue | None = optional(
        "Whether no spans are sent; what callers decide is still passed on."
    )
    customTags: dict[str, CustomTag] | None = optional("Further tags on each span, by their names.")


class Telemetry(Kind):
    """Which of their requests some workloads report, and what they say about them."""

    names: ClassVar = Names(group="telemetry.istio.io", plural="telemetries", short=("telemetry",), columns=(AGE,))

    selector: PolicySelector | None = optional(
        "Which workloads; all of the namespace if not set, or of the mesh if it is Istio's root namespace."
    )
    tracing: list[Tracing] | None = optional("How requests are traced.")
