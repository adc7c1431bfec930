"""What settings take over from Kubernetes: names, quantities, and where pods may run, in Kubernetes' own words."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from components.errors import show
from components.typed import Documented

_QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?([numkMGTPE]|[KMGTPE]i)?")


def _quantity(value: str) -> str:
    if not _QUANTITY.fullmatch(value):
        raise ValueError(f'{show(value)} is not a quantity: write it like "100m", "2" or "128Mi"')
    return value


def _number_as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _scalar_as_text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else _number_as_text(value)


def _range(value: str) -> str:
    try:
        ip_network(value)
    except ValueError:
        raise ValueError(f'{show(value)} is not a range of addresses: write it like "10.0.0.0/8"') from None
    return value


# RFC 1123 label, the form of the names of namespaces and Services.
Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
PortNumber = Annotated[int, Field(ge=1, le=65535)]
Quantity = Annotated[str, BeforeValidator(_number_as_text), AfterValidator(_quantity)]
Text = Annotated[str, BeforeValidator(_scalar_as_text)]
"""A string, also where a number, true or false was written without quotes."""
Range = Annotated[str, AfterValidator(_range)]
"""A range of addresses in CIDR notation."""
PullPolicy = Literal["", "Always", "IfNotPresent", "Never"]
ServiceType = Literal["LoadBalancer", "NodePort", "ClusterIP"]


class Resources(Documented):
    """Amounts of CPU and memory."""

    requests: dict[str, Quantity] = {}
    """What a node must have free, by resource: `cpu`, `memory`."""
    limits: dict[str, Quantity] = {}
    """What a container may take at most, by resource."""


class Toleration(Documented):
    """A taint of nodes that pods put up with."""

    key: str | None = None
    """The taint's key; any if not set."""
    operator: Literal["Exists", "Equal"] | None = None
    """Whether the value counts; `Equal` if not set."""
    value: str | None = None
    """The taint's value, for `Equal`."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """The taint's effect; any if not set."""
    tolerationSeconds: int | None = None
    """For `NoExecute`: how long a running pod stays."""


class Requirement(Documented):
    """A condition on one label."""

    key: str
    """The label."""
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]
    """How its value is compared; `Gt` and `Lt` for labels of nodes only."""
    values: tuple[Text, ...] | None = None
    """What it is compared with."""


class PodSelector(Documented):
    """Pods, or namespaces, by their labels; all conditions must hold."""

    matchLabels: dict[str, str] | None = None
    """Labels and their values."""
    matchExpressions: tuple[Requirement, ...] | None = None
    """Further conditions."""


class NodeTerm(Documented):
    """Nodes for which all conditions hold."""

    matchExpressions: tuple[Requirement, ...] | None = None
    """Conditions on the node's labels."""
    matchFields: tuple[Requirement, ...] | None = None
    """Conditions on the node's fields, such as `metadata.name`."""


class PreferredNodes(Documented):
    """Nodes that are better than others."""

    weight: int = Field(ge=1, le=100)
    """How much better."""
    preference: NodeTerm
    """Which nodes."""


class NodeSelector(Documented):
    """Nodes to which one of the terms applies."""

    nodeSelectorTerms: tuple[NodeTerm, ...]
    """The terms."""


class NodeAffinity(Documented):
    """Which nodes are right."""

    requiredDuringSchedulingIgnoredDuringExecution: NodeSelector | None = None
    """Pods run only there."""
    preferredDuringSchedulingIgnoredDuringExecution: tuple[PreferredNodes, ...] | None = None
    """Pods rather run there."""


class PodTerm(Documented):
    """A neighbourhood: nodes with one value of a label, on one of which certain pods run."""

    topologyKey: str
    """The nodes' label, such as `kubernetes.io/hostname`."""
    labelSelector: PodSelector | None = None
    """Which pods."""
    namespaces: tuple[str, ...] | None = None
    """Their namespaces; the pod's own if not set."""
    namespaceSelector: PodSelector | None = None
    """Their namespaces by label."""


class PreferredPods(Documented):
    """Neighbourhoods that are better than others."""

    weight: int = Field(ge=1, le=100)
    """How much better."""
    podAffinityTerm: PodTerm
    """Which."""


class PodAffinity(Documented):
    """Near which pods, or far from which."""

    requiredDuringSchedulingIgnoredDuringExecution: tuple[PodTerm, ...] | None = None
    """Must be so."""
    preferredDuringSchedulingIgnoredDuringExecution: tuple[PreferredPods, ...] | None = None
    """Should be so."""


class Affinity(Documented):
    """Where pods run."""

    nodeAffinity: NodeAffinity | None = None
    """On which nodes."""
    podAffinity: PodAffinity | None = None
    """Near which pods."""
    podAntiAffinity: PodAffinity | None = None
    """Far from which pods."""
