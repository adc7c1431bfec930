"""Settings of Istio's CNI plugin, which runs on every node."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field, model_validator

from mesh.core.kubernetes import (
    Annotations,
    ConfigKey,
    Labels,
    Name,
    NumberOrPercentage,
    ObjectName,
    PullPolicy,
    Resources,
    SeccompProfile,
    SELinuxOptions,
    Text,
)
from mesh.core.names import MODE_LABEL
from mesh.core.scheduling import Affinity, PodSelector, Toleration
from mesh.core.typed import Documented
from mesh.values.proxy import ScopeLevels
from mesh.values.workload import CniProvider, OwnImage, PodSettings, Variant

EVERYWHERE: Final = (
    Toleration(effect="NoSchedule", operator="Exists"),
    Toleration(key="CriticalAddonsOnly", operator="Exists"),
    Toleration(effect="NoExecute", operator="Exists"),
)
"""The tolerations of pods that run on every node."""


class Repair(Documented):
    """Handling of pods that started before the CNI plugin was ready on their node."""

    enabled: bool = True
    """Whether a controller watches for such pods."""
    repairPods: bool = True
    """Whether the network of such pods is set up later, while they wait; then they are neither labelled nor deleted."""
    labelPods: bool = True
    """Whether such pods are labelled."""
    deletePods: bool = True
    """Whether such pods are deleted, so that their controllers replace them."""
    initContainerName: str = "istio-validation"
    """Name of the init container whose failure marks such a pod."""
    brokenPodLabelKey: str = "cni.istio.io/uninitialized"
    """Key of the label on such pods."""
    brokenPodLabelValue: str = "true"
    """Value of the label on such pods."""


class CniTaint(Documented):
    """Removal of the taint `NodeReadiness` from nodes on which the plugin's pods are ready, by a container beside the
    plugin. Whoever creates the nodes sets the taint."""

    enabled: bool = False
    """Whether the plugin's pods have this container."""


class CniLogging(Documented):
    """Logging of the CNI plugin."""

    level: ScopeLevels = ""
    """Log levels by scope; `global.logging.level` if empty."""


class RollingUpdate(Documented):
    """How fast the pods of a DaemonSet are replaced."""

    maxSurge: NumberOrPercentage | None = None
    """Number or percentage of nodes on which the new pod starts before the old one stops; 0 if not set."""
    maxUnavailable: NumberOrPercentage | None = "1"
    """Number or percentage of nodes that may be without a pod."""

    @model_validator(mode="after")
    def _consistent(self) -> RollingUpdate:
        amounts = [int((text or "0").rstrip("%")) for text in (self.maxSurge, self.maxUnavailable or "1")]
        if all(amounts) or not any(amounts):
            raise ValueError("exactly one of maxSurge and maxUnavailable must be 0, as Kubernetes requires")
        return self


class UpdateStrategy(Documented):
    """How the pods of a DaemonSet are replaced."""

    type: Literal["RollingUpdate", "OnDelete"] = "RollingUpdate"
    """`OnDelete`: only when somebody deletes the old ones."""
    rollingUpdate: RollingUpdate = RollingUpdate()
    """How fast, with `RollingUpdate`."""


class ResourceQuotas(Documented):
    """A quota that admits pods of priority class `system-node-critical`: some clusters require it outside
    `kube-system`."""

    enabled: bool = False
    """Whether the namespace of the pods has one."""
    pods: int = Field(default=5000, ge=0)
    """Number of pods that it admits."""


class EnablementSelector(Documented):
    """A selection of pods for ambient mode. Both conditions must hold."""

    podSelector: PodSelector | None = None
    """Labels of the pods; all pods if not set."""
    namespaceSelector: PodSelector | None = None
    """Labels of the namespaces of the pods; all namespaces if not set."""


class Ambient(Documented):
    """Ambient mode: the CNI plugin redirects the traffic of pods without a sidecar to ztunnel."""

    enabled: bool = False
    """Whether the plugin redirects this traffic."""
    enablementSelectors: tuple[EnablementSelector, ...] = (
        EnablementSelector.model_validate({"podSelector": {"matchLabels": {MODE_LABEL: "ambient"}}}),
        EnablementSelector.model_validate(
            {
                "podSelector": {"matchExpressions": [{"key": MODE_LABEL, "operator": "NotIn", "values": ["none"]}]},
                "namespaceSelector": {"matchLabels": {MODE_LABEL: "ambient"}},
            }
        ),
    )
    """Pods in ambient mode: those that match any of these selectors."""
    dnsCapture: bool = True
    """Whether ztunnel answers the DNS queries of the pods."""
    ipv6: bool = True
    """Whether IPv6 traffic is redirected, too."""
    reconcileIptablesOnStartup: bool = True
    """Whether a starting plugin replaces rules of other versions in the networks of running pods."""
    shareHostNetworkNamespace: bool = False
    """Whether the plugin runs in the network of its node."""
    enableAmbientDetectionRetry: bool = False
    """Whether the plugin tries again if it could not find out whether a pod is in ambient mode."""


