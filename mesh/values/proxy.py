"""Settings of all of Istio's components: images, logs, sidecars."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from mesh.core import errors
from mesh.core.kubernetes import (
    Domain,
    Host,
    Labels,
    LabelValue,
    Name,
    ObjectName,
    PullPolicy,
    Resources,
    SeccompProfile,
)
from mesh.core.names import DEFAULT_DOMAIN, ROOT
from mesh.core.scheduling import Affinity, Toleration
from mesh.core.typed import Documented
from mesh.values.gateway import PROXY_RESOURCES
from mesh.values.networks import Network
from mesh.values.tracers import Tracers
from mesh.values.workload import IpFamilies, IpFamilyPolicy, Variant

_LEVELS = "trace|debug|info|warning|error|critical|off"
_SCOPE_LEVELS = "none|error|warn|info|debug"

ProxyLevel = Literal["", "trace", "debug", "info", "warning", "error", "critical", "off"]
ComponentLevels = Annotated[str, Field(pattern=rf"^$|^[a-z0-9_]+:({_LEVELS})(,[a-z0-9_]+:({_LEVELS}))*$")]
"""Log levels by component of Envoy, such as `misc:error,http:debug`."""
ScopeLevels = Annotated[
    str, Field(pattern=rf"^$|^([A-Za-z0-9_-]+:)?({_SCOPE_LEVELS})(,[A-Za-z0-9_-]+:({_SCOPE_LEVELS}))*$")
]
"""Log levels by scope of istiod and the agents, such as `default:info,ads:debug`."""
Ports = Annotated[str, Field(pattern=r"^$|^\*$|^[0-9]+(,[0-9]+)*$")]
"""Ports, separated by commas, or `*`."""
Ranges = Annotated[str, Field(pattern=r"^$|^\*$|^[0-9a-fA-F.:]+/[0-9]+(,[0-9a-fA-F.:]+/[0-9]+)*$")]
"""IP ranges in CIDR notation, separated by commas, or `*`."""


class StartupProbe(Documented):
    """The startup probe of a sidecar: until it succeeds, the readiness probe does not run."""

    enabled: bool = True
    """Whether sidecars have one."""
    failureThreshold: int = Field(default=600, ge=1)
    """Failed probes, one a second, after which the sidecar is restarted."""


class Proxy(Documented):
    """Sidecars. Image, cluster domain and log levels apply to gateways, too."""

    image: str = "proxyv2"
    """Name of the image in `hub`; with a slash, a full reference."""
    resources: Resources = PROXY_RESOURCES
    """Resource requests and limits of a sidecar."""
    autoInject: Literal["enabled", "disabled"] = "enabled"
    """`enabled`: pods of injected namespaces get a sidecar unless they opt out. `disabled`: only pods that opt in get
    one."""
    clusterDomain: Domain = DEFAULT_DOMAIN
    """DNS domain of the cluster."""
    logLevel: ProxyLevel = "warning"
    """Log level of Envoy."""
    componentLogLevel: ComponentLevels = "misc:error"
    """Log levels by component of Envoy, such as `misc:error,http:debug`."""
    enableCoreDump: bool = False
    """Whether Envoy can write core dumps. Pods then get a privileged init container."""
    privileged: bool = False
    """Whether sidecars run as privileged containers."""
    holdApplicationUntilProxyStarts: bool = False
    """Whether the other containers of a pod start only after its sidecar is ready."""
    includeIPRanges: Ranges = "*"
    """Destination IP ranges whose traffic is redirected to the sidecar, in CIDR notation and separated by commas; `*`
    for all."""
    includeInboundPorts: Ports = "*"
    """Ports of the pod whose inbound traffic is redirected to the sidecar, separated by commas; `*` for all."""
    includeOutboundPorts: Ports = ""
    """Destination ports whose outbound traffic is redirected to the sidecar, whatever the address, separated by
    commas."""
    excludeIPRanges: Ranges = ""
    """Destination IP ranges whose traffic bypasses the sidecar, in CIDR notation and separated by commas."""
    excludeInboundPorts: Ports = ""
    """Ports of the pod whose inbound traffic bypasses the sidecar, separated by commas."""
    excludeOutboundPorts: Ports = ""
    """Destination ports whose outbound traffic bypasses the sidecar, separated by commas."""
    lifecycle: dict[str, Any] = {}
    """Lifecycle hooks of the sidecar's container; those of Istio's template if empty."""
    statusPort: int = Field(default=15020, ge=0, le=65535)
    """Port of the agent's health checks; 0: the sidecar has no readiness probe."""
    readinessInitialDelaySeconds: int = Field(default=1, ge=0)
    """Seconds before the first readiness probe."""
    readinessPeriodSeconds: int = Field(default=2, ge=1)
    """Seconds between readiness probes."""
    readinessFailureThreshold: int = Field(default=30, ge=1)
    """Failed readiness probes in a row after which a sidecar is not ready."""
    startupProbe: StartupProbe = StartupProbe()
    """The startup probe of a sidecar."""
    variant: Variant = ""
    """Variant of the image; `global.variant` if empty."""
    outlierLogPath: str = ""
    """File to which proxies log ejections by outlier detection, such as `/dev/stdout`; no log if empty."""
    seccompProfile: SeccompProfile = {}
    """Seccomp profile of sidecars, such as `type: RuntimeDefault`."""
    tracer: Literal["zipkin", "lightstep", "datadog", "stackdriver", "openCensusAgent", "none"] = "zipkin"
    """Tracing backend to which proxies send spans."""


