"""Settings that concern everything that Istio runs: images, logs, and the proxies of workloads."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from mesh.core.kubernetes import Domain, Name, ObjectName, PullPolicy, Resources
from mesh.core.typed import Documented
from mesh.values.gateway import PROXY_RESOURCES

_LEVELS = "trace|debug|info|warning|error|critical|off"
_SCOPE_LEVELS = "none|error|warn|info|debug"

ProxyLevel = Literal["", "trace", "debug", "info", "warning", "error", "critical", "off"]
ComponentLevels = Annotated[str, Field(pattern=rf"^$|^[a-z0-9_]+:({_LEVELS})(,[a-z0-9_]+:({_LEVELS}))*$")]
"""Levels of single components of Envoy, such as `misc:error,http:debug`."""
ScopeLevels = Annotated[
    str, Field(pattern=rf"^$|^([A-Za-z0-9_-]+:)?({_SCOPE_LEVELS})(,[A-Za-z0-9_-]+:({_SCOPE_LEVELS}))*$")
]
"""Levels of single scopes of istiod and of the agents, such as `default:info,ads:debug`."""
Ports = Annotated[str, Field(pattern=r"^$|^\*$|^[0-9]+(,[0-9]+)*$")]
"""Ports, separated by commas."""
Ranges = Annotated[str, Field(pattern=r"^$|^\*$|^[0-9a-fA-F.:]+/[0-9]+(,[0-9a-fA-F.:]+/[0-9]+)*$")]
"""Ranges of addresses in CIDR notation, separated by commas."""


class Proxy(Documented):
    """The proxies: sidecars and, for image, domain and logs, gateways too."""

    image: str = "proxyv2"
    """An image of the hub; with a slash: a full reference."""
    resources: Resources = PROXY_RESOURCES
    """Requests and limits of a sidecar."""
    autoInject: Literal["enabled", "disabled"] = "enabled"
    """Whether pods of injected namespaces get a sidecar unless they refuse it, or only if they ask for it."""
    clusterDomain: Domain = "cluster.local"
    """The cluster's DNS domain."""
    logLevel: ProxyLevel = "warning"
    """Level of Envoy's log."""
    componentLogLevel: ComponentLevels = "misc:error"
    """Levels of single components of Envoy."""
    enableCoreDump: bool = False
    """Whether Envoy may write core dumps; needs pods that may run a privileged container."""
    privileged: bool = False
    """Whether sidecars run privileged."""
    holdApplicationUntilProxyStarts: bool = False
    """Whether a pod's other containers start only when its sidecar is ready."""
    includeIPRanges: Ranges = "*"
    """Destinations whose traffic goes through the sidecar; `*` for all."""
    excludeIPRanges: Ranges = ""
    """Destinations whose traffic goes past it."""
    excludeInboundPorts: Ports = ""
    """Ports of the pod that are reached past it."""
    excludeOutboundPorts: Ports = ""
    """Ports that the pod reaches past it."""
    lifecycle: dict[str, Any] = {}
    """Kubernetes' lifecycle hooks of the sidecar; Istio's own if empty."""
    statusPort: int = Field(default=15020, ge=0, le=65535)
    """Port of the agent's probes; 0: the sidecar has no readiness probe."""
    readinessInitialDelaySeconds: int = Field(default=1, ge=0)
    """Seconds before the first probe."""
    readinessPeriodSeconds: int = Field(default=2, ge=1)
    """Seconds between two probes."""
    readinessFailureThreshold: int = Field(default=30, ge=1)
    """How many probes fail before a sidecar is not ready."""
    tracer: Literal["zipkin", "lightstep", "datadog", "stackdriver", "openCensusAgent"] = "zipkin"
    """Who gets the spans."""


class ProxyInit(Documented):
    """The init container that redirects a pod's traffic to its sidecar."""

    image: str = "proxyv2"
    """An image of the hub; with a slash: a full reference."""
    resources: Resources = Resources(
        requests={"cpu": "10m", "memory": "10Mi"}, limits={"cpu": "2000m", "memory": "1024Mi"}
    )
    """Its requests and limits."""


class Logging(Documented):
    """Logs of istiod and of the agents."""

    level: ScopeLevels = "default:info"
    """Levels by scope; `default` for all others."""


class Budget(Documented):
    """Disruption budgets of istiod and the gateways."""

    enabled: bool = True
    """Whether draining nodes leaves one pod of each alone."""


class MultiCluster(Documented):
    """This cluster among those of the mesh."""

    enabled: bool = False
    """Whether there are others."""
    clusterName: str = ""
    """Its name; `Kubernetes` if empty."""


class Analysis(Documented):
    """What istiod does beside serving proxies."""

    enableAnalysis: bool = False
    """Whether it looks for mistakes in Istio's objects, and writes them into their status."""


class Sts(Documented):
    """The agents' security token service."""

    servicePort: int = Field(default=0, ge=0, le=65535)
    """Its port; 0: none."""


class Global(Documented):
    """What concerns everything that Istio runs."""

    proxy: Proxy = Proxy()
    """The proxies."""
    proxy_init: ProxyInit = ProxyInit()
    """The init container that redirects traffic."""
    imagePullPolicy: PullPolicy = ""
    """When nodes fetch images; Kubernetes' own rule if empty."""
    imagePullSecrets: tuple[Name, ...] = ()
    """Secrets with credentials for the registry, in the namespace of each pod."""
    logging: Logging = Logging()
    """Logs of istiod and of the agents."""
    logAsJson: bool = False
    """Whether logs are JSON."""
    priorityClassName: ObjectName = ""
    """Priority class of istiod and the gateways."""
    defaultPodDisruptionBudget: Budget = Budget()
    """Disruption budgets."""
    istiod: Analysis = Analysis()
    """What istiod does beside serving proxies."""
    jwtPolicy: Literal["third-party-jwt", "first-party-jwt"] = "third-party-jwt"
    """Whether service account tokens are bound to an audience (third party)."""
    caAddress: str = ""
    """`host:port` of the certificate authority; istiod if empty."""
    meshID: str = ""
    """Id of the mesh; the trust domain if empty."""
    multiCluster: MultiCluster = MultiCluster()
    """This cluster among those of the mesh."""
    network: str = ""
    """Network of this cluster's pods."""
    sts: Sts = Sts()
    """The agents' security token service."""
    mountMtlsCerts: bool = False
    """Whether proxies take their certificates from Secrets."""
    oneNamespace: bool = False
    """Whether istiod looks at its own namespace alone."""
    omitSidecarInjectorConfigMap: bool = False
    """Whether the injection template is left out."""

    @model_validator(mode="after")
    def _several_clusters_have_names(self) -> Global:
        if self.multiCluster.enabled and not self.multiCluster.clusterName:
            raise ValueError("multiCluster.enabled needs a multiCluster.clusterName")
        return self
