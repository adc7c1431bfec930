"""DestinationRule: subsets of a service, and load balancing, connection limits and TLS of traffic to it."""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from mesh.api.common import PolicySelector, PortSelector
from mesh.api.enforced import Enforced
from mesh.api.load_balancing import LoadBalancerSettings
from mesh.api.model import AGE, Column, Findings, Kind, Message, Names, at_most_one, not_empty, optional
from mesh.api.names import ExportTo, Host, Label, Labels, is_domain, is_ip
from mesh.api.scalars import (
    BoolValue,
    DetectionTimeout,
    Duration,
    Int32,
    Natural32,
    Percentage,
    PercentageValue,
    PortNumber,
    UInt32,
    UInt32Value,
)
from mesh.core.errors import show

__all__ = [
    "ClientTLSSettings",
    "ConnectionPoolSettings",
    "DestinationRule",
    "HTTPSettings",
    "OutlierDetection",
    "PortTrafficPolicy",
    "ProxyProtocol",
    "RetryBudget",
    "Subset",
    "TCPSettings",
    "TcpKeepalive",
    "TrafficPolicy",
    "TunnelSettings",
]


def _tunnel(text: str) -> str:
    if text not in ("CONNECT", "POST"):
        raise ValueError(f"{show(text)} is not one of CONNECT, POST")
    return text


def _target(text: str) -> str:
    if not is_domain(text) and not is_ip(text):
        raise ValueError(f"{show(text)} is neither a DNS name nor an IP address")
    return text


class TcpKeepalive(Message):
    """TCP keepalive: probes on idle connections. Fields that are not set keep the operating system's default."""

    probes: UInt32 | None = optional("How many probes may stay without answer before the connection counts as dead.")
    time: Duration | None = optional("How long a connection is idle before the first probe, such as 7200s.")
    interval: Duration | None = optional("Time between two probes, such as 75s.")


class TCPSettings(Message):
    """Connection pool limits for TCP connections to a service, HTTP included."""

    maxConnections: Natural32 | None = optional("Most connections at a time, to each endpoint.")
    connectTimeout: Duration | None = optional("How long a connection may take to be made; 10s if not set.")
    tcpKeepalive: TcpKeepalive | None = optional("Probes on idle connections; none if not set.")
    maxConnectionDuration: Duration | None = optional("How long a connection may last in all; no limit if not set.")
    idleTimeout: DetectionTimeout | None = optional(
        "How long a connection without traffic is kept; 1h if not set, no limit if 0s."
    )


class HTTPSettings(Message):
    """Connection pool limits for HTTP requests to a service."""

    http1MaxPendingRequests: Natural32 | None = optional("Most requests that wait for a connection.")
    http2MaxRequests: Natural32 | None = optional("Most requests at a time, in any version of HTTP.")
    maxRequestsPerConnection: Natural32 | None = optional(
        "Requests after which a connection is closed; 0 for no limit."
    )
    maxRetries: Natural32 | None = optional("Most retries at a time, over all endpoints.")
    idleTimeout: Duration | None = optional("How long a connection without requests is kept; 1h if not set.")
    h2UpgradePolicy: Literal["DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"] | None = optional(
        "Whether HTTP/1.1 requests are sent as HTTP/2: the mesh's choice, no or yes."
    )
    useClientProtocol: bool | None = optional("Whether requests keep the version of HTTP in which they came.")
    maxConcurrentStreams: Natural32 | None = optional("Most streams at a time on one HTTP/2 connection.")

    def check(self) -> Findings:
        if self.useClientProtocol and self.h2UpgradePolicy == "UPGRADE":
            yield ("useClientProtocol",), "cannot be true together with h2UpgradePolicy UPGRADE"


class ConnectionPoolSettings(Message):
    """Connection pool limits (circuit breaking) of a service. At least one of the two must be set."""

    tcp: TCPSettings | None = optional("Limits of connections, HTTP or not.")
    http: HTTPSettings | None = optional("Limits of HTTP requests.")

    def check(self) -> Findings:
        if not self.tcp and not self.http:
            yield (), "needs tcp, http or both"


