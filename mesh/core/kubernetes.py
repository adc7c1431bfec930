"""Kubernetes types in the config: names, labels, quantities, resources, tolerations and affinity.

They are validated as Kubernetes validates them.
"""

from __future__ import annotations

import re
from decimal import Decimal
from ipaddress import ip_network
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from mesh.core import quantities
from mesh.core.errors import show
from mesh.core.typed import Deciding, Documented


def _quantity(value: str) -> str:
    try:
        amount = quantities.parse(value)
    except ValueError:
        raise ValueError(f'{show(value)} is not a quantity: write it like "100m", "2" or "128Mi"') from None
    if amount < 0:
        raise ValueError(f"{show(value)} is less than zero")
    return value


def _is_whole(amount: Decimal) -> bool:
    return amount == amount.to_integral_value()


def _size(value: str) -> str:
    amount = quantities.parse(value)
    if amount <= 0 or not _is_whole(amount):
        raise ValueError(f'{show(value)} is not a size: write it like "20Gi"')
    return value


def _number_or_percentage(value: str) -> str:
    if not re.fullmatch(r"[0-9]+%?", value):
        raise ValueError(f'{show(value)} is not a number of pods or a percentage: write it like "1" or "25%"')
    return value


def _number_as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _scalar_as_text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else _number_as_text(value)


def _cidr(value: str) -> str:
    try:
        ip_network(value)
    except ValueError:
        raise ValueError(f'{show(value)} is not a range of addresses: write it like "10.0.0.0/8"') from None
    return value


_WORD = r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
_SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_RESOURCES = ("cpu", "memory", "ephemeral-storage")


def _domain(value: str) -> str:
    if len(value) > 253 or not re.fullmatch(_SUBDOMAIN, value):
        raise ValueError(f'{show(value)} is not a DNS name: write it like "cluster.local"')
    return value


def _object_name(value: str) -> str:
    if value and (len(value) > 253 or not re.fullmatch(_SUBDOMAIN, value)):
        raise ValueError(f"{show(value)} is not an object's name: small letters, digits, - and ., 253 at most")
    return value


def _service_name(value: str) -> str:
    if len(value) > 63 or not re.fullmatch("[a-z]([-a-z0-9]*[a-z0-9])?", value):
        raise ValueError(
            f"{show(value)} is not a Service's name: small letters, digits and -, a letter first, 63 at most"
        )
    return value


def _key(value: str) -> str:
    if not re.fullmatch(f"({_SUBDOMAIN}/)?{_WORD}", value):
        raise ValueError(f'{show(value)} is not a key: write it like "team" or "example.com/team"')
    return value


def _label(value: str) -> str:
    if value and not re.fullmatch(_WORD, value):
        raise ValueError(f"{show(value)} is not a label's value: 63 letters, digits, -, _ and . at most")
    return value


def _resource(value: str) -> str:
    if value not in _RESOURCES and not value.startswith("hugepages-") and "/" not in value:
        raise ValueError(f"{show(value)} is not one of {', '.join(_RESOURCES)}, hugepages-…, or like example.com/gpu")
    return value if value.startswith("hugepages-") else _key(value)


def _url(value: str) -> str:
    if value and not re.fullmatch(r"https://[^/?#@\s]+(/[^?#\s]*)?", value):
        raise ValueError(f'{show(value)} is not a URL: write it like "https://istiod.example.com:15017/inject"')
    return value


Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63), Deciding]
"""An RFC 1123 label, such as the name of a namespace."""
ServiceName = Annotated[str, AfterValidator(_service_name), Deciding]
"""A Service's name: an RFC 1035 label."""
ObjectName = Annotated[str, AfterValidator(_object_name)]
"""The name of most kinds of objects: an RFC 1123 subdomain. May be empty."""
Domain = Annotated[str, AfterValidator(_domain), Deciding]
"""A DNS domain, without a trailing dot."""
PortNumber = Annotated[int, Field(ge=1, le=65535)]
Quantity = Annotated[str, BeforeValidator(_number_as_text), AfterValidator(_quantity), Deciding]
Size = Annotated[Quantity, AfterValidator(_size)]
"""A number of bytes, such as `20Gi`."""
NumberOrPercentage = Annotated[str, BeforeValidator(_number_as_text), AfterValidator(_number_or_percentage), Deciding]
"""A number of pods or a percentage, such as `1` or `25%`."""
Text = Annotated[str, BeforeValidator(_scalar_as_text)]
"""A string. Numbers and booleans without quotes in YAML are taken as strings."""
Key = Annotated[str, AfterValidator(_key)]
Labels = dict[Key, Annotated[str, BeforeValidator(_scalar_as_text), AfterValidator(_label)]]
Annotations = dict[Key, Text]
Url = Annotated[str, AfterValidator(_url)]
"""An https URL without a query, as in the client config of a webhook. May be empty."""
Cidr = Annotated[str, AfterValidator(_cidr)]
"""An IP range in CIDR notation."""
Resource = Annotated[str, AfterValidator(_resource)]
PullPolicy = Literal["", "Always", "IfNotPresent", "Never"]
ServiceType = Literal["LoadBalancer", "NodePort", "ClusterIP"]


class Resources(Documented):
    """Resource requests and limits of a container."""

    requests: dict[Resource, Quantity] = {}
    """Amounts that the scheduler reserves, by resource, such as `cpu: 100m` and `memory: 128Mi`."""
    limits: dict[Resource, Quantity] = {}
    """Maximum amounts, by resource."""

    @property
    def amounts(self) -> dict[str, dict[str, str]]:
        """`requests` and `limits` as fields of a container; empty ones are left out."""
        fields: dict[str, dict[str, str]] = {"requests": dict(self.requests), "limits": dict(self.limits)}
        return {name: value for name, value in fields.items() if value}

    @model_validator(mode="after")
    def _consistent(self) -> Resources:
        for name, most in self.limits.items():
            if name in self.requests and quantities.parse(self.requests[name]) > quantities.parse(most):
                raise ValueError(f"requests {self.requests[name]} of {name}, more than the limit {most}")
        for name in {*self.requests, *self.limits} - set(_RESOURCES):
            # Kubernetes does not overcommit such resources: a request must equal its limit.
            asked = {self.requests.get(name, self.limits.get(name)), self.limits.get(name)}
            if len(asked) > 1 or any(value is None or not _is_whole(quantities.parse(value)) for value in asked):
                raise ValueError(f"{name} takes a whole number as its limit, and no other as its request")
        return self


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
    """Nodes on which pods run preferably."""


class PodAffinityTerm(Documented):
    """Pods, and the topology domain (node, zone, …) that counts as near them."""

    topologyKey: Key
    """Label of nodes; those with the same value are one topology domain. With `kubernetes.io/hostname` each node is
    one."""
    labelSelector: PodSelector | None = None
    """Labels of the pods; no pods if not set."""
    namespaces: tuple[Name, ...] | None = None
    """Namespaces of the pods; together with those of `namespaceSelector`. The own namespace if neither is set."""
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
