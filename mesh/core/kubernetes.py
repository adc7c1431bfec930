"""What settings take over from Kubernetes: names, quantities, and where pods may run, in Kubernetes' own words."""

from __future__ import annotations

import re
from decimal import Decimal
from ipaddress import ip_network
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from mesh.core import quantities
from mesh.core.errors import show
from mesh.core.typed import Documented


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


# RFC 1123 label, the form of the names of namespaces.
Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
ServiceName = Annotated[str, AfterValidator(_service_name)]
"""RFC 1035 label, the form of the names of Services."""
ObjectName = Annotated[str, AfterValidator(_object_name)]
"""RFC 1123 subdomain, the form of the names of most objects; or empty."""
Domain = Annotated[str, AfterValidator(_domain)]
"""A DNS domain, without a dot at its end."""
PortNumber = Annotated[int, Field(ge=1, le=65535)]
Quantity = Annotated[str, BeforeValidator(_number_as_text), AfterValidator(_quantity)]
Size = Annotated[Quantity, AfterValidator(_size)]
"""An amount of bytes."""
NumberOrPercentage = Annotated[str, BeforeValidator(_number_as_text), AfterValidator(_number_or_percentage)]
"""A number of pods, or a percentage of them."""
Text = Annotated[str, BeforeValidator(_scalar_as_text)]
"""A string, also where a number, true or false was written without quotes."""
Key = Annotated[str, AfterValidator(_key)]
Labels = dict[Key, Annotated[str, BeforeValidator(_scalar_as_text), AfterValidator(_label)]]
Annotations = dict[Key, Text]
Url = Annotated[str, AfterValidator(_url)]
"""An https URL without a query, as webhooks take it; or empty."""
Cidr = Annotated[str, AfterValidator(_cidr)]
"""A range of addresses in CIDR notation."""
Resource = Annotated[str, AfterValidator(_resource)]
PullPolicy = Literal["", "Always", "IfNotPresent", "Never"]
ServiceType = Literal["LoadBalancer", "NodePort", "ClusterIP"]


class Resources(Documented):
    """Amounts of CPU and memory."""

    requests: dict[Resource, Quantity] = {}
    """What a node must have free, by resource: `cpu`, `memory`."""
    limits: dict[Resource, Quantity] = {}
    """What a container may take at most, by resource."""

    @model_validator(mode="after")
    def _consistent(self) -> Resources:
        for name, most in self.limits.items():
            if name in self.requests and quantities.parse(self.requests[name]) > quantities.parse(most):
                raise ValueError(f"requests {self.requests[name]} of {name}, more than the limit {most}")
        for name in {*self.requests, *self.limits} - set(_RESOURCES):
            # Kubernetes does not share out such resources: a device is a container's own, and whole.
            asked = {self.requests.get(name, self.limits.get(name)), self.limits.get(name)}
            if len(asked) > 1 or any(value is None or not _is_whole(quantities.parse(value)) for value in asked):
                raise ValueError(f"{name} takes a whole number as its limit, and no other as its request")
        return self


class Toleration(Documented):
    """A taint of nodes that pods put up with."""

    key: Key | None = None
    """The taint's key; any if not set."""
    operator: Literal["Exists", "Equal"] | None = None
    """Whether the value counts; `Equal` if not set."""
    value: str | None = None
    """The taint's value, for `Equal`."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """The taint's effect; any if not set."""
    tolerationSeconds: int | None = None
    """For `NoExecute`: how long a running pod stays."""


class SelectorRequirement(Documented):
    """A condition on one label."""

    key: Key
    """The label."""
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]
    """How its value is compared; `Gt` and `Lt` for labels of nodes only."""
    values: tuple[Text, ...] | None = None
    """What it is compared with."""


class PodSelector(Documented):
    """Pods, or namespaces, by their labels; all conditions must hold."""

    matchLabels: Labels | None = None
    """Labels and their values."""
    matchExpressions: tuple[SelectorRequirement, ...] | None = None
    """Further conditions."""


class NodeSelectorTerm(Documented):
    """Nodes for which all conditions hold."""

    matchExpressions: tuple[SelectorRequirement, ...] | None = None
    """Conditions on the node's labels."""
    matchFields: tuple[SelectorRequirement, ...] | None = None
    """Conditions on the node's fields, such as `metadata.name`."""


class PreferredSchedulingTerm(Documented):
    """Nodes that are better than others."""

    weight: int = Field(ge=1, le=100)
    """How much better."""
    preference: NodeSelectorTerm
    """Which nodes."""


class NodeSelector(Documented):
    """Nodes to which one of the terms applies."""

    nodeSelectorTerms: tuple[NodeSelectorTerm, ...]
    """The terms."""


class NodeAffinity(Documented):
    """Which nodes are right."""

    requiredDuringSchedulingIgnoredDuringExecution: NodeSelector | None = None
    """Pods run only there."""
    preferredDuringSchedulingIgnoredDuringExecution: tuple[PreferredSchedulingTerm, ...] | None = None
    """Pods rather run there."""


class PodAffinityTerm(Documented):
    """A neighbourhood: nodes with one value of a label, on one of which certain pods run."""

    topologyKey: Key
    """The nodes' label, such as `kubernetes.io/hostname`."""
    labelSelector: PodSelector | None = None
    """Which pods."""
    namespaces: tuple[Name, ...] | None = None
    """Their namespaces; the pod's own if not set."""
    namespaceSelector: PodSelector | None = None
    """Their namespaces by label."""


class WeightedPodAffinityTerm(Documented):
    """Neighbourhoods that are better than others."""

    weight: int = Field(ge=1, le=100)
    """How much better."""
    podAffinityTerm: PodAffinityTerm
    """Which."""


class PodAffinity(Documented):
    """Near which pods, or far from which."""

    requiredDuringSchedulingIgnoredDuringExecution: tuple[PodAffinityTerm, ...] | None = None
    """Must be so."""
    preferredDuringSchedulingIgnoredDuringExecution: tuple[WeightedPodAffinityTerm, ...] | None = None
    """Should be so."""


class Affinity(Documented):
    """Where pods run."""

    nodeAffinity: NodeAffinity | None = None
    """On which nodes."""
    podAffinity: PodAffinity | None = None
    """Near which pods."""
    podAntiAffinity: PodAffinity | None = None
    """Far from which pods."""
