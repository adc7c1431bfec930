"""Common settings of istiod and gateways: both are Deployments with an optional autoscaler."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from mesh.core import errors
from mesh.core.kubernetes import (
    Annotations,
    Labels,
    NumberOrPercentage,
    ObjectName,
    PullPolicy,
    Resources,
    ResourcesOrNull,
    Text,
    VariableName,
)
from mesh.core.kubernetes_types import (
    AutoscalerBehavior,
    AutoscalerSpec,
    BudgetSpec,
    EnvVar,
    PodSecurityContext,
    Probe,
    ServiceSpec,
    Strategy,
)
from mesh.core.scheduling import Affinity, Toleration
from mesh.core.typed import Documented

Variant = Literal["", "debug", "distroless"]
"""A variant of Istio's images, which becomes the end of their tag."""
CniProvider = Literal["default", "multus"]
IpFamilyPolicy = Literal["", "SingleStack", "PreferDualStack", "RequireDualStack"]
IpFamilies = tuple[Literal["IPv4", "IPv6"], ...]


def _without_slash(value: str) -> str:
    if value.endswith("/"):
        raise ValueError(f"{errors.show(value)}: a registry and a path, without a trailing slash")
    return value


def without_digest(value: str) -> str:
    """The tag. Raises ValueError if it has a digest."""
    if "@" in value:
        raise ValueError(f"{errors.show(value)}: each image has a digest of its own; put them into images")
    return value


Hub = Annotated[str, AfterValidator(_without_slash)]
"""Registry and path of images."""
Tag = Annotated[Text, AfterValidator(without_digest)]
"""Tag of images."""


class OwnImage(Documented):
    """Registry and tag of one component's image, if they differ from those of Istio's other images."""

    hub: Hub = ""
    """Registry and path of this component's image; the stack's `hub` if empty."""
    tag: Tag = ""
    """Tag of this component's image; the stack's `tag` if empty."""


AS_ALL: Final = OwnImage()
"""No difference from Istio's other images."""


class Cpu(Documented):
    """CPU target of an autoscaler."""

    targetAverageUtilization: int = Field(default=80, ge=1)
    """Average CPU utilization of the pods that the autoscaler maintains, in percent of the request."""


class Memory(Documented):
    """Memory target of an autoscaler."""

    targetAverageUtilization: int | None = Field(default=None, ge=1)
    """Average memory utilization that the autoscaler maintains, in percent of the request; none if not set."""


class PodSettings(Documented):
    """Settings of pods and of their main container, as Kubernetes has them."""

    envVarFrom: tuple[EnvVar, ...] = ()
    """Environment variables with a source, such as a key of a Secret: entries of a container's `env`."""
    priorityClassName: ObjectName = ""
    """Priority class of the pods; that of all of Istio's pods if empty."""
    securityContext: PodSecurityContext = {}
    """Fields of the pods' security context, besides or in place of Istio's own."""
    readinessProbe: Probe = {}
    """Fields of the readiness probe, besides or in place of Istio's own, such as `periodSeconds`."""


class Workload(PodSettings):
    """Scaling, scheduling and metadata of a Deployment."""

    resources: ResourcesOrNull = Resources()
    """Resource requests and limits of the container; null for `global.defaultResources`."""
    autoscaleEnabled: bool = True
    """Whether a HorizontalPodAutoscaler sets the number of pods."""
    autoscaleMin: int = Field(default=1, ge=1)
    """Minimum number of pods of the autoscaler."""
    autoscaleMax: int = Field(default=5, ge=1)
    """Maximum number of pods of the autoscaler."""
    cpu: Cpu = Cpu()
    """CPU target of the autoscaler."""
    memory: Memory = Memory()
    """Memory target of the autoscaler."""
    autoscaleBehavior: AutoscalerBehavior = {}
    """How fast the autoscaler scales: its field `behavior`; the defaults of Kubernetes if empty."""
    hpaSpec: AutoscalerSpec = {}
    """Fields of the autoscaler's spec, in place of those that follow from the settings above, such as `metrics`."""
    replicaCount: int | None = Field(default=None, ge=0)
    """Number of pods if `autoscaleEnabled` is false; 1 if not set."""
    rollingMaxSurge: NumberOrPercentage = "100%"
    """Maximum number or percentage of pods above the desired number during a rolling update."""
    rollingMaxUnavailable: NumberOrPercentage = "25%"
    """Maximum number or percentage of pods that may be unavailable during a rolling update."""
    strategy: Strategy = {}
    """Fields of the Deployment's update strategy, in place of those that follow from the settings above, such as
    `type: Recreate`."""
    podDisruptionBudget: BudgetSpec = {}
    """Fields of the PodDisruptionBudget's spec, if there is one. `minAvailable` replaces `maxUnavailable`, and the
    other way round."""
    imagePullPolicy: PullPolicy = ""
    """Image pull policy; `global.imagePullPolicy` if empty."""
    env: dict[VariableName, Text] = {}
    """Environment variables of the container."""
    podAnnotations: Annotations = {}
    """Annotations of the pods."""
    serviceAnnotations: Annotations = {}
    """Annotations of the Service."""
    service: ServiceSpec = {}
    """Further fields of the Service's spec, such as `externalIPs` and `sessionAffinity`."""
    nodeSelector: Labels = {}
    """Labels of the nodes on which the pods may run."""
    tolerations: tuple[Toleration, ...] = ()
    """Taints of nodes that the pods tolerate."""
    affinity: Affinity | None = None
    """Affinity of the pods to nodes and to other pods."""

    @model_validator(mode="after")
    def _consistent(self) -> Workload:
        if problem := next(self._contradictions(), None):
            raise ValueError(problem)
        return self

    def _contradictions(self) -> Iterator[str]:
        if self.autoscaleMin > self.autoscaleMax:
            yield f"autoscaleMin {self.autoscaleMin} is more than autoscaleMax {self.autoscaleMax}"
        if {self.rollingMaxSurge.rstrip("%"), self.rollingMaxUnavailable.rstrip("%")} == {"0"}:
            yield "rollingMaxSurge and rollingMaxUnavailable are both 0: a rolling update could not start"
        for name in self.service.keys() & self.said_elsewhere:
            yield f"service has {name}, which is a setting of its own: set {name} beside service"

    said_elsewhere: ClassVar[Collection[str]] = ("ipFamilyPolicy", "ipFamilies")
    """Fields of the Service's spec that are settings of their own."""

    @property
    def wants_budget(self) -> bool | None:
        """Whether it gets a disruption budget; None if `global.defaultPodDisruptionBudget` decides."""
        return None

    @property
    def replicas(self) -> int | None:
        """`spec.replicas` of the Deployment; None if the autoscaler or Kubernetes sets it."""
        return None if self.autoscaleEnabled else self.replicaCount

    @property
    def scheduling(self) -> dict[str, Any]:
        """Node selector, tolerations and affinity, as fields of a pod spec; empty ones are left out."""
        fields = {
            "nodeSelector": self.nodeSelector,
            "tolerations": [toleration.model_dump(exclude_none=True) for toleration in self.tolerations],
            "affinity": self.affinity.model_dump(exclude_none=True) if self.affinity else None,
        }
        return {name: value for name, value in fields.items() if value}
