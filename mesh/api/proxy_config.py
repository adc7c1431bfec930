"""ProxyConfig, the configuration of one proxy: `meshConfig.defaultConfig`, or a pod's annotation.

Istio's object of the same name (`proxies.py`) has other fields.
"""

from typing import Annotated, ClassVar, Literal

from annotated_types import Interval

from mesh.api.destination_rule import ClientTLSSettings, TcpKeepalive
from mesh.api.extension_provider import TraceContext
from mesh.api.model import Message, optional
from mesh.api.names import ProxyAddress, ProxyAddressOrNone, TracerAddress
from mesh.api.proxies import ProxyImage
from mesh.api.scalars import AnyDuration, BoolValue, Double, Int64Value, Natural32, PortNumber, Text, UInt32
from mesh.api.telemetry import CustomTag
from mesh.api.workload import ReadinessProbe

__all__ = [
    "ClientCertDetails",
    "CryptoMb",
    "Datadog",
    "Disableable",
    "Enableable",
    "Lightstep",
    "MeshProxyConfig",
    "MetadataExchangeHeaders",
    "OpenCensusAgent",
    "PrivateKeyProvider",
    "ProxyHeaders",
    "ProxyProtocolConfiguration",
    "ProxyStatsMatcher",
    "ProxyTracing",
    "Qat",
    "RemoteService",
    "ServerHeader",
    "Stackdriver",
    "Topology",
    "Zipkin",
]


class Zipkin(Message):
    """A Zipkin collector."""

    address: TracerAddress | None = optional("`host:port` of the collector; `$(HOST_IP)` is the pod's node.")


class Lightstep(Message):
    """A Lightstep satellite pool."""

    address: ProxyAddress | None = optional("`host:port` of the pool; required.")
    accessToken: str | None = optional("Access token of the pool; required.")


class Datadog(Message):
    """A Datadog agent."""

    address: TracerAddress | None = optional("`host:port` of the agent; `$(HOST_IP)` is the pod's node.")


class Stackdriver(Message):
    """Google Cloud Trace."""

    debug: bool | None = optional("Whether spans are also written to standard output.")
    maxNumberOfAttributes: Int64Value | None = optional("Maximum number of attributes of a span.")
    maxNumberOfAnnotations: Int64Value | None = optional("Maximum number of annotations of a span.")
    maxNumberOfMessageEvents: Int64Value | None = optional("Maximum number of message events of a span.")


class OpenCensusAgent(Message):
    """An OpenCensus agent."""

    address: str | None = optional("Address of the agent in gRPC's name syntax, such as `dns:oc-collector:55678`.")
    context: list[TraceContext] | None = optional("Trace context formats that proxies read from requests and pass on.")


class ProxyTracing(Message):
    """The tracer that receives the proxies' spans, and which requests are traced. One tracer at most may be set."""

    TRACERS: ClassVar = ("zipkin", "lightstep", "datadog", "stackdriver", "openCensusAgent")
    one_of: ClassVar = TRACERS

    zipkin: Zipkin | None = optional("Send spans to a Zipkin collector.")
    lightstep: Lightstep | None = optional("Send spans to a Lightstep satellite pool.")
    datadog: Datadog | None = optional("Send spans to a Datadog agent.")
    stackdriver: Stackdriver | None = optional("Send spans to Google Cloud Trace.")
    openCensusAgent: OpenCensusAgent | None = optional("Send spans to an OpenCensus agent.")
    customTags: dict[str, CustomTag] | None = optional("Additional tags of each span, by name.")
    maxPathTagLength: UInt32 | None = optional(
        "Maximum length of the path in a span's URL tag, in characters; 256 if not set."
    )
    sampling: Annotated[Double, Interval(ge=0, le=100)] | None = optional(
        "Percentage of requests that are traced, 0.0 to 100.0; `mesh:pilot.traceSampling` if not set."
    )
    tlsSettings: ClientTLSSettings | None = optional("TLS of the connection to the tracer.")
    enableIstioTags: BoolValue | None = optional("Whether spans have Istio's own tags; true if not set.")


class RemoteService(Message):
    """A gRPC service that receives access logs or metrics from the proxies."""

    address: ProxyAddressOrNone | None = optional("`host:port` of the service.")
    tlsSettings: ClientTLSSettings | None = optional("TLS of the connection to it.")
    tcpKeepalive: TcpKeepalive | None = optional("TCP keepalive of the connection to it.")


