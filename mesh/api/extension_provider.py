"""Extension providers: services outside the mesh's own, by the name under which policies and telemetry use them."""

from typing import Annotated, ClassVar, Literal

from annotated_types import MinLen
from pydantic import Field

from mesh.api.model import Findings, Message, optional
from mesh.api.scalars import AnyDuration, Int64Value, PortNumber, Text, UInt32

__all__ = [
    "DatadogTracingProvider",
    "EnvoyExternalAuthorizationGrpcProvider",
    "EnvoyExternalAuthorizationHttpProvider",
    "EnvoyExternalAuthorizationRequestBody",
    "ExternalAuthorizer",
    "LightstepTracingProvider",
    "MeshExtensionProvider",
    "OpenCensusAgentTracingProvider",
    "ProviderService",
    "StackdriverProvider",
    "TraceContext",
    "TracingProvider",
    "ZipkinTracingProvider",
]

TraceContext = Literal["UNSPECIFIED", "W3C_TRACE_CONTEXT", "GRPC_BIN", "CLOUD_TRACE_CONTEXT", "B3"]
"""A format in which the trace of a request is handed on."""


class ProviderService(Message):
    """A service of the mesh's registry."""

    service: Text = Field(description="Its host name, or `namespace/host` where one name is in several namespaces.")
    port: PortNumber = Field(description="Port of the service.")


class TracingProvider(ProviderService):
    """A service that collects spans."""

    maxTagLength: UInt32 | None = optional("Characters of a request's path that a span holds; 256 if not set.")


class EnvoyExternalAuthorizationRequestBody(Message):
    """How much of a request's body the authorizer sees."""

    maxRequestBytes: UInt32 | None = optional("Most bytes that are kept for it.")
    allowPartialMessage: bool | None = optional("Whether a longer body is cut; if not, it is refused with status 413.")
    packAsBytes: bool | None = optional("Whether a gRPC authorizer gets it as bytes in place of text.")


class ExternalAuthorizer(ProviderService):
    """A service that is asked whether a request may pass."""

    timeout: AnyDuration | None = optional("How long it may take; 600s if not set.")
    failOpen: bool | None = optional("Whether requests pass while it cannot be asked.")
    statusOnError: Annotated[str, Field(pattern=r"^[1-5][0-9]{2}$")] | None = optional(
        "HTTP status for callers while it cannot be asked, as text; 403 if not set."
    )
    includeRequestBodyInCheck: EnvoyExternalAuthorizationRequestBody | None = optional(
        "What it sees of the body; nothing if not set."
    )


class EnvoyExternalAuthorizationHttpProvider(ExternalAuthorizer):
    """An authorizer that is asked over HTTP."""

    pathPrefix: Annotated[str, Field(pattern=r"^/")] | None = optional("What is put before the request's own path.")
    includeHeadersInCheck: list[str] | None = optional("Deprecated, see includeRequestHeadersInCheck.")
    includeRequestHeadersInCheck: list[str] | None = optional("Headers of the request that it gets.")
    includeAdditionalHeadersInCheck: dict[str, str] | None = optional("Further headers that it gets, and their values.")
    headersToUpstreamOnAllow: list[str] | None = optional("Headers of its answer that an allowed request gets.")
    headersToDownstreamOnDeny: list[str] | None = optional("Headers of its answer that a refused caller gets.")


class EnvoyExternalAuthorizationGrpcProvider(ExternalAuthorizer):
    """An authorizer that is asked over gRPC."""


class ZipkinTracingProvider(TracingProvider):
    """A Zipkin collector."""


class DatadogTracingProvider(TracingProvider):
    """A Datadog agent."""


class LightstepTracingProvider(TracingProvider):
    """A Lightstep satellite pool."""

    accessToken: str | None = optional("Its access token.")


class OpenCensusAgentTracingProvider(TracingProvider):
    """An OpenCensus agent."""

    context: list[TraceContext] | None = optional("Formats in which traces are taken up and handed on.")


class StackdriverProvider(Message):
    """Google Cloud's own tracing."""

    debug: bool | None = optional("Whether spans are also written to standard output.")
    maxNumberOfAttributes: Int64Value | None = optional("Most attributes of a span.")
    maxNumberOfAnnotations: Int64Value | None = optional("Most annotations of a span.")
    maxNumberOfMessageEvents: Int64Value | None = optional("Most message events of a span.")
    maxTagLength: UInt32 | None = optional("Characters of a request's path that a span holds; 256 if not set.")


class MeshExtensionProvider(Message):
    """A service that policies and telemetry refer to by name."""

    name: Annotated[str, MinLen(1)] = Field(description="The name by which it is referred to.")
    envoyExtAuthzHttp: EnvoyExternalAuthorizationHttpProvider | None = optional("An authorizer, asked over HTTP.")
    envoyExtAuthzGrpc: EnvoyExternalAuthorizationGrpcProvider | None = optional("An authorizer, asked over gRPC.")
    zipkin: ZipkinTracingProvider | None = optional("A Zipkin collector.")
    lightstep: LightstepTracingProvider | None = optional("A Lightstep satellite pool.")
    datadog: DatadogTracingProvider | None = optional("A Datadog agent.")
    stackdriver: StackdriverProvider | None = optional("Google Cloud's own tracing.")
    opencensus: OpenCensusAgentTracingProvider | None = optional("An OpenCensus agent.")

    one_of: ClassVar = (
        "envoyExtAuthzHttp",
        "envoyExtAuthzGrpc",
        "zipkin",
        "lightstep",
        "datadog",
        "stackdriver",
        "opencensus",
    )

    def check(self) -> Findings:
        if not any(self.given(name) for name in self.one_of):
            yield (), f"needs one of {', '.join(self.one_of)}"
