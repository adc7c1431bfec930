"""Admission webhooks as plain data. Releases define theirs; `components/webhooks.py` creates the objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class LabelRequirement:
    """A requirement of a Kubernetes label selector (`matchExpressions`)."""

    key: str
    operator: str
    """`In`, `NotIn`, `Exists` or `DoesNotExist`."""
    values: tuple[str, ...] = ()


Selector = Sequence[LabelRequirement] | Mapping[str, str]
"""A label selector: requirements, or the values of labels (`matchLabels`). Everything if it is empty."""


@dataclass(frozen=True, kw_only=True)
class ClientConfig:
    """The server that a webhook calls: a Service in the root namespace, or a URL."""

    service: str = ""
    path: str = ""
    port: int | None = None
    """Port of the Service; None leaves Kubernetes' default, 443."""
    url: str = ""
    """Replaces the Service if it is set."""
    ca_bundle: str = ""
    """Certificates (PEM, in base64) that the server is verified with; empty if istiod writes its own."""


@dataclass(frozen=True, kw_only=True)
class WebhookRule:
    """The operations on resources for which a webhook is called (Kubernetes' RuleWithOperations)."""

    groups: Sequence[str]
    """API groups; the empty string is the core group."""
    versions: Sequence[str]
    resources: Sequence[str]
    operations: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """One webhook of a configuration, without the fields that istiod sets itself, such as `caBundle`."""

    name: str
    client_config: ClientConfig
    rule: WebhookRule
    namespace_selector: Selector = ()
    """Requirements on the labels of the object's namespace."""
    object_selector: Selector = ()
    """Requirements on the labels of the object."""
    failure_policy: str | None = None
    """`Fail` or `Ignore`; None if istiod sets it."""
    reinvocation_policy: str | None = None
    """Of an injector: `Never` or `IfNeeded`; None leaves Kubernetes' default, `Never`."""


@dataclass(frozen=True, kw_only=True)
class WebhookConfiguration:
    """A MutatingWebhookConfiguration or ValidatingWebhookConfiguration."""

    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str] = field(default_factory=dict)
    webhooks: Sequence[Webhook]
    reviews: Sequence[str]
    """Versions of AdmissionReview that the server supports."""
