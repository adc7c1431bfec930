"""Where pods may run, in the config: tolerations and affinity. They are validated as Kubernetes validates them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mesh.core.kubernetes import Key, Labels, Name, Text
from mesh.core.typed import Documented


class Toleration(Documented):
    """A toleration: pods may run on nodes with a matching taint."""

    key: Key | None = None
    """Key of the taint; any key if not set."""
    operator: Literal["Exists", "Equal"] | None = None
    """`Equal`: the taint's value must be `value`. `Exists`: the value does not matter. `Equal` if not set."""
    value: str | None = None
    """Value of the taint, with `Equal`."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """Effect of the taint; any effect if not set."""
    tolerationSeconds: int | None = None
    """With `NoExecute`: seconds that a running pod stays on a node with the taint; forever if not set."""


class SelectorRequirement(Documented):
    """A condition on a label, or on a field of a node."""

    key: Key
    """Key of the label, or name of the field."""
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]
    """How the value is compared with `values`. `Gt` and `Lt` are for nodes only."""
    values: tuple[Text, ...] | None = None
    """Values of the comparison; none with `Exists` and `DoesNotExist`, one number with `Gt` and `Lt`."""


class PodSelector(Documented):
    """A label selector of pods or namespaces. All conditions must hold."""

    matchLabels: Labels | None = None
    """Labels with the values that they must have."""
    matchExpressions: tuple[SelectorRequirement, ...] | None = None
    """Further conditions on labels."""


class NodeSelectorTerm(Documented):
    """A selector of nodes. All conditions must hold."""

    matchExpressions: tuple[SelectorRequirement, ...] | None = None
    """Conditions on the labels of the node."""
    matchFields: tuple[SelectorRequirement, ...] | None = None
    """Conditions on fields of the node, such as `metadata.name`."""


class PreferredSchedulingTerm(Documented):
    """Preferred nodes, with a weight."""

    weight: int = Field(ge=1, le=100)
    """Weight of the preference, from 1 to 100."""
    preference: NodeSelectorTerm
    """Selector of the preferred nodes."""


class NodeSelector(Documented):
    """A selector of nodes that match at least one term."""

    nodeSelectorTerms: tuple[NodeSelectorTerm, ...]
    """Terms, of which a node must match at least one."""


class NodeAffinity(Documented):
    """Rules for the nodes on which pods run."""

    requiredDuringSchedulingIgnoredDuringExecution: NodeSelector | None = None
    """Nodes on which pods may run. Pods stay where they are if labels change later."""
    preferredDuringSchedulingIgnoredDuringExecution: tuple[PreferredSchedulingTerm, ...] | None = None
    """Nodes on which pods preferably run."""


class PodAffinityTerm(Documented):
    """Pods, and the topology domain (node, zone, …) that counts as near them."""

    topologyKey: Key
    """Label of nodes; those with the same value are one topology domain. With `kubernetes.io/hostname` each node is
    one."""
    labelSelector: PodSelector | None = None
    """Labels of the pods; no pods if not set."""
    namespaces: tuple[Name, ...] | None = None
    """Namespaces of the pods; together with those of `namespaceSelector`. The pod's own namespace if neither is set."""
    namespaceSelector: PodSelector | None = None
    """Labels of the namespaces of the pods."""


class WeightedPodAffinityTerm(Documented):
    """A preferred pod affinity term, with its weight."""

    weight: int = Field(ge=1, le=100)
    """Weight of the preference, from 1 to 100."""
    podAffinityTerm: PodAffinityTerm
    """The pods and the topology domain."""


class PodAffinity(Documented):
    """Rules relative to other pods: required and preferred ones."""

    requiredDuringSchedulingIgnoredDuringExecution: tuple[PodAffinityTerm, ...] | None = None
    """Terms that must hold when a pod is scheduled."""
    preferredDuringSchedulingIgnoredDuringExecution: tuple[WeightedPodAffinityTerm, ...] | None = None
    """Terms that should hold when a pod is scheduled."""


class Affinity(Documented):
    """Affinity of pods to nodes and to other pods."""

    nodeAffinity: NodeAffinity | None = None
    """Rules for the nodes on which the pods run."""
    podAffinity: PodAffinity | None = None
    """Pods in whose topology domain the pods run."""
    podAntiAffinity: PodAffinity | None = None
    """Pods in whose topology domain the pods do not run."""
