"""MeshConfig, the mesh-wide configuration of Istio (`istio.mesh.v1alpha1`).

No custom resource has these types: they are the setting `mesh:meshConfig` and what istiod reads from its ConfigMap.
"""

from collections.abc import Mapping
from typing import ClassVar, Final, Literal

from pydantic import Field

from mesh.api.destination_rule import ClientTLSSettings, TcpKeepalive
from mesh.api.extension_provider import MeshExtensionProvider
from mesh.api.http_route import HTTPRetry
from mesh.api.load_balancing import LocalityLoadBalancerSetting
from mesh.api.model import Findings, Message, optional
from mesh.api.names import ExportTo, Host, Labels, TrustDomain
from mesh.api.proxy_config import MeshProxyConfig
from mesh.api.scalars import AnyDuration, BoolValue, ConnectTimeout, DetectionTimeout, PortNumber, SocketPort, Text
from mesh.core.errors import show
from mesh.core.kubernetes import Name

__all__ = [
    "CertificateAuthority",
    "CertificateData",
    "ConfigSource",
    "DefaultProviders",
    "InboundTrafficPolicy",
    "LabelRequirement",
    "LabelSelector",
    "MeshConfig",
    "MeshOutboundTrafficPolicy",
    "MeshTLS",
    "MeshTLSDefaults",
    "ProxyPathNormalization",
    "ServiceScopeConfig",
    "ServiceSettings",
    "ServiceSettingsSettings",
]


BUILT_IN_PROVIDERS: Final[Mapping[str, tuple[str, ...]]] = {
    "metrics": ("prometheus", "stackdriver"),
    "accessLogging": ("envoy", "stackdriver"),
}
"""Extension providers that istiod has by default, by what they receive."""


class MeshOutboundTrafficPolicy(Message):
    """How proxies handle traffic to services that are not in the mesh's service registry."""

    mode: Literal["REGISTRY_ONLY", "ALLOW_ANY", "ALLOW_ANY_DYNAMIC_DNS"] | None = optional(
        "REGISTRY_ONLY refuses it, ALLOW_ANY (the default) lets it pass, ALLOW_ANY_DYNAMIC_DNS does so to the address "
        "that DNS has for the host of the request."
    )
    tls: ClientTLSSettings | None = optional("TLS of the connections that ALLOW_ANY_DYNAMIC_DNS makes.")


class InboundTrafficPolicy(Message):
    """How sidecars hand traffic to the workload on ports that no service and no Sidecar names."""

    mode: Literal["PASSTHROUGH", "LOCALHOST"] | None = optional(
        "PASSTHROUGH (the default) keeps the address that it was sent to, LOCALHOST sends it to 127.0.0.1."
    )


class ConfigSource(Message):
    """A source from which istiod reads Istio's objects."""

    address: Text | None = optional("`k8s://`, `fs:///folder`, or the `host:port` of an MCP-over-xDS server.")
    tlsSettings: ClientTLSSettings | None = optional("TLS of the connection to the server.")
    subscribedResources: list[Literal["SERVICE_REGISTRY"]] | None = optional(
        "What else istiod reads from the server: the service registry."
    )


class CertificateData(Message):
    """Root certificates that the mesh trusts, as PEM or from a SPIFFE bundle."""

    one_of: ClassVar = ("pem", "spiffeBundleUrl")

    pem: str | None = optional("The certificates in PEM format.")
    spiffeBundleUrl: str | None = optional("URL of a SPIFFE bundle endpoint, `https://…`.")
    certSigners: list[str] | None = optional("Kubernetes' signers whose certificates these roots verify.")
    trustDomains: list[str] | None = optional("Trust domains whose certificates these roots verify.")


class ServiceSettingsSettings(Message):
    """The settings of the services."""

    clusterLocal: bool | None = optional("Whether traffic to the services stays within the client's cluster.")


class ServiceSettings(Message):
    """Settings of the services whose host names match."""

    settings: ServiceSettingsSettings | None = optional("The settings.")
    hosts: list[Host] | None = optional("Host names of the services; the first label may be `*`.")


class CertificateAuthority(Message):
    """A certificate authority that signs the workloads' certificates in place of istiod."""

    address: Text | None = optional("`host:port` of the certificate authority.")
    tlsSettings: ClientTLSSettings | None = optional("TLS of the connection to it.")
    requestTimeout: AnyDuration | None = optional("Timeout of a request to it, such as 10s (the default).")
    istiodSide: bool | None = optional("true: istiod sends the requests; false: each proxy sends its own.")


class DefaultProviders(Message):
    """Extension providers that are used where no Telemetry object names one."""

    tracing: str | list[str] | None = optional(
        "The provider that receives trace spans: its name in Istio 1.10, such as `zipkin`; later a list of names, such "
        "as `[zipkin]`."
    )
    metrics: list[str] | None = optional("Names of the providers that receive metrics.")
    accessLogging: list[str] | None = optional("Names of the providers that receive access logs.")


