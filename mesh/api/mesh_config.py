"""MeshConfig: what holds for the whole mesh (mesh.istio.io/v1alpha1)."""

from typing import Annotated, ClassVar, Literal

from annotated_types import MinLen
from pydantic import Field

from mesh.api.destination_rule import ClientTLSSettings
from mesh.api.extension_provider import MeshExtensionProvider
from mesh.api.load_balancing import LocalityLoadBalancerSetting
from mesh.api.model import Findings, Message, optional
from mesh.api.names import ExportTo, Labels
from mesh.api.proxy_config import ProxyConfig
from mesh.api.scalars import AnyDuration, BoolValue, Duration, SocketPort, Text
from mesh.core.errors import show

__all__ = [
    "CertificateAuthority",
    "CertificateData",
    "ConfigSource",
    "DefaultProviders",
    "LabelRequirement",
    "LabelSelector",
    "MeshConfig",
    "MeshOutboundTrafficPolicy",
    "ProxyPathNormalization",
    "ServiceSettings",
    "ServiceSettingsSettings",
]


class MeshOutboundTrafficPolicy(Message):
    """What becomes of traffic to services that the mesh does not know."""

    mode: Literal["REGISTRY_ONLY", "ALLOW_ANY"] | None = optional("It is refused, or passes (the default).")


class ConfigSource(Message):
    """Where istiod reads Istio's objects from."""

    address: Text | None = optional("`k8s://`, `fs:///folder`, or `host:port` of a server that speaks MCP over xDS.")
    tlsSettings: ClientTLSSettings | None = optional("TLS to the server.")
    subscribedResources: list[Literal["SERVICE_REGISTRY"]] | None = optional("What the server provides beside objects.")


class CertificateData(Message):
    """Root certificates that the mesh trusts."""

    one_of: ClassVar = ("pem", "spiffeBundleUrl")

    pem: str | None = optional("Certificates in PEM format.")
    spiffeBundleUrl: str | None = optional("Where a SPIFFE bundle is, `https://…`.")


class ServiceSettingsSettings(Message):
    """What is special about services."""

    clusterLocal: bool | None = optional("Whether their traffic stays within a cluster.")


class ServiceSettings(Message):
    """Settings of some services."""

    settings: ServiceSettingsSettings | None = optional("What is special about them.")
    hosts: list[str] | None = optional("Their host names; a `*` may stand in place of the first part.")


class CertificateAuthority(Message):
    """Who signs the workloads' certificates, if that is not istiod."""

    address: Text | None = optional("Its `host:port`.")
    tlsSettings: ClientTLSSettings | None = optional("TLS to it.")
    requestTimeout: AnyDuration | None = optional("How long it may take; 10s if not set.")
    istiodSide: bool | None = optional("Whether istiod asks it, or every proxy by itself.")


class DefaultProviders(Message):
    """Extension providers that are used where nothing else is said."""

    tracing: str | None = optional("Name of the one that gets spans.")


class LabelRequirement(Message):
    """A condition on one label of a namespace."""

    key: Text = Field(description="The label.")
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"] = Field(description="How its value is compared.")
    values: list[str] | None = optional("What it is compared with.")


class LabelSelector(Message):
    """Namespaces by their labels; all conditions must hold."""

    matchLabels: Labels | None = optional("Labels and their values.")
    matchExpressions: list[LabelRequirement] | None = optional("Further conditions.")


class ProxyPathNormalization(Message):
    """How paths of requests are brought into one form before policies see them."""

    normalization: Literal["DEFAULT", "NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"] | None = optional(
        "Not at all, by RFC 3986, with slashes merged, or with escaped slashes decoded and merged too."
    )


