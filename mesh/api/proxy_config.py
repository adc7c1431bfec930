"""ProxyConfig: how the proxies of the mesh are started and what they report."""

from typing import Annotated, ClassVar, Literal

from annotated_types import Interval
from pydantic import Field

from mesh.api.destination_rule import ClientTLSSettings, TcpKeepalive
from mesh.api.extension_provider import TraceContext
from mesh.api.model import Message, optional
from mesh.api.scalars import AnyDuration, BoolValue, Double, Int64Value, Natural32, PortNumber, UInt32
from mesh.api.telemetry import CustomTag
from mesh.api.workload import ReadinessProbe

__all__ = [
    "Datadog",
    "Lightstep",
    "OpenCensusAgent",
    "ProxyConfig",
    "ProxyStatsMatcher",
    "ProxyTracing",
    "RemoteService",
    "Stackdriver",
    "Topology",
    "Zipkin",
]

HostAndPort = Annotated[str, Field(pattern=r"^.+:[0-9]+$")]
"""`host:port`; the host may hold a variable of the pod's environment, such as `$(HOST_IP)`."""


class Zipkin(Message):
    """A Zipkin collector."""

    address: HostAndPort | None = optional("Its `host:port`.")


class Lightstep(Message):
    """A Lightstep satellite pool."""

    address: HostAndPort | None = optional("Its `host:port`.")
    accessToken: str | None = optional("Its access token.")


class Datadog(Message):
    """A Datadog agent."""

    address: HostAndPort | None = optional("Its `host:port`.")


class Stackdriver(Message):
    """Google Cloud's own tracing."""

    debug: bool | None = optional("Whether spans are also written to standard output.")
    maxNumberOfAttributes: Int64Value | None = optional("Most attributes of a span.")
    maxNumberOfAnnotations: Int64Value | None = optional("Most annotations of a span.")
    maxNumberOfMessageEvents: Int64Value | None = optional("Most message events of a span.")


class OpenCensusAgent(Message):
    """An OpenCensus agent."""

    address: str | None = optional("Its address in gRPC's notation, such as `dns:oc-collector:55678`.")
    context: list[TraceContext] | None = optional("Formats in which traces are taken up and handed on.")


class ProxyTracing(Message):
    """Where proxies send spans, and of which requests."""

    TRACERS: ClassVar = ("zipkin", "lightstep", "datadog", "stackdriver", "openCensusAgent")
    one_of: ClassVar = TRACERS

    zipkin: Zipkin | None = optional("To a Zipkin collector.")
    lightstep: Lightstep | None = optional("To a Lightstep satellite pool.")
    datadog: Datadog | None = optional("To a Datadog agent.")
    stackdriver: Stackdriver | None = optional("To Google Cloud's own tracing.")
    openCensusAgent: OpenCensusAgent | None = optional("To an OpenCensus agent.")
    customTags: dict[str, CustomTag] | None = optional("Further tags on each span, by their names.")
    maxPathTagLength: UInt32 | None = optional("Characters of a request's path that a span holds; 256 if not set.")
    sampling: Annotated[Double, Interval(ge=0, le=100)] | None = optional(
        "Percentage of requests that are traced, from 0.0 to 100.0; istiod's own `traceSampling` if not set."
    )
    tlsSettings: ClientTLSSettings | None = optional("TLS to whoever gets the spans.")


class RemoteService(Message):
    """A service that proxies report to over gRPC."""

    address: HostAndPort | None = optional("Its `host:port`.")
    tlsSettings: ClientTLSSettings | None = optional("TLS to it.")
    tcpKeepalive: TcpKeepalive | None = optional("Probes on idle connections to it.")


class ProxyStatsMatcher(Message):
    """Envoy statistics that are kept beside Istio's usual ones."""

    inclusionPrefixes: list[str] | None = optional("By the start of their names.")
    inclusionSuffixes: list[str] | None = optional("By the end of their names.")
    inclusionRegexps: list[str] | None = optional("By regular expressions over their names.")


class Topology(Message):
    """What stands before the gateways."""

    numTrustedProxies: UInt32 | None = optional("How many proxies before the gateway are believed who the client is.")
    forwardClientCertDetails: (
        Literal["UNDEFINED", "SANITIZE", "FORWARD_ONLY", "APPEND_FORWARD", "SANITIZE_SET", "ALWAYS_FORWARD_ONLY"] | None
    ) = optional("What is done with the header that tells the client's certificate.")


class ProxyConfig(Message):
    """How a proxy is started and what it reports."""

    configPath: str | None = optional("Folder of the generated configuration, as the agent sees it.")
    binaryPath: str | None = optional("Path of the proxy's program.")
    serviceCluster: str | None = optional("Name of the service that proxies belong to unless their pods tell it.")
    drainDuration: AnyDuration | None = optional("How long connections are drained on a restart, such as 45s.")
    parentShutdownDuration: AnyDuration | None = optional("How long an old proxy lives on after a restart.")
    discoveryAddress: HostAndPort | None = optional("`host:port` of istiod; the installed one if not set.")
    statsdUdpAddress: HostAndPort | None = optional("`host:port` of a statsd collector.")
    proxyAdminPort: PortNumber | None = optional("Port of the proxy's own administration; 15000 if not set.")
    controlPlaneAuthPolicy: Literal["NONE", "MUTUAL_TLS"] | None = optional("How proxies and istiod authenticate.")
    customConfigFile: str | None = optional("Path of a bootstrap configuration to use in place of the generated one.")
    statNameLength: Natural32 | None = optional("Most characters of a statistic's name.")
    concurrency: Natural32 | None = optional("Worker threads; 0 for one each CPU, 2 if not set.")
    proxyBootstrapTemplatePath: str | None = optional("Path of the template of the bootstrap configuration.")
    interceptionMode: Literal["REDIRECT", "TPROXY"] | None = optional(
        "How traffic is redirected to the proxy: as coming from it, or with the caller's address kept."
    )
    tracing: ProxyTracing | None = optional("Where spans go.")
    envoyAccessLogService: RemoteService | None = optional("Where access logs go over gRPC.")
    envoyMetricsService: RemoteService | None = optional("Where metrics go over gRPC.")
    proxyMetadata: dict[str, str] | None = optional("Environment variables of the proxies.")
    statusPort: PortNumber | None = optional("Port of the agent's probes and metrics; 15020 if not set.")
    extraStatTags: list[str] | None = optional("Labels of Istio's metrics beside the usual ones.")
    gatewayTopology: Topology | None = optional("What stands before the gateways.")
    terminationDrainDuration: AnyDuration | None = optional("How long a proxy drains before it ends; 5s if not set.")
    meshId: str | None = optional("Id of the mesh; the trust domain if not set.")
    readinessProbe: ReadinessProbe | None = optional("How the agent finds out whether the workload is ready.")
    proxyStatsMatcher: ProxyStatsMatcher | None = optional("Envoy statistics that are kept.")
    holdApplicationUntilProxyStarts: BoolValue | None = optional(
        "Whether a pod's other containers start only when its proxy is ready."
    )
    caCertificatesPem: list[str] | None = optional("Further root certificates that proxies trust, in PEM format.")