class LabelRequirement(Message):
    """A condition on one label of a namespace."""

    key: Text = Field(description="Key of the label.")
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"] = Field(
        description="How the label is compared with the values."
    )
    values: list[str] | None = optional("Values for `In` and `NotIn`.")


class LabelSelector(Message):
    """A selection of namespaces by labels; all conditions must hold."""

    matchLabels: Labels | None = optional("Labels that the namespace must have, with their values.")
    matchExpressions: list[LabelRequirement] | None = optional("Conditions on labels.")


class ServiceScopeConfig(Message):
    """Whether some services are for other clusters, too; ambient mode only."""

    namespaceSelector: LabelSelector | None = optional("Namespaces of the services; all if not set.")
    servicesSelector: LabelSelector | None = optional("Labels of the services; all if not set.")
    scope: Literal["LOCAL", "GLOBAL"] | None = optional("For their own cluster only (the default), or for all.")


class MeshTLS(Message):
    """TLS of the connections between proxies of the mesh."""

    minProtocolVersion: Literal["TLS_AUTO", "TLSV1_2", "TLSV1_3"] | None = optional(
        "Oldest version of TLS that is spoken; 1.2 if not set."
    )
    cipherSuites: list[str] | None = optional("Cipher suites that are spoken; Istio's own choice if not set.")


class MeshTLSDefaults(MeshTLS):
    """TLS of all other connections: at gateways, and to services outside the mesh."""

    ecdhCurves: list[str] | None = optional("Curves of the key exchange, such as X25519MLKEM768.")


class ProxyPathNormalization(Message):
    """How the path of a request is normalized before authorization policies are applied to it."""

    normalization: Literal["DEFAULT", "NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"] | None = optional(
        "NONE, BASE (RFC 3986), MERGE_SLASHES (repeated slashes too), or DECODE_AND_MERGE_SLASHES (`%2F`, `%5C` too). "
        "DEFAULT is BASE."
    )