class MeshConfig(Message):
    """What holds for the whole mesh. `rootNamespace` is where Istio is installed and cannot be set."""

    proxyListenPort: SocketPort | None = optional("Port to which outgoing traffic is redirected; 15001 if not set.")
    proxyHttpPort: SocketPort | None = optional("Port on which proxies serve as HTTP proxies; none if not set.")
    connectTimeout: Duration | None = optional("How long a connection may take to be made; 10s if not set.")
    protocolDetectionTimeout: AnyDuration | None = optional(
        "How long a proxy waits for the bytes by which it knows the protocol; 0s for as long as it takes."
    )
    ingressClass: str | None = optional("Class of Ingress objects that the ingress gateway serves.")
    ingressService: str | None = optional("Service whose address is written into Ingress objects.")
    ingressControllerMode: Literal["UNSPECIFIED", "OFF", "DEFAULT", "STRICT"] | None = optional(
        "Ingress objects that are served: none, those of the class and those without one, or those of the class."
    )
    ingressSelector: str | None = optional("Value of the label `istio` of the gateway pods that serve Ingress objects.")
    enableTracing: bool | None = optional("Whether requests are traced.")
    accessLogFile: str | None = optional("Path of the proxies' access log in the container; none if empty.")
    accessLogFormat: str | None = optional("Format of a line, with Envoy's command operators; Istio's own if empty.")
    accessLogEncoding: Literal["TEXT", "JSON"] | None = optional("Whether a line is text or JSON.")
    enableEnvoyAccessLogService: bool | None = optional("Whether access logs go over gRPC to `envoyAccessLogService`.")
    disableEnvoyListenerLog: bool | None = optional("Whether connections that no listener takes are left out.")
    defaultConfig: ProxyConfig | None = optional("How proxies are started and what they report.")
    outboundTrafficPolicy: MeshOutboundTrafficPolicy | None = optional("What becomes of traffic to unknown services.")
    configSources: list[ConfigSource] | None = optional("Where Istio's objects come from; the cluster if not set.")
    enableAutoMtls: BoolValue | None = optional("Whether proxies speak mutual TLS with whom it is possible.")
    trustDomain: Annotated[str, MinLen(1)] | None = optional("Root of the workloads' identities.")
    trustDomainAliases: list[str] | None = optional("Other trust domains whose identities count as this one's.")
    caCertificates: list[CertificateData] | None = optional("Further root certificates that the mesh trusts.")
    defaultServiceExportTo: ExportTo | None = optional("Namespaces that see a service which does not say it.")
    defaultVirtualServiceExportTo: ExportTo | None = optional("The same for virtual services.")
    defaultDestinationRuleExportTo: ExportTo | None = optional("The same for destination rules.")
    localityLbSetting: LocalityLoadBalancerSetting | None = optional("Preference for endpoints that are near.")
    dnsRefreshRate: AnyDuration | None = optional("Time between two look-ups of a host; 5s if not set.")
    h2UpgradePolicy: Literal["DO_NOT_UPGRADE", "UPGRADE"] | None = optional(
        "Whether HTTP/1.1 requests are sent as HTTP/2."
    )
    inboundClusterStatName: str | None = optional("Pattern for names of statistics of incoming traffic.")
    outboundClusterStatName: str | None = optional("Pattern for names of statistics of outgoing traffic.")
    serviceSettings: list[ServiceSettings] | None = optional("Settings of some services; the first that fits counts.")
    enablePrometheusMerge: BoolValue | None = optional(
        "Whether the agent serves the application's metrics with its own."
    )
    verifyCertificateAtClient: BoolValue | None = optional("Whether clients check the names of certificates they see.")
    ca: CertificateAuthority | None = optional("Who signs the workloads' certificates, if that is not istiod.")
    extensionProviders: list[MeshExtensionProvider] | None = optional("Services that policies and telemetry refer to.")
    defaultProviders: DefaultProviders | None = optional("Extension providers that are used unless others are named.")
    discoverySelectors: list[LabelSelector] | None = optional(
        "Namespaces that istiod looks at: those that fit any of these; all if not set."
    )
    pathNormalization: ProxyPathNormalization | None = optional("How paths are brought into one form.")

    def check(self) -> Findings:
        names = [provider.name for provider in self.extensionProviders or ()]
        for place, name in enumerate(names):
            if name in names[:place]:
                yield ("extensionProviders", place, "name"), f"{show(name)} is there already"
        wanted = self.defaultProviders.tracing if self.defaultProviders else None
        if wanted and wanted not in names:
            yield ("defaultProviders", "tracing"), f"{show(wanted)} is not one of extensionProviders"
