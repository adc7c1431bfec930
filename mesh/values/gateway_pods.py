"""Settings of a gateway's pods and of its account."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from mesh.core.kubernetes import Annotations, Key, LabelValue, Name, Text
from mesh.core.kubernetes_types import (
    Container,
    Lifecycle,
    SecurityContext,
    TopologySpreadConstraint,
    Volume,
    VolumeMount,
)
from mesh.core.typed import Documented
from mesh.values.workload import OwnImage, Tag, Workload


class SecretVolume(Documented):
    """A volume with the files of a Secret, which need not exist."""

    name: Name
    """Name of the volume."""
    secretName: str
    """Name of the Secret, in the gateway's namespace."""
    mountPath: str
    """Path in the proxy's container at which the volume is mounted."""


class ConfigVolume(Documented):
    """A volume with the files of a ConfigMap, which need not exist."""

    name: Name
    """Name of the volume."""
    configMapName: str
    """Name of the ConfigMap, in the gateway's namespace."""
    mountPath: str = ""
    """Path in the proxy's container at which the volume is mounted; not mounted if empty."""


class AntiAffinity(Documented):
    """Pods near which the gateway's pods do not run, in Istio's short form."""

    key: Key
    """Key of a label of those pods."""
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    """How its value is compared with `values`."""
    values: Text = ""
    """Values of the comparison, separated by commas; none with `Exists` and `DoesNotExist`."""
    namespaces: Text = ""
    """Namespaces of those pods, separated by commas; the gateway's own if empty."""
    topologyKey: Key
    """Label of nodes; those with the same value count as near."""

    @property
    def term(self) -> dict[str, Any]:
        """The same as a pod affinity term."""
        condition: dict[str, Any] = {"key": self.key, "operator": self.operator}
        if self.values:
            condition["values"] = self.values.split(",")
        where = {"namespaces": self.namespaces.split(",")} if self.namespaces else {}
        return {"labelSelector": {"matchExpressions": [condition]}, **where, "topologyKey": self.topologyKey}


class ServiceAccount(Documented):
    """The service account of a gateway."""

    create: bool = True
    """Whether it is installed; otherwise it must exist already."""
    name: Name | None = None
    """Name of the account. If not set, it is the gateway's, with `-service-account` unless `chart` is `gateway`, or
    `default` if it is not installed."""
    annotations: Annotations = {}
    """Annotations of the service account."""


class Rbac(Documented):
    """The role by which a gateway reads Secrets with certificates."""

    enabled: bool = True
    """Whether it is installed and granted."""


class GatewayPods(Workload):
    """Settings of a gateway's pods."""

    tag: Tag = ""
    """Tag of the proxy's image; the stack's `tag` if empty."""
    secretVolumes: tuple[SecretVolume, ...] = ()
    """Secrets to mount into the proxy's container. Release 1.10 merges them by name with those of the profile; with
    1.30, as in Istio's own charts, the list replaces that of the profile."""
    configVolumes: tuple[ConfigVolume, ...] = ()
    """ConfigMaps to mount into the proxy's container."""
    volumes: tuple[Volume, ...] = ()
    """Further volumes of the pods."""
    volumeMounts: tuple[VolumeMount, ...] = ()
    """Further volume mounts of the proxy's container."""
    initContainers: tuple[Container, ...] = ()
    """Init containers of the pods."""
    additionalContainers: tuple[Container, ...] = ()
    """Further containers of the pods."""
    containerSecurityContext: SecurityContext = {}
    """Security context of the proxy's container, in place of the default, which has no privileges."""
    lifecycle: Lifecycle = {}
    """Lifecycle hooks of the proxy's container, after its start and before its end."""
    podAntiAffinityLabelSelector: tuple[AntiAffinity, ...] = ()
    """Pods near which the gateway's pods must not run."""
    podAntiAffinityTermLabelSelector: tuple[AntiAffinity, ...] = ()
    """Pods near which the gateway's pods should not run."""
    topologySpreadConstraints: tuple[TopologySpreadConstraint, ...] = ()
    """How the pods are spread over nodes and zones."""
    terminationGracePeriodSeconds: int | None = Field(default=None, ge=0)
    """Seconds that a pod has to stop; 30, the default of Kubernetes, if not set."""
    minReadySeconds: int | None = Field(default=None, ge=0)
    """Seconds for which a new pod must be ready before it counts; none if not set."""
    injectionTemplate: str = ""
    """Name of the injection template, such as `gateway`, that makes the proxy when a pod is created. If empty, the
    proxy is in the Deployment."""
    networkGateway: LabelValue = ""
    """Network to which the gateway leads traffic from other networks; none if empty."""

    @property
    def own_image(self) -> OwnImage:
        """Where the proxy's image comes from."""
        return OwnImage(tag=self.tag)

    @property
    def anti_affinity(self) -> dict[str, Any]:
        """The two lists of pods to keep away from, as an affinity; empty if there are none."""
        required = [one.term for one in self.podAntiAffinityLabelSelector]
        preferred = [{"podAffinityTerm": one.term, "weight": 100} for one in self.podAntiAffinityTermLabelSelector]
        rules = {
            **({"requiredDuringSchedulingIgnoredDuringExecution": required} if required else {}),
            **({"preferredDuringSchedulingIgnoredDuringExecution": preferred} if preferred else {}),
        }
        return {"podAntiAffinity": rules} if rules else {}