class MeshConfig(Message):
    """Mesh-wide settings of istiod and the proxies."""

    rootNamespace: Name | None = optional(
        "The root namespace: objects of Istio's API in it, such as policies, are for the whole mesh; Istio's own "
        "namespace if not set."
    )
    proxyListenPort: PortNumber | None = optional(
        "Port of the proxies to which outbound traffic is redirected; 15001 if not set."
    )
    proxyInboundListenPort: PortNumber | None = optional(
        "Port of the proxies to which inbound traffic is redirected; 15006 if not set."
    )
    proxyHttpPort: SocketPort | None = optional(
        "Port on which sidecars serve as explicit HTTP proxies; none if not set."
    )
    connectTimeout: ConnectTimeout | None = optional(
        "Timeout for making a TCP connection, such as 10s (the default); 1ms or more, up to what the release allows."
    )
    protocolDetectionTimeout: DetectionTimeout | None = optional(
        "How long a proxy waits for the first bytes of a connection to detect its protocol; 0s (the default): no limit."
    )
    hboneIdleTimeout: AnyDuration | None = optional(
        "How long a connection by HBONE, ambient mode's tunnel, is kept without traffic; 1h if not set."
    )
    tcpKeepalive: TcpKeepalive | None = optional("TCP keepalive of all outbound connections; none if not set.")
    ingressClass: str | None = optional("Ingress class that the ingress gateway serves; `istio` if not set.")
    ingressService: str | None = optional(
        "Service whose address istiod writes into the status of Ingress objects; `istio-ingressgateway` if not set."
    )
    ingressControllerMode: Literal["UNSPECIFIED", "OFF", "DEFAULT", "STRICT"] | None = optional(
        "Ingress objects that are served. OFF: none; DEFAULT: those of `ingressClass` or of no class; STRICT (if not "
        "set): those of `ingressClass` only."
    )
    ingressSelector: str | None = optional(
        "Value of the label `istio` on the gateway pods that serve Ingress objects; if not set, `ingressgateway`, or "
        "the name of an `ingressService` of your own."
    )
    enableTracing: bool | None = optional("Whether proxies send trace spans; true if not set.")
    accessLogFile: str | None = optional(
        "File to which proxies write access logs, such as /dev/stdout; no log if empty."
    )
    accessLogFormat: str | None = optional(
        "Format of an access log entry, with Envoy's command operators; Istio's own format if empty."
    )
    accessLogEncoding: Literal["TEXT", "JSON"] | None = optional("Encoding of an access log entry; TEXT if not set.")
    enableEnvoyAccessLogService: bool | None = optional(
        "Whether access logs are also sent to `envoyAccessLogService` of the proxy configuration."
    )
    disableEnvoyListenerLog: bool | None = optional(
        "Whether connections that match no filter chain are left out of the access log."
    )
    defaultConfig: MeshProxyConfig | None = optional(
        "Configuration of the proxies; a pod changes its own by annotation `proxy.istio.io/config`."
    )
    outboundTrafficPolicy: MeshOutboundTrafficPolicy | None = optional(
        "Traffic to services that are not in the registry; passes if not set."
    )
    inboundTrafficPolicy: InboundTrafficPolicy | None = optional(
        "Traffic to ports of a workload that no service names; keeps its address if not set."
    )
    configSources: list[ConfigSource] | None = optional(
        "Sources of Istio's objects; the cluster's API server if not set."
    )
    enableAutoMtls: BoolValue | None = optional(
        "Whether proxies use mutual TLS with workloads that have a sidecar; true if not set."
    )
    trustDomain: TrustDomain | None = optional(
        "Trust domain: the root of the workloads' SPIFFE identities; `cluster.local` if not set."
    )
    trustDomainAliases: list[TrustDomain] | None = optional(
        "Trust domains whose identities authorization policies treat as this one's."
    )
    caCertificates: list[CertificateData] | None = optional("Additional root certificates that the mesh trusts.")
    defaultServiceExportTo: ExportTo | None = optional(
        "`exportTo` of services that have none: namespace names, `.` for its own, `*` for all (if not set)."
    )
    defaultVirtualServiceExportTo: ExportTo | None = optional("`exportTo` of VirtualServices that have none.")
    defaultDestinationRuleExportTo: ExportTo | None = optional("`exportTo` of DestinationRules that have none.")
    localityLbSetting: LocalityLoadBalancerSetting | None = optional("Locality load balancing for all services.")
    dnsRefreshRate: AnyDuration | None = optional(
        "Interval of DNS lookups for clusters of type STRICT_DNS, such as 5s."
    )
    h2UpgradePolicy: Literal["DO_NOT_UPGRADE", "UPGRADE"] | None = optional(
        "Whether HTTP/1.1 requests are upgraded to HTTP/2; DO_NOT_UPGRADE if not set."
    )
    inboundClusterStatName: str | None = optional(
        "Pattern of statistics names of inbound clusters, such as `%SERVICE%_%SERVICE_PORT%`."
    )
    outboundClusterStatName: str | None = optional(
        "Pattern of statistics names of outbound clusters, such as `%SERVICE_FQDN%_%SUBSET_NAME%`."
    )
    serviceSettings: list[ServiceSettings] | None = optional(
        "Settings of single services; the first entry whose hosts match is used."
    )
    serviceScopeConfigs: list[ServiceScopeConfig] | None = optional(
        "Services that are for other clusters, too (ambient mode); the first entry that matches is used."
    )
    enablePrometheusMerge: BoolValue | None = optional(
        "Whether the agent merges the application's Prometheus metrics with the proxy's; true if not set."
    )
    verifyCertificateAtClient: BoolValue | None = optional(
        "Whether proxies that originate TLS verify the server's certificate if the DestinationRule names no CA; false "
        "if not set."
    )
    ca: CertificateAuthority | None = optional(
        "Certificate authority of the workloads' certificates; istiod if not set."
    )
    extensionProviders: list[MeshExtensionProvider] | None = optional(
        "Services that AuthorizationPolicy and Telemetry objects refer to by name."
    )
    defaultProviders: DefaultProviders | None = optional("Extension providers that are used where no object names one.")
    discoverySelectors: list[LabelSelector] | None = optional(
        "Namespaces that istiod watches: those that match any of these selectors; all if not set."
    )
    pathNormalization: ProxyPathNormalization | None = optional("Normalization of request paths before authorization.")
    defaultHttpRetryPolicy: HTTPRetry | None = optional(
        "Retries of requests whose route does not set its own; 2 of them if not set."
    )
    meshMTLS: MeshTLS | None = optional("TLS of the connections between proxies of the mesh.")
    tlsDefaults: MeshTLSDefaults | None = optional("TLS of all other connections.")

    def check(self) -> Findings:
        names = [provider.name for provider in self.extensionProviders or ()]
        for i, name in enumerate(names):
            if name in names[:i]:
                yield ("extensionProviders", i, "name"), f"{show(name)} is the name of another provider, too"
        chosen = self.defaultProviders
        for kind in DefaultProviders.model_fields if chosen else ():
            wanted = getattr(chosen, kind) or []
            for name in [wanted] if isinstance(wanted, str) else wanted:
                if name not in (*names, *BUILT_IN_PROVIDERS.get(kind, ())):
                    yield ("defaultProviders", kind), f"{show(name)} is not one of extensionProviders"
