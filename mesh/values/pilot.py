"""Settings of the control plane: istiod on this cluster, or an istiod on another cluster."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mesh.core.kubernetes import (
    Annotations,
    Base64,
    Key,
    Labels,
    Name,
    NumberOrPercentage,
    ObjectName,
    Resources,
    ResourcesOrNull,
    SeccompProfile,
    TrafficDistribution,
    Url,
    WebhookPath,
)
from mesh.core.kubernetes_types import Container, TopologySpreadConstraint, Volume, VolumeMount
from mesh.core.typed import Deciding, Documented
from mesh.values.workload import CniProvider, IpFamilies, IpFamilyPolicy, OwnImage, Variant, Workload


class Base(Documented):
    """Cluster-wide objects, which all control planes on a cluster share."""

    enabled: bool = True
    """Whether they are installed: root namespace, custom resource definitions, accounts, roles, validation webhook."""
    release: Annotated[str, Deciding] = ""
    """Release of the custom resource definitions, such as `1.30`; that of the newest control plane if not set. It may
    be newer than all control planes, which is how an upgrade begins."""
    enableIstioConfigCRDs: bool = True
    """Whether custom resource definitions are installed; otherwise the cluster must have them."""
    excludedCRDs: tuple[str, ...] = ()
    """Names of definitions that are left out, such as `wasmplugins.extensions.istio.io`."""
    validationURL: Url = ""
    """URL of the validation webhook, `https://…`; istiod's Service if empty."""
    validationCABundle: Base64 = ""
    """Certificates (PEM, in base64) with which the server of the validation webhook is verified. istiod then does not
    change the webhook. If empty, istiod writes its own."""
    validationFailurePolicy: Literal["", "Ignore", "Fail"] = ""
    """What happens to objects if the validation webhook cannot be called; istiod sets `Fail` once it works if empty."""


class PilotCni(Documented):
    """The CNI plugin that redirects the traffic of pods."""

    enabled: bool | None = None
    """Whether the cluster has one, from this stack or elsewhere; `cni.enabled` if not set."""
    provider: CniProvider | None = None
    """How pods request the plugin: `multus` by an annotation on each; as in `cni.provider` if not set."""


class Taint(Documented):
    """istiod's removal of a taint from nodes whose CNI plugin is ready."""

    enabled: bool = False
    """Whether istiod removes the taint."""
    namespace: Name | None = None
    """Namespace of the CNI plugin; istiod's own if not set."""
    name: Key = "cni.istio.io/not-ready"
    """Key of the taint."""