class ProxyInit(Documented):
    """The init container that redirects a pod's traffic to its sidecar."""

    image: str = "proxyv2"
    """Name of the image in `hub`; with a slash, a full reference."""
    resources: Resources = Resources(
        requests={"cpu": "10m", "memory": "10Mi"}, limits={"cpu": "2000m", "memory": "1024Mi"}
    )
    """Resource requests and limits of the init container."""
    forceApplyIptables: bool = False
    """Whether rules are applied without a check of the existing rules in the pod's network."""


class Logging(Documented):
    """Logging of istiod and of the agents."""

    level: ScopeLevels = "default:info"
    """Log levels by scope, such as `default:info,ads:debug`; `default` stands for all other scopes."""


class Budget(Documented):
    """PodDisruptionBudgets of istiod and the gateways."""

    enabled: bool = True
    """Whether they are installed. Each keeps at least one pod available while nodes are drained."""


class MultiCluster(Documented):
    """This cluster as part of a mesh of several clusters."""

    enabled: bool = False
    """Whether the mesh spans several clusters; needs `clusterName`."""
    clusterName: str = ""
    """Name of this cluster, unique in the mesh; `Kubernetes` if empty."""


class IstiodAnalysis(Documented):
    """Additional functions of istiod."""

    enableAnalysis: bool = False
    """Whether istiod analyzes Istio's objects and writes messages into their status."""


class Sts(Documented):
    """The security token service of the agents."""

    servicePort: int = Field(default=0, ge=0, le=65535)
    """Port of the agent's security token service; 0 switches it off."""


class SdsToken(Documented):
    """The token with which proxies ask for certificates."""

    aud: str = Field(default="istio-ca", min_length=1)
    """Audience of the token, which the certificate authority must accept."""


class Sds(Documented):
    """How proxies get their certificates."""

    token: SdsToken = SdsToken()
    """The token with which proxies ask for certificates."""


class NetworkPolicies(Documented):
    """NetworkPolicies of Istio's own pods."""

    enabled: bool = False
    """Whether istiod, gateways, the CNI plugin and ztunnel get one. It admits incoming traffic only to their own ports,
    and all outgoing traffic."""


class Waypoint(Documented):
    """Waypoints, the proxies of ambient mode that istiod deploys."""

    resources: Resources = Resources(requests={"cpu": "100m", "memory": "128Mi"}, limits={"cpu": "2", "memory": "1Gi"})
    """Resource requests and limits of a waypoint."""
    affinity: Affinity | None = None
    """Affinity of the pods to nodes and to other pods."""
    topologySpreadConstraints: tuple[dict[str, Any], ...] = ()
    """How the pods are spread over nodes and zones."""
    nodeSelector: Labels = {}
    """Labels of the nodes on which the pods may run."""
    tolerations: tuple[Toleration, ...] = ()
    """Taints of nodes that the pods tolerate."""


Platform = Literal["", "gke", "k3d", "k3s", "microk8s", "minikube", "openshift"]
ResourceScope = Literal["all", "cluster", "namespace"]
Architecture = Literal["amd64", "arm64", "ppc64le", "s390x"]
ArchitectureWeight = Annotated[int, Field(ge=0, le=100)]


