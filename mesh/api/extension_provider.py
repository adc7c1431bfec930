"""Extension providers of MeshConfig: external authorizers and tracers that Istio's objects refer to by name."""

from typing import Annotated, ClassVar, Literal

from annotated_types import MinLen
from pydantic import Field

from mesh.api.model import Findings, Message, at_most_one, optional
from mesh.api.scalars import AnyDuration, Int32, Int64Value, PortNumber, Struct, Text, UInt32

__all__ = [
    "DatadogTracingProvider",
    "Detector",
    "DynatraceApi",
    "DynatraceSampler",
    "EnvoyExternalAuthorizationGrpcProvider",
    "EnvoyExternalAuthorizationHttpProvider",
    "EnvoyExternalAuthorizationRequestBody",
    "EnvoyFileAccessLogProvider",
    "EnvoyHttpGrpcV3LogProvider",
    "EnvoyOpenTelemetryLogProvider",
    "EnvoyTcpGrpcV3LogProvider",
    "ExternalAuthorizer",
    "LightstepTracingProvider",
    "LogFormat",
    "MeshExtensionProvider",
    "OpenCensusAgentTracingProvider",
    "OpenTelemetryLogFormat",
    "OpenTelemetryTracingProvider",
    "PrometheusMetricsProvider",
    "ProviderGrpc",
    "ProviderHeader",
    "ProviderHttp",
    "ProviderService",
    "ResourceDetectors",
    "SdsProvider",
    "SkyWalkingTracingProvider",
    "StackdriverLogging",
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
    clearRouteCache: bool | None = optional(
        "Whether the route is chosen again after the check, which may have changed headers."
    )
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
    headersToDownstreamOnAllow: list[str] | None = optional(
        "Headers of the authorizer's response that are returned with the answer to an allowed request."
    )


class EnvoyExternalAuthorizationGrpcProvider(ExternalAuthorizer):
    """An external authorizer that is called over gRPC (Envoy's ext_authz API)."""


class ProviderHeader(Message):
    """A header of the requests to a provider."""

    one_of: ClassVar = ("value", "envName")

    name: Text = Field(description="Name of the header.")
    value: str | None = optional("Its value.")
    envName: str | None = optional("The variable of istiod's environment that has its value.")


class ZipkinTracingProvider(TracingProvider):
    """A Zipkin collector."""

    enable64bitTraceId: bool | None = optional("Whether trace ids have 64 bits; 128 if not set.")
    path: str | None = optional("Path of its API; `/api/v2/spans` if not set.")
    traceContextOption: Literal["USE_B3", "USE_B3_WITH_W3C_PROPAGATION"] | None = optional(
        "Headers that carry the trace: B3's (the default), or W3C's as well."
    )
    timeout: AnyDuration | None = optional("Timeout of a request to it, such as 5s (the default).")
    headers: list[ProviderHeader] | None = optional("Additional headers of the requests to it.")


class DatadogTracingProvider(TracingProvider):
    """A Datadog agent."""


class LightstepTracingProvider(TracingProvider):
    """A Lightstep satellite pool."""

    accessToken: str | None = optional("Access token of the pool.")


class OpenCensusAgentTracingProvider(TracingProvider):
    """An OpenCensus agent."""

    context: list[TraceContext] | None = optional("Trace context formats that proxies read from requests and pass on.")


class StackdriverLogging(Message):
    """Access logs in Google Cloud Logging."""

    labels: dict[str, str] | None = optional("Additional labels of an entry: CEL expressions by name.")


class StackdriverProvider(Message):
    """Google Cloud Trace."""

    debug: bool | None = optional("Whether spans are also written to standard output.")
    maxNumberOfAttributes: Int64Value | None = optional("Maximum number of attributes of a span.")
    maxNumberOfAnnotations: Int64Value | None = optional("Maximum number of annotations of a span.")
    maxNumberOfMessageEvents: Int64Value | None = optional("Maximum number of message events of a span.")
    maxTagLength: UInt32 | None = optional(
        "Maximum length of the path in a span's URL tag, in characters; 256 if not set."
    )
    logging: StackdriverLogging | None = optional("Access logs that are sent there, too.")


class SkyWalkingTracingProvider(ProviderService):
    """A SkyWalking collector."""

    accessToken: str | None = optional("Access token of the collector.")


class ProviderHttp(Message):
    """How a provider is called over HTTP."""

    path: str | None = optional("Path of the requests.")
    timeout: AnyDuration | None = optional("Timeout of a request, such as 5s.")
    headers: list[ProviderHeader] | None = optional("Additional headers.")


class ProviderGrpc(Message):
    """How a provider is called over gRPC."""

    timeout: AnyDuration | None = optional("Timeout of a call, such as 5s.")
    initialMetadata: list[ProviderHeader] | None = optional("Additional metadata, which are headers.")


class Detector(Message):
    """A source of attributes of spans; it has no settings."""


class ResourceDetectors(Message):
    """Where attributes of the proxies' spans come from."""

    environment: Detector | None = optional("`{}`: the variable `OTEL_RESOURCE_ATTRIBUTES` of the proxy.")
    dynatrace: Detector | None = optional("`{}`: files of Dynatrace's agent on the node.")


class DynatraceApi(ProviderService):
    """Dynatrace's API."""

    http: ProviderHttp | None = optional("How it is called.")


class DynatraceSampler(Message):
    """Sampling that Dynatrace controls."""

    tenant: Text = Field(description="Tenant of Dynatrace.")
    clusterId: Int32 = Field(description="Identifier of its cluster.")
    rootSpansPerMinute: UInt32 | None = optional("Maximum number of traces in a minute if Dynatrace does not answer.")
    httpService: DynatraceApi | None = optional("Where its API is; as the provider itself if not set.")


class OpenTelemetryTracingProvider(TracingProvider):
    """A collector of OpenTelemetry (OTLP)."""

    http: ProviderHttp | None = optional("Send spans over HTTP; over gRPC if not set.")
    grpc: ProviderGrpc | None = optional("How spans are sent over gRPC; not together with http.")
    resourceDetectors: ResourceDetectors | None = optional("Where attributes of the spans come from.")
    serviceAttributeEnrichment: Literal["ISTIO_CANONICAL", "OTEL_SEMANTIC_CONVENTIONS"] | None = optional(
        "How spans name a service: as Istio does (the default), or by OpenTelemetry's own rules."
    )
    dynatraceSampler: DynatraceSampler | None = optional("Dynatrace chooses the requests that are traced.")

    def check(self) -> Findings:
        yield from at_most_one(self, "http", "grpc")


class PrometheusMetricsProvider(Message):
    """Istio's metrics for Prometheus; it has no settings."""


class LogFormat(Message):
    """The format of an entry of the log."""

    one_of: ClassVar[tuple[str, ...]] = ("text", "labels")

    text: str | None = optional("As text, with Envoy's command operators.")
    labels: Struct | None = optional("As JSON, whose values have Envoy's command operators.")


class EnvoyFileAccessLogProvider(Message):
    """An access log in a file of the proxy."""

    path: str | None = optional("The file; `/dev/stdout` if not set.")
    logFormat: LogFormat | None = optional("Format of an entry; Istio's own if not set.")
    omitEmptyValues: bool | None = optional("Whether missing values are left out instead of written as `-`.")


class EnvoyTcpGrpcV3LogProvider(ProviderService):
    """A service that gets access logs of connections by Envoy's own API."""

    logName: str | None = optional("Name of the log; `tcp_envoy_accesslog` if not set.")
    filterStateObjectsToLog: list[str] | None = optional("Additional objects of the filter state in an entry.")


class EnvoyHttpGrpcV3LogProvider(ProviderService):
    """A service that gets access logs of requests by Envoy's own API."""

    logName: str | None = optional("Name of the log; `http_envoy_accesslog` if not set.")
    filterStateObjectsToLog: list[str] | None = optional("Additional objects of the filter state in an entry.")
    additionalRequestHeadersToLog: list[str] | None = optional("Additional request headers in an entry.")
    additionalResponseHeadersToLog: list[str] | None = optional("Additional response headers in an entry.")
    additionalResponseTrailersToLog: list[str] | None = optional("Additional response trailers in an entry.")


class OpenTelemetryLogFormat(LogFormat):
    """The format of an entry of the log: its body, its attributes, or both."""

    one_of: ClassVar = ()


class EnvoyOpenTelemetryLogProvider(ProviderService):
    """A collector of OpenTelemetry that gets access logs."""

    logName: str | None = optional("Name of the log; `otel_envoy_accesslog` if not set.")
    logFormat: OpenTelemetryLogFormat | None = optional("Format of an entry; Istio's own if not set.")


class SdsProvider(ProviderService):
    """A service from which proxies get certificates (Envoy's secret discovery)."""

    name: Text = Field(description="Name by which `credentialName` of TLS settings refers to it.")


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
    skywalking: SkyWalkingTracingProvider | None = optional("A SkyWalking collector.")
    opentelemetry: OpenTelemetryTracingProvider | None = optional("A collector of OpenTelemetry, for spans.")
    prometheus: PrometheusMetricsProvider | None = optional("`{}`: Istio's metrics for Prometheus.")
    envoyFileAccessLog: EnvoyFileAccessLogProvider | None = optional("An access log in a file of the proxy.")
    envoyHttpAls: EnvoyHttpGrpcV3LogProvider | None = optional("A service that gets access logs of requests.")
    envoyTcpAls: EnvoyTcpGrpcV3LogProvider | None = optional("A service that gets access logs of connections.")
    envoyOtelAls: EnvoyOpenTelemetryLogProvider | None = optional("A collector of OpenTelemetry, for access logs.")
    sds: SdsProvider | None = optional("A service from which proxies get certificates.")

    one_of: ClassVar = (
        "envoyExtAuthzHttp",
        "envoyExtAuthzGrpc",
        "zipkin",
        "lightstep",
        "datadog",
        "stackdriver",
        "opencensus",
        "skywalking",
        "opentelemetry",
        "prometheus",
        "envoyFileAccessLog",
        "envoyHttpAls",
        "envoyTcpAls",
        "envoyOtelAls",
        "sds",
    )

    def check(self) -> Findings:
        if not any(self.is_set(name) for name in self.one_of):
            yield (), f"needs one of {', '.join(self.one_of)}"