class Pilot(OwnImage, Workload):
    """The control plane, istiod."""

    enabled: bool = True
    """Whether istiod runs on this cluster."""
    image: str = "pilot"
    """Name of the image in `hub`; with a slash, a full reference."""
    variant: Variant = ""
    """Variant of the image; `global.variant` if empty."""
    resources: ResourcesOrNull = Resources(requests={"cpu": "500m", "memory": "2048Mi"})
    """Resource requests and limits of istiod; null for `global.defaultResources`."""
    replicaCount: int | None = Field(default=1, ge=0)
    """Number of pods if `autoscaleEnabled` is false."""
    traceSampling: float = Field(default=1.0, ge=0, le=100)
    """Percentage of requests that are traced, from 0 to 100."""
    deploymentLabels: Labels = {}
    """Labels of the Deployment, in addition to Istio's own."""
    deploymentAnnotations: Annotations = {}
    """Annotations of the Deployment."""
    podLabels: Labels = {}
    """Labels of the pods, in addition to Istio's own."""
    serviceAccountAnnotations: Annotations = {}
    """Annotations of the service account."""
    sidecarInjectorWebhookAnnotations: Annotations = {}
    """Annotations of the injection webhooks."""
    enableProtocolSniffingForOutbound: bool = True
    """Whether sidecars detect the protocol of outbound traffic to ports that name none."""
    enableProtocolSniffingForInbound: bool = True
    """Whether sidecars detect the protocol of inbound traffic at ports that name none."""
    keepaliveMaxServerConnectionAge: str = Field(default="30m", pattern=r"^([0-9.]+(ns|us|ms|s|m|h))+$")
    """Maximum age of a connection between a proxy and istiod, such as `30m`; the proxy then reconnects, maybe to
    another pod."""
    configMap: bool = True
    """Whether the ConfigMap with the mesh configuration is installed."""
    cni: PilotCni = PilotCni()
    """The CNI plugin that redirects the traffic of pods."""
    taint: Taint = Taint()
    """istiod's removal of a taint from nodes whose CNI plugin is ready."""
    extraContainerArgs: tuple[str, ...] = ()
    """Additional arguments of istiod."""
    volumes: tuple[Volume, ...] = ()
    """Additional volumes of the pods."""
    volumeMounts: tuple[VolumeMount, ...] = ()
    """Additional volume mounts of istiod's container."""
    initContainers: tuple[Container, ...] = ()
    """Init containers of the pods."""
    seccompProfile: SeccompProfile = {}
    """Seccomp profile of istiod, such as `type: RuntimeDefault`."""
    topologySpreadConstraints: tuple[TopologySpreadConstraint, ...] = ()
    """How the pods are spread over nodes and zones."""
    jwksResolverExtraRootCA: str = ""
    """Root certificate (PEM) that istiod trusts when it fetches keys of token issuers."""
    ipFamilyPolicy: IpFamilyPolicy = ""
    """IP families of the Service, one or both; the default of Kubernetes if empty."""
    ipFamilies: IpFamilies = ()
    """IP families of the Service, in order of preference."""
    trafficDistribution: TrafficDistribution = ""
    """Preference for near pods of the Service, such as `PreferClose`; none if empty."""
    said_elsewhere = (*Workload.said_elsewhere, "trafficDistribution")
    trustedZtunnelNamespace: Name | None = None
    """Namespace of ztunnel, from which istiod accepts connections on behalf of pods; istiod's own if not set."""
    trustedZtunnelName: Name | None = None
    """Service account of ztunnel; `ztunnel` if not set."""
    crlConfigMapName: ObjectName = ""
    """ConfigMap with the certificate revocation list of a certificate authority of your own; none if empty."""


class DisruptionBudget(Documented):
    """The PodDisruptionBudget of istiod."""

    minAvailable: NumberOrPercentage | None = "1"
    """Pods that stay while nodes are drained; not used with `maxUnavailable`."""
    maxUnavailable: NumberOrPercentage | None = None
    """Pods that may be missing while nodes are drained."""
    unhealthyPodEvictionPolicy: Literal["", "IfHealthyBudget", "AlwaysAllow"] = ""
    """Whether pods that are not ready may be evicted at any time; the default of Kubernetes if empty."""

    @property
    def amount(self) -> dict[str, int | str]:
        """The one of the two limits that holds, as a field of the budget's spec."""
        name, text = (
            ("maxUnavailable", self.maxUnavailable) if self.maxUnavailable else ("minAvailable", self.minAvailable)
        )
        return {name: int(text) if text.isdigit() else text} if text else {}


class IstiodRemote(Documented):
    """Access to an istiod on another cluster, for a cluster without its own."""

    enabled: bool = False
    """Whether this cluster uses an istiod on another one. It then gets the injection webhook without istiod."""
    enabledLocalInjectorIstiod: bool = False
    """Whether this cluster also runs an istiod that only injects. The remote istiod, at `global.remotePilotAddress`,
    configures the proxies."""
    injectionURL: Url = ""
    """URL of the injection webhook, `https://…`; the Service `istiod` in Istio's namespace if empty."""
    injectionPath: WebhookPath = "/inject"
    """Path of the injection webhook at the Service `istiod`, such as `/inject/cluster/west/net/west`."""
    injectionCABundle: Base64 = ""
    """Certificates (PEM, in base64) with which the server of the injection webhook is verified; istiod's if empty."""


class Experimental(Documented):
    """Features that may change."""

    stableValidationPolicy: bool = False
    """Whether Istio's objects may use stable features only: a ValidatingAdmissionPolicy refuses the others."""