class ProxyStatsMatcher(Message):
    """Envoy statistics that a proxy keeps in addition to Istio's default set."""

    inclusionPrefixes: list[str] | None = optional("Prefixes of the statistics' names.")
    inclusionSuffixes: list[str] | None = optional("Suffixes of the statistics' names.")
    inclusionRegexps: list[str] | None = optional("Regular expressions that match the statistics' names.")


ForwardClientCert = Literal[
    "UNDEFINED", "SANITIZE", "FORWARD_ONLY", "APPEND_FORWARD", "SANITIZE_SET", "ALWAYS_FORWARD_ONLY"
]
"""What a proxy does with the header X-Forwarded-Client-Cert."""


class ProxyProtocolConfiguration(Message):
    """The PROXY protocol on all ports of a gateway; it has no settings."""


class Topology(Message):
    """The proxies in front of a gateway, such as a load balancer."""

    numTrustedProxies: UInt32 | None = optional(
        "Number of trusted proxies in front of the gateway, whose X-Forwarded-For entries the gateway uses."
    )
    forwardClientCertDetails: ForwardClientCert | None = optional(
        "How the gateway handles the header X-Forwarded-Client-Cert; SANITIZE_SET for UNDEFINED or if not set."
    )
    proxyProtocol: ProxyProtocolConfiguration | None = optional(
        "`{}`: the proxy in front of the gateway uses the PROXY protocol, which names the client's address."
    )


class CryptoMb(Message):
    """Operations of private keys by Intel's CryptoMB."""

    pollDelay: AnyDuration | None = optional("How long operations are collected before they are done together.")
    fallback: BoolValue | None = optional("Whether the usual code is used where the processor lacks the instructions.")


class Qat(Message):
    """Operations of private keys by Intel's QuickAssist devices."""

    pollDelay: AnyDuration | None = optional("How long operations are collected before they are done together.")
    fallback: BoolValue | None = optional("Whether the usual code is used where there is no such device.")


class PrivateKeyProvider(Message):
    """Hardware that does the operations of private keys, for TLS handshakes."""

    one_of: ClassVar = ("cryptomb", "qat")

    cryptomb: CryptoMb | None = optional("Intel's CryptoMB.")
    qat: Qat | None = optional("Intel's QuickAssist devices.")


class Disableable(Message):
    """A header that proxies set by default."""

    disabled: BoolValue | None = optional("Whether proxies do not set it.")


class Enableable(Message):
    """A header that proxies do not set by default."""

    enabled: BoolValue | None = optional("Whether proxies set it.")


class ServerHeader(Disableable):
    """The header `server` of responses."""

    value: str | None = optional("Value of the header; `istio-envoy` if not set.")


class MetadataExchangeHeaders(Message):
    """The headers by which proxies exchange the metadata of their workloads."""

    mode: Literal["UNDEFINED", "IN_MESH"] | None = optional("IN_MESH: not to or from services outside the mesh.")


class ClientCertDetails(Message):
    """The parts of a client's certificate in X-Forwarded-Client-Cert, in addition to its hash."""

    subject: BoolValue | None = optional("Whether it has the subject; true if not set.")
    cert: BoolValue | None = optional("Whether it has the certificate.")
    chain: BoolValue | None = optional("Whether it has the whole chain of certificates.")
    dns: BoolValue | None = optional("Whether it has the DNS names; true if not set.")
    uri: BoolValue | None = optional("Whether it has the URI, which is the workload's identity; true if not set.")


class ProxyHeaders(Message):
    """Headers that proxies set by themselves."""

    forwardedClientCert: ForwardClientCert | None = optional(
        "How sidecars handle the header X-Forwarded-Client-Cert; APPEND_FORWARD for UNDEFINED or if not set."
    )
    setCurrentClientCertDetails: ClientCertDetails | None = optional("The parts of X-Forwarded-Client-Cert.")
    requestId: Disableable | None = optional("X-Request-Id.")
    server: ServerHeader | None = optional("`server`, in responses.")
    attemptCount: Disableable | None = optional("X-Envoy-Attempt-Count.")
    envoyDebugHeaders: Disableable | None = optional("Envoy's own headers, such as X-Envoy-Upstream-Service-Time.")
    metadataExchangeHeaders: MetadataExchangeHeaders | None = optional("X-Envoy-Peer-Metadata and its id.")
    preserveHttp1HeaderCase: BoolValue | None = optional("Whether names of headers keep their letter case in HTTP/1.1.")
    xForwardedHost: Enableable | None = optional("X-Forwarded-Host.")
    xForwardedPort: Enableable | None = optional("X-Forwarded-Port.")


