"""What istiod and gateways have in common: both are Deployments that may be scaled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field, model_validator

from mesh.core.kubernetes import Affinity, Annotations, Labels, NumberOrPercentage, Resources, Text, Toleration
from mesh.core.typed import Documented


class Cpu(Documented):
    """At which load an autoscaler adds pods."""

    targetAverageUtilization: int = Field(default=80, ge=1)
    """Average CPU utilisation to keep, per cent of the request."""


class Workload(Documented):
    """A Deployment's size and place."""

    resources: Resources = Resources()
    """Requests and limits of the container."""
    autoscaleEnabled: bool = True
    """Whether an autoscaler chooses the number of pods."""
    autoscaleMin: int = Field(default=1, ge=1)
    """Fewest pods."""
    autoscaleMax: int = Field(default=5, ge=1)
    """Most pods."""
    cpu: Cpu = Cpu()
    """At which load pods are added."""
    replicaCount: int | None = Field(default=None, ge=0)
    """Number of pods without an autoscaler; Kubernetes' default, 1, if not set."""
    rollingMaxSurge: NumberOrPercentage = "100%"
    """How many new pods an update starts at once: a number or a percentage."""
    rollingMaxUnavailable: NumberOrPercentage = "25%"
    """How many old pods may be missing meanwhile."""
    env: dict[str, Text] = {}
    """Environment variables of the container."""
    podAnnotations: Annotations = {}
    """Annotations of the pods."""
    serviceAnnotations: Annotations = {}
    """Annotations of the Service."""
    nodeSelector: Labels = {}
    """Labels that a node must have."""
    tolerations: tuple[Toleration, ...] = ()
    """Taints of nodes that do not matter."""
    affinity: Affinity | None = None
    """Near what the pods should run."""

    @model_validator(mode="after")
    def _consistent(self) -> Workload:
        if problem := next(self._contradictions(), None):
            raise ValueError(problem)
        return self

    def _contradictions(self) -> Iterator[str]:
        if self.autoscaleMin > self.autoscaleMax:
            yield f"autoscaleMin {self.autoscaleMin} is more than autoscaleMax {self.autoscaleMax}"
        if {self.rollingMaxSurge.rstrip("%"), self.rollingMaxUnavailable.rstrip("%")} == {"0"}:
            yield "rollingMaxSurge and rollingMaxUnavailable are both 0: an update could not begin"

    @property
    def replicas(self) -> int | None:
        """Number of pods as an input; None where an autoscaler or Kubernetes chooses it."""
        return None if self.autoscaleEnabled else self.replicaCount

    @property
    def scheduling(self) -> dict[str, Any]:
        """Where the pods run, as arguments of PodSpecArgs with values in wire names."""
        affinity = self.affinity.model_dump(exclude_none=True) if self.affinity else None
        tolerations = [toleration.model_dump(exclude_none=True) for toleration in self.tolerations]
        return {"node_selector": self.nodeSelector or None, "tolerations": tolerations or None, "affinity": affinity}