class Cni(OwnImage, PodSettings):
    """Istio's CNI plugin, which redirects the traffic of pods instead of a privileged init container in each pod."""

    enabled: bool = False
    """Whether the plugin is installed and used."""
    namespace: Name | None = None
    """Namespace of the plugin's DaemonSet, such as `kube-system`; Istio's if not set."""
    image: str = "install-cni"
    """Name of the image in `hub`; with a slash, a full reference."""
    variant: Variant = ""
    """Variant of the image; `global.variant` if empty."""
    pullPolicy: PullPolicy = ""
    """Image pull policy; `global.imagePullPolicy` if empty."""
    logLevel: str = "info"
    """Log level of the plugin."""
    logging: CniLogging = CniLogging()
    """Logging of the plugin."""
    cniBinDir: str = "/opt/cni/bin"
    """Directory of the CNI plugins on a node."""
    cniConfDir: str = "/etc/cni/net.d"
    """Directory of the CNI configuration on a node."""
    cniConfFileName: str = ""
    """Name of the CNI configuration file to edit or write; the first one in the directory if empty."""
    cniNetnsDir: str = "/var/run/netns"
    """Directory of the network namespaces on a node."""
    istioOwnedCNIConfig: bool = False
    """Whether the plugin writes a configuration file of its own instead of editing that of another plugin."""
    istioOwnedCNIConfigFileName: str = ""
    """Name of that file; `02-istio-cni.conflist` if empty."""
    chained: bool = True
    """Whether the plugin is added to the chain of an existing configuration file; otherwise it gets its own file."""
    provider: CniProvider = "default"
    """What calls the plugin: `multus` needs a NetworkAttachmentDefinition, which is installed in `default`."""
    excludeNamespaces: tuple[Name, ...] = ("istio-system",)
    """Namespaces whose pods the plugin ignores."""
    podAnnotations: Annotations = {}
    """Annotations of the pods."""
    podLabels: Labels = {}
    """Labels of the pods, in addition to Istio's own."""
    daemonSetLabels: Labels = {}
    """Labels of the DaemonSet, in addition to Istio's own."""
    resources: Resources = Resources()
    """Resource requests and limits of the containers."""
    resourceQuotas: ResourceQuotas = ResourceQuotas()
    """A quota that admits the pods."""
    affinity: Affinity | None = None
    """Affinity of the pods to nodes."""
    nodeSelector: Labels = {}
    """Labels of the nodes on which the pods run, besides that of Linux."""
    tolerations: tuple[Toleration, ...] = EVERYWHERE
    """Taints of nodes that the pods tolerate."""
    updateStrategy: UpdateStrategy = UpdateStrategy()
    """How the pods are replaced."""
    terminationGracePeriodSeconds: int = Field(default=30, ge=0)
    """Seconds that a pod has to stop."""
    seccompProfile: SeccompProfile = {}
    """Seccomp profile of the container, such as `type: RuntimeDefault`."""
    seLinuxOptions: SELinuxOptions = {}
    """SELinux options of the container; without a `type` it is `spc_t`."""
    useAppArmorAnnotation: bool = True
    """Whether AppArmor is switched off by an annotation, for Kubernetes before 1.30, or by a field of the container."""
    env: dict[ConfigKey, Text] = {}
    """Environment variables of the plugin."""
    psp_cluster_role: ObjectName = ""
    """Name of a ClusterRole to bind to the plugin's service account, such as one that may use a PodSecurityPolicy."""
    ambient: Ambient = Ambient()
    """Ambient mode: the plugin redirects the traffic of pods without a sidecar to ztunnel."""
    taint: CniTaint = CniTaint()
    """Removal of a taint from nodes on which the plugin is ready."""
    repair: Repair = Repair()
    """Handling of pods that started before the plugin was ready on their node."""