class MeshProxyConfig(Message):
    """Configuration of a proxy: how it starts, what it connects to, and what it reports."""

    one_of: ClassVar = ("serviceCluster", "tracingServiceName")

    configPath: Text | None = optional("Folder in which the agent writes Envoy's bootstrap configuration.")
    binaryPath: Text | None = optional("Path of the Envoy binary.")
    serviceCluster: Text | None = optional(
        "Service cluster that proxies report where the pod does not name one; `istio-proxy` if not set."
    )
    tracingServiceName: (
        Literal["APP_LABEL_AND_NAMESPACE", "CANONICAL_NAME_ONLY", "CANONICAL_NAME_AND_NAMESPACE"] | None
    ) = optional("How traces name a workload, in place of `serviceCluster`.")
    drainDuration: AnyDuration | None = optional(
        "How long Envoy drains connections during a hot restart, such as 45s (the default); whole seconds, 1h at most."
    )
    parentShutdownDuration: AnyDuration | None = optional(
        "How long the old Envoy lives after a hot restart, such as 60s (the default); longer than `drainDuration`."
    )
    discoveryAddress: ProxyAddress | None = optional("`host:port` of istiod; the installed one if not set.")
    statsdUdpAddress: ProxyAddressOrNone | None = optional("`host:port` of a statsd collector.")
    proxyAdminPort: PortNumber | None = optional("Port of Envoy's admin interface; 15000 if not set.")
    controlPlaneAuthPolicy: Literal["NONE", "MUTUAL_TLS"] | None = optional(
        "Authentication between the proxies and istiod; MUTUAL_TLS if not set."
    )
    customConfigFile: str | None = optional("Path of a bootstrap configuration that replaces the generated one.")
    statNameLength: Natural32 | None = optional("Maximum length of a statistic's name, in characters; 189 if not set.")
    concurrency: Natural32 | None = optional("Number of Envoy's worker threads; 0: one for each CPU.")
    proxyBootstrapTemplatePath: str | None = optional(
        "Path of a template that replaces that of the bootstrap configuration."
    )
    interceptionMode: Literal["REDIRECT", "TPROXY", "NONE"] | None = optional(
        "How inbound traffic is redirected to the sidecar. REDIRECT (the default) replaces the client's address, "
        "TPROXY keeps it, NONE redirects nothing."
    )
    tracing: ProxyTracing | None = optional("The tracer that receives spans, and which requests are traced.")
    envoyAccessLogService: RemoteService | None = optional("gRPC service that receives access logs.")
    envoyMetricsService: RemoteService | None = optional("gRPC service that receives Envoy's metrics.")
    proxyMetadata: dict[str, str] | None = optional(
        "Additional environment variables of the proxies; those named `ISTIO_META_…` are node metadata too."
    )
    runtimeValues: dict[str, str] | None = optional("Settings of Envoy's runtime (feature flags), by name.")
    statusPort: PortNumber | None = optional("Port of the agent for probes and merged metrics; 15020 if not set.")
    extraStatTags: list[str] | None = optional(
        "Additional tags to extract from Istio's metrics; needed for labels that filters add to them."
    )
    gatewayTopology: Topology | None = optional("Proxies in front of the gateways.")
    terminationDrainDuration: AnyDuration | None = optional(
        "How long a proxy drains connections before it terminates, such as 5s (the default)."
    )
    meshId: str | None = optional("Identifier of the mesh in telemetry; the trust domain if not set.")
    readinessProbe: ReadinessProbe | None = optional(
        "Readiness probe of the workload, for machines outside Kubernetes."
    )
    proxyStatsMatcher: ProxyStatsMatcher | None = optional("Additional Envoy statistics that proxies keep.")
    holdApplicationUntilProxyStarts: BoolValue | None = optional(
        "Whether a pod's containers wait for the sidecar to be ready before they start; false if not set."
    )
    caCertificatesPem: list[str] | None = optional("Additional root certificates that proxies trust, in PEM format.")
    image: ProxyImage | None = optional("Variant of the proxies' image.")
    privateKeyProvider: PrivateKeyProvider | None = optional("Hardware for the operations of private keys.")
    proxyHeaders: ProxyHeaders | None = optional("Headers that proxies set by themselves.")
    fileFlushInterval: AnyDuration | None = optional("How often access logs in files are written; 1s if not set.")
    fileFlushMinSizeKb: UInt32 | None = optional("Size in KB at which they are written earlier; 64 if not set.")
    statsCompression: BoolValue | None = optional("Whether metrics may be fetched compressed; true if not set.")