class OutlierDetection(Message):
    """Outlier detection: when a failing endpoint is ejected from load balancing, and for how long."""

    consecutiveErrors: Int32 | None = optional("Deprecated, see consecutiveGatewayErrors.")
    splitExternalLocalOriginErrors: bool | None = optional(
        "Whether errors on the way to an endpoint, such as failures to connect, are counted apart from its answers."
    )
    consecutiveLocalOriginFailures: UInt32Value | None = optional(
        "Errors on the way, in a row, that get an endpoint left out; needs splitExternalLocalOriginErrors."
    )
    consecutiveGatewayErrors: UInt32Value | None = optional(
        "Answers 502, 503, 504 or failures to connect, in a row, that get an endpoint left out; never if 0 or not set."
    )
    consecutive5xxErrors: UInt32Value | None = optional(
        "Answers 500 to 599 or failures to connect, in a row, that get an endpoint left out; never if 0, 5 if not set."
    )
    interval: Duration | None = optional("Time between two looks at the endpoints; 10s if not set.")
    baseEjectionTime: Duration | None = optional(
        "How long an endpoint is left out, times how often it already was; 30s if not set."
    )
    maxEjectionPercent: Percentage | None = optional("Most endpoints left out at a time, in percent; 10 if not set.")
    minHealthPercent: Percentage | None = optional(
        "Percentage of endpoints that must be well for any to be left out; 0, the default, leaves them out anyway."
    )

    def check(self) -> Findings:
        if self.consecutiveLocalOriginFailures and not self.splitExternalLocalOriginErrors:
            yield ("consecutiveLocalOriginFailures",), "needs splitExternalLocalOriginErrors: true"


class ClientTLSSettings(Message):
    """TLS of the connections that clients make to a service."""

    mode: Literal["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"] | None = optional(
        "No TLS (the default), TLS, TLS with the client certificate below, or with the workload's own from Istio."
    )
    clientCertificate: str | None = optional("File with the client's certificate; mode MUTUAL needs it.")
    privateKey: str | None = optional("File with the key of the client's certificate; mode MUTUAL needs it.")
    caCertificates: str | None = optional(
        "File with the authorities that the server may be certified by; any if not set."
    )
    credentialName: str | None = optional("Secret with keys and certificates in place of the files; for gateways only.")
    subjectAltNames: list[str] | None = optional("Names, one of which the server's certificate must have.")
    sni: str | None = optional("Name of the server that is asked for in the handshake.")
    insecureSkipVerify: BoolValue | None = optional("Whether the server's certificate is not looked at.")
    caCrl: str | None = optional("File with the list of revoked certificates.")

    def check(self) -> Findings:
        if self.insecureSkipVerify and self.mode in ("SIMPLE", "MUTUAL"):
            for name in ("caCertificates", "subjectAltNames", *(["credentialName"] if self.mode == "SIMPLE" else [])):
                if getattr(self, name) or (name == "subjectAltNames" and self.is_set(name)):
                    yield (name,), "cannot be set together with insecureSkipVerify: true"
        if self.credentialName and self.mode in ("SIMPLE", "MUTUAL"):
            for name in ("clientCertificate", "privateKey", "caCertificates", "caCrl"):
                if getattr(self, name):
                    yield (name,), "cannot be set together with credentialName"
        elif self.mode == "MUTUAL":
            for name in ("clientCertificate", "privateKey"):
                if not getattr(self, name):
                    yield (name,), "is required in mode MUTUAL without credentialName"


