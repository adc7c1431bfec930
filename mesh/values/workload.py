"""Common settings of istiod and gateways: both are Deployments with an optional autoscaler."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field, model_validator

from mesh.core.kubernetes import Annotations, Labels, NumberOrPercentage, Resources, ResourcesOrNull, Text
from mesh.core.scheduling import Affinity, Toleration
from mesh.core.typed import Documented

Variant = Literal["", "debug", "distroless"]
"""A variant of Istio's images, which becomes the end of their tag."""
CniProvider = Literal["default", "multus"]
IpFamilyPolicy = Literal["", "SingleStack", "PreferDualStack", "RequireDualStack"]
IpFamilies = tuple[Literal["IPv4", "IPv6"], ...]


class Cpu(Documented):
    """CPU target of an autoscaler."""

    targetAverageUtilization: int = Field(default=80, ge=1)
    """Average CPU utilization of the pods that the autoscaler maintains, in percent of the request."""


class Workload(Documented):
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
    replicaCount: int | None = Field(default=None, ge=0)
    """Number of pods if `autoscaleEnabled` is false; 1 if not set."""
    rollingMaxSurge: NumberOrPercentage = "100%"
    """Maximum number or percentage of pods above the desired number during a rolling update."""
    rollingMaxUnavailable: NumberOrPercentage = "25%"
    """Maximum number or percentage of pods that may be unavailable during a rolling update."""
    env: dict[str, Text] = {}
    """Environment variables of the container."""
    podAnnotations: Annotations = {}
    """Annotations of the pods."""
    serviceAnnotations: Annotations = {}
    """Annotations of the Service."""
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
