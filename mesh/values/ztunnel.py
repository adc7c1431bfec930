"""Settings of ztunnel, the node proxy of ambient mode."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mesh.core.kubernetes import (
    Annotations,
    Labels,
    LabelValue,
    Name,
    PullPolicy,
    Resources,
    SELinuxOptions,
    Text,
    VariableName,
)
from mesh.core.kubernetes_types import DnsConfig, Volume, VolumeMount
from mesh.core.scheduling import Affinity, Toleration
from mesh.core.typed import Documented
from mesh.values.cni import EVERYWHERE, ResourceQuotas, RollingUpdate, UpdateStrategy
from mesh.values.workload import OwnImage, PodSettings, Variant

NAME = "ztunnel"


class CertificateRevocation(Documented):
    """Revocation of the certificates of a certificate authority of your own."""

    enabled: bool = False
    """Whether ztunnel reads the ConfigMap `istio-ca-crl` with the list of revoked certificates."""


class Ztunnel(OwnImage, PodSettings):
    """ztunnel, the node proxy of ambient mode: it gives pods without a sidecar mutual TLS."""

    enabled: bool = False
    """Whether it is installed."""
    namespace: Name | None = None
    """Namespace of its DaemonSet, such as `kube-system`; Istio's if not set."""
    resourceName: Name | None = None
    """Name of the DaemonSet and its account; `ztunnel` if not set. `pilot.trustedZtunnelName` must have it, too."""
    variant: Variant = ""
    """Variant of the image; `global.variant` if empty."""
    image: str = "ztunnel"
    """Name of the image in `hub`; with a slash, a full reference."""
    imagePullPolicy: PullPolicy = ""
    """Image pull policy; `global.imagePullPolicy` if empty."""
    logLevel: str = "info"
    """Log level, in the syntax of Rust's `RUST_LOG`, such as `info,access=warn`."""
    network: LabelValue = ""
    """Name of the network of this cluster's pods; `global.network` if empty."""
    caAddress: str = ""
    """`host:port` of the certificate authority; `global.caAddress` or else istiod if empty."""
    xdsAddress: str = ""
    """`host:port` of the control plane; istiod if empty."""
    labels: Labels = {}
    """Labels of the DaemonSet, its account and its quota."""
    annotations: Annotations = {}
    """Annotations of the same objects."""
    podLabels: Labels = {}
    """Labels of the pods, in addition to Istio's own."""
    podAnnotations: Annotations = {"prometheus.io/port": "15020", "prometheus.io/scrape": "true"}
    """Annotations of the pods."""
    resources: Resources = Resources(requests={"cpu": "200m", "memory": "512Mi"})
    """Resource requests and limits of the container."""
    resourceQuotas: ResourceQuotas = ResourceQuotas()
    """A quota that admits the pods."""
    env: dict[VariableName, Text] = {}
    """Environment variables of the container."""
    proxyMetadata: dict[VariableName, Text] = {}
    """Further environment variables: Istio's `ztunnel.meshConfig.defaultConfig.proxyMetadata`."""
    volumes: tuple[Volume, ...] = ()
    """Additional volumes of the pods."""
    volumeMounts: tuple[VolumeMount, ...] = ()
    """Additional volume mounts of the container."""
    nodeSelector: Labels = {}
    """Labels of the nodes on which the pods run."""
    affinity: Affinity | None = None
    """Affinity of the pods to nodes."""
    tolerations: tuple[Toleration, ...] = EVERYWHERE
    """Taints of nodes that the pods tolerate."""
    updateStrategy: UpdateStrategy = UpdateStrategy(rollingUpdate=RollingUpdate(maxSurge="1", maxUnavailable="0"))
    """How the pods are replaced."""
    terminationGracePeriodSeconds: int = Field(default=30, ge=1)
    """Seconds that a pod has to close its connections."""
    dnsPolicy: Literal["", "ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"] = ""
    """DNS policy of the pods; the default of Kubernetes if empty."""
    dnsConfig: DnsConfig = {}
    """DNS settings of the pods."""
    seLinuxOptions: SELinuxOptions = {}
    """SELinux options of the container."""
    peerCaCrl: CertificateRevocation = CertificateRevocation()
    """Revocation of the certificates of a certificate authority of your own."""

    @property
    def name(self) -> str:
        """Name of the DaemonSet and its account."""
        return self.resourceName or NAME
