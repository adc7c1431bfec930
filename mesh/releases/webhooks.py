"""Admission webhooks as plain data. Releases define theirs; `components/webhooks.py` creates the objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LabelRequirement:
    """A requirement of a Kubernetes label selector (`matchExpressions`)."""

    key: str
    operator: str
    """`In`, `NotIn`, `Exists` or `DoesNotExist`."""
    values: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ClientConfig:
    """The server that a webhook calls: a Service in the root namespace, or a URL."""

    service: str = ""
    path: str = ""
    port: int | None = None
    """Port of the Service; None leaves Kubernetes' default, 443."""
    url: str = ""
    """Replaces the Service if it is set."""


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
    namespace_selector: Sequence[LabelRequirement] = ()
    """Requirements on the labels of the object's namespace."""
    object_selector: Sequence[LabelRequirement] = ()
    """Requirements on the labels of the object."""
    failure_policy: str | None = None
    """`Fail` or `Ignore`; None if istiod sets it."""


@dataclass(frozen=True, kw_only=True)
class WebhookConfiguration:
    """A MutatingWebhookConfiguration or ValidatingWebhookConfiguration."""

    name: str
    labels: Mapping[str, str]
    webhooks: Sequence[Webhook]