class PortTrafficPolicy(Message):
    """The traffic policy of one port. It replaces the destination's policy for that port as a whole."""

    required: ClassVar = ()

    port: PortSelector = Field(description="The port that is meant.")
    loadBalancer: LoadBalancerSettings | None = optional("How endpoints are chosen.")
    connectionPool: ConnectionPoolSettings | None = optional("Limits of connections and requests.")
    outlierDetection: OutlierDetection | None = optional("When failing endpoints are left out.")
    tls: ClientTLSSettings | None = optional("TLS to the service.")

    def check(self) -> Findings:
        if not (self.loadBalancer or self.connectionPool or self.outlierDetection or self.tls):
            yield (), "needs loadBalancer, connectionPool, outlierDetection or tls"


class TunnelSettings(Message):
    """A tunnel: connections go to a proxy, which the service of the rule is, and from there to the target."""

    protocol: Annotated[str, AfterValidator(_tunnel)] | None = optional("CONNECT, the default, or POST.")
    targetHost: Annotated[str, AfterValidator(_target)] = Field(description="DNS name or IP address of the target.")
    targetPort: PortNumber = Field(description="Port of the target.")


class ProxyProtocol(Message):
    """The PROXY protocol, by which the service learns the client's address."""

    version: Literal["V1", "V2"] | None = optional("Version of the protocol; V1 if not set.")


class RetryBudget(Message):
    """Limit on concurrent retries, in relation to the requests that are under way."""

    percent: PercentageValue | None = optional("Most retries at a time, in percent of the requests; 20 if not set.")
    minRetryConcurrency: UInt32 | None = optional("Retries that are possible in any case; 3 if not set.")


class TrafficPolicy(Message):
    """The traffic policy of a service or subset."""

    loadBalancer: LoadBalancerSettings | None = optional("How endpoints are chosen.")
    connectionPool: ConnectionPoolSettings | None = optional("Limits of connections and requests.")
    outlierDetection: OutlierDetection | None = optional("When failing endpoints are left out.")
    tls: ClientTLSSettings | None = optional("TLS to the service.")
    portLevelSettings: Annotated[list[PortTrafficPolicy], Enforced(maxItems=4096)] | None = optional(
        "What holds for single ports; nothing of the above holds for them then."
    )
    tunnel: TunnelSettings | None = optional("Connect by way of the service, a proxy, to another target.")
    proxyProtocol: ProxyProtocol | None = optional("Tell the service the client's address; not together with tunnel.")
    retryBudget: RetryBudget | None = optional("How many requests may be retried at a time.")

    def check(self) -> Findings:
        yield from not_empty(self)
        yield from at_most_one(self, "tunnel", "proxyProtocol")


class Subset(Message):
    """A named subset of a service's endpoints, such as one version, selected by labels."""

    name: Label = Field(description="Name by which routes refer to the subset.")
    labels: Labels | None = optional("Labels that tell which endpoints belong to it.")
    trafficPolicy: TrafficPolicy | None = optional("What holds for the subset in place of the host's own policy.")


class DestinationRule(Kind):
    """What holds for traffic to a service once it has been routed there: subsets, balancing, limits, TLS."""

    names: ClassVar = Names(
        group="networking.istio.io",
        plural="destinationrules",
        short=("dr",),
        columns=(Column("Host", ".spec.host", "Service that the rule is for."), AGE),
    )

    host: Host = Field(
        description="Service of the mesh's registry, or *.example.com; a short name is read in the rule's namespace."
    )
    trafficPolicy: TrafficPolicy | None = optional("What holds for all traffic to the host.")
    subsets: list[Subset] | None = optional("Named parts of the service, such as versions.")
    workloadSelector: PolicySelector | None = optional(
        "Workloads of the namespace that call; all callers if not set. exportTo must then be . or not set."
    )
    exportTo: ExportTo | None = optional(
        "Namespaces whose proxies see the rule: names, . for its own, * for all (the default)."
    )

    def check(self) -> Findings:
        names = [subset.name for subset in self.subsets or ()]
        for i, name in enumerate(names):
            if name in names[:i]:
                yield ("subsets", i, "name"), f"{show(name)} is the name of another subset, too"
        if self.workloadSelector and self.exportTo not in (None, [], ["."]):
            yield ("exportTo",), "must be . or not set together with workloadSelector"