class Global(Documented):
    """Settings of all of Istio's components."""

    istioNamespace: Name = ROOT
    """Istio's namespace: that of istiod, its ConfigMaps and accounts, and of gateways and addons that name no other.
    It cannot change while the stack is installed."""
    proxy: Proxy = Proxy()
    """Sidecars; image, cluster domain and log levels apply to gateways, too."""
    proxy_init: ProxyInit = ProxyInit()
    """The init container that redirects a pod's traffic to its sidecar."""
    imagePullPolicy: PullPolicy = ""
    """Image pull policy of the containers; the default of Kubernetes if empty."""
    imagePullSecrets: tuple[Name, ...] = ()
    """Names of Secrets with registry credentials. They must exist in the namespace of each pod."""
    logging: Logging = Logging()
    """Logging of istiod and of the agents."""
    logAsJson: bool = False
    """Whether logs are written as JSON."""
    priorityClassName: ObjectName = ""
    """PriorityClass of the pods of istiod and the gateways."""
    defaultPodDisruptionBudget: Budget = Budget()
    """PodDisruptionBudgets of istiod and the gateways."""
    defaultResources: Resources = Resources(requests={"cpu": "10m"})
    """Resource requests and limits of istiod, and of gateways, whose own `resources` are null."""
    defaultNodeSelector: Labels = {}
    """Labels of the nodes on which gateways without a `nodeSelector` may run."""
    defaultTolerations: tuple[Toleration, ...] = ()
    """Taints of nodes that gateways without `tolerations` tolerate."""
    arch: dict[Architecture, ArchitectureWeight] = {}
    """How much gateways prefer nodes with a CPU architecture, from 0, not at all, to 100. Istio 1.10 has
    2 for `amd64`, `ppc64le` and `s390x`; with later releases gateways may run on all nodes if not set."""
    tracer: Tracers = Tracers()
    """Settings of each tracer, of which `proxy.tracer` chooses one."""
    istiod: IstiodAnalysis = IstiodAnalysis()
    """Additional functions of istiod."""
    jwtPolicy: Literal["third-party-jwt", "first-party-jwt"] = "third-party-jwt"
    """Service account tokens with which proxies authenticate to istiod: projected tokens with an audience and an expiry
    (`third-party-jwt`), or default ones."""
    caAddress: str = ""
    """`host:port` of the certificate authority that signs workload certificates; istiod if empty."""
    meshID: str = ""
    """ID of the mesh; the trust domain if empty."""
    multiCluster: MultiCluster = MultiCluster()
    """This cluster as part of a mesh of several clusters."""
    network: LabelValue = ""
    """Name of the network of this cluster's pods. Workloads reach other networks through gateways."""
    sds: Sds = Sds()
    """How proxies get their certificates."""
    sts: Sts = Sts()
    """The security token service of the agents."""
    mountMtlsCerts: bool = False
    """Whether proxies mount their certificates from Secrets instead of requesting them from the certificate
    authority."""
    oneNamespace: bool = False
    """Whether istiod watches only its own namespace."""
    operatorManageWebhooks: bool = False
    """Whether something else installs the injection webhooks; the stack then leaves them out."""
    omitSidecarInjectorConfigMap: bool = False
    """Whether the ConfigMap with the injection templates is left out."""
    platform: Platform = ""
    """The platform of the cluster, if Istio needs special settings on it: folders of the CNI plugin, quotas,
    permissions. Your own settings override those of the platform."""
    variant: Variant = ""
    """Variant of Istio's images; the usual one if empty."""
    networkPolicy: NetworkPolicies = NetworkPolicies()
    """NetworkPolicies of Istio's own pods."""
    nativeNftables: bool = False
    """Whether traffic is redirected by nftables rules in place of iptables."""
    waypoint: Waypoint = Waypoint()
    """Waypoints, the proxies of ambient mode that istiod deploys."""
    resourceScope: ResourceScope = "all"
    """The objects that this stack installs: `cluster`, those without a namespace (and Istio's namespace itself);
    `namespace`, the others; or all."""
    pilotCertProvider: str = "istiod"
    """Provider of istiod's own certificate: `istiod`; `custom`: files that are mounted; with later releases than 1.10
    also a signer of Kubernetes (`k8s.io/…`), or `none`: something in front of istiod terminates TLS."""
    certSigners: tuple[str, ...] = ()
    """Signers of Kubernetes for which istiod may approve certificates, such as
    `clusterissuers.cert-manager.io/istio`."""
    caName: str = ""
    """Name of the certificate authority, such as `GkeWorkloadCertificate`; none if empty."""
    trustBundleName: ObjectName = ""
    """ConfigMap with the root certificate that istiod writes into every namespace; `istio-ca-root-cert` if empty."""
    configValidation: bool = True
    """Whether istiod validates Istio's objects."""
    enableReaderRBAC: bool = True
    """Whether there are an account and roles by which control planes of other clusters read this one."""
    externalIstiod: bool = False
    """Whether istiod serves other clusters as their control plane."""
    configCluster: bool = False
    """Whether a cluster with a remote istiod holds Istio's objects for it."""
    remotePilotAddress: Host = ""
    """Address of a remote istiod, an IP address or a host name, for a Service that leads to it."""
    ipFamilyPolicy: IpFamilyPolicy = ""
    """IP families of that Service, one or both; the default of Kubernetes if empty."""
    ipFamilies: IpFamilies = ()
    """IP families of that Service, in order of preference."""
    meshNetworks: dict[LabelValue, Network] = {}
    """Networks of the mesh with their endpoints and gateways, by name. Clusters and gateways whose network is set by
    `global.network` need no entry."""

    @field_validator("pilotCertProvider")
    @classmethod
    def _is_a_provider(cls, value: str) -> str:
        if value == "kubernetes":
            raise ValueError(
                "kubernetes: no Kubernetes since 1.22 signs istiod's certificate, without which it does not start:"
                " choose istiod, or custom"
            )
        if value not in ("istiod", "custom", "none") and not value.startswith("k8s.io/"):
            raise ValueError(errors.not_one_of(value, ("istiod", "custom", "none", "k8s.io/SIGNER")))
        return value

    @model_validator(mode="after")
    def _several_clusters_have_names(self) -> Global:
        if self.multiCluster.enabled and not self.multiCluster.clusterName:
            raise ValueError("multiCluster.enabled needs a multiCluster.clusterName")
        return self
