"""Extension providers of MeshConfig: external authorizers and tracers that Istio's objects refer to by name."""

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
"""A trace context format: how the headers of a request carry its trace."""


class ProviderService(Message):
    """A service of the mesh's registry."""

    service: Text = Field(description="Host name of the service, or `namespace/host` where several namespaces have it.")
    port: PortNumber = Field(description="Port of the service.")


class TracingProvider(ProviderService):
    """A service that collects trace spans."""

    maxTagLength: UInt32 | None = optional(
        "Maximum length of the path in a span's URL tag, in characters; 256 if not set."
    )


class EnvoyExternalAuthorizationRequestBody(Message):
    """The part of a request's body that is sent to the authorizer."""

    maxRequestBytes: UInt32 | None = optional("Maximum number of bytes that are buffered and sent.")
    allowPartialMessage: bool | None = optional(
        "true: a longer body is truncated; false: the request is refused with status 413."
    )
    packAsBytes: bool | None = optional("Whether a gRPC authorizer gets the body as bytes in place of UTF-8 text.")


class ExternalAuthorizer(ProviderService):
    """An external authorizer: a service that decides whether a request is allowed."""

    timeout: AnyDuration | None = optional("Timeout of a check, such as 1s; 600s if not set.")
    failOpen: bool | None = optional(
        "Whether requests are allowed if the authorizer fails or times out; false if not set."
    )
    statusOnError: Annotated[str, Field(pattern=r"^[1-5][0-9]{2}$")] | None = optional(
        "HTTP status, as text, of requests that are refused because the authorizer failed; 403 if not set."
    )
    includeRequestBodyInCheck: EnvoyExternalAuthorizationRequestBody | None = optional(
        "The part of the request's body that is sent to the authorizer; none if not set."
    )


class EnvoyExternalAuthorizationHttpProvider(ExternalAuthorizer):
    """An external authorizer that is called over HTTP."""

    pathPrefix: Annotated[str, Field(pattern=r"^/")] | None = optional(
        "Prefix of the check's path, put before the path of the request."
    )
    includeHeadersInCheck: list[str] | None = optional("Deprecated, see includeRequestHeadersInCheck.")
    includeRequestHeadersInCheck: list[str] | None = optional(
        "Request headers that are sent to the authorizer; `*` at either end is a wildcard."
    )
    includeAdditionalHeadersInCheck: dict[str, str] | None = optional(
        "Additional headers of the check, with their values."
    )
    headersToUpstreamOnAllow: list[str] | None = optional(
        "Headers of the authorizer's response that are added to an allowed request."
    )
    headersToDownstreamOnDeny: list[str] | None = optional(
        "Headers of the authorizer's response that are returned with a refusal."
    )


class EnvoyExternalAuthorizationGrpcProvider(ExternalAuthorizer):
    """An external authorizer that is called over gRPC (Envoy's ext_authz API)."""


class ZipkinTracingProvider(TracingProvider):
    """A Zipkin collector."""


class DatadogTracingProvider(TracingProvider):
    """A Datadog agent."""


class LightstepTracingProvider(TracingProvider):
    """A Lightstep satellite pool."""

    accessToken: str | None = optional("Access token of the pool.")


class OpenCensusAgentTracingProvider(TracingProvider):
    """An OpenCensus agent."""

    context: list[TraceContext] | None = optional("Trace context formats that proxies read from requests and pass on.")


class StackdriverProvider(Message):
    """Google Cloud Trace."""

    debug: bool | None = optional("Whether spans are also written to standard output.")
    maxNumberOfAttributes: Int64Value | None = optional("Maximum number of attributes of a span.")
    maxNumberOfAnnotations: Int64Value | None = optional("Maximum number of annotations of a span.")
    maxNumberOfMessageEvents: Int64Value | None = optional("Maximum number of message events of a span.")
    maxTagLength: UInt32 | None = optional(
        "Maximum length of the path in a span's URL tag, in characters; 256 if not set."
    )


class MeshExtensionProvider(Message):
    """A service that AuthorizationPolicy and Telemetry objects refer to by name. Exactly one kind must be set."""

    name: Annotated[str, MinLen(1)] = Field(description="Unique name of the provider.")
    envoyExtAuthzHttp: EnvoyExternalAuthorizationHttpProvider | None = optional(
        "An external authorizer that is called over HTTP."
    )
    envoyExtAuthzGrpc: EnvoyExternalAuthorizationGrpcProvider | None = optional(
        "An external authorizer that is called over gRPC."
    )
    zipkin: ZipkinTracingProvider | None = optional("A Zipkin collector.")
    lightstep: LightstepTracingProvider | None = optional("A Lightstep satellite pool.")
    datadog: DatadogTracingProvider | None = optional("A Datadog agent.")
    stackdriver: StackdriverProvider | None = optional("Google Cloud Trace.")
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
        if not any(self.is_set(name) for name in self.one_of):
            yield (), f"needs one of {', '.join(self.one_of)}"
