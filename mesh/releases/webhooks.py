"""Admission webhooks as plain data: what a release says of its own, and components make objects from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """A condition on a label: a part of a Kubernetes label selector."""

    key: str
    operator: str
    """`In`, `NotIn`, `Exists` or `DoesNotExist`."""
    values: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Client:
    """Who is asked: a Service of Istio's namespace, or a URL."""

    service: str = ""
    path: str = ""
    port: int | None = None
    """The Service's port; Kubernetes' own default, 443, if None."""
    url: str = ""
    """Counts in place of the Service if it is set."""


@dataclass(frozen=True, kw_only=True)
class Objects:
    """What a webhook is asked about."""

    groups: Sequence[str]
    """API groups; the empty one is the core group."""
    versions: Sequence[str]
    resources: Sequence[str]
    operations: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """One webhook of a configuration. What istiod itself writes into it, `caBundle` above all, is no part of it."""

    name: str
    client: Client
    objects: Objects
    namespaces: Sequence[Requirement] = ()
    """Conditions on the object's namespace."""
    labels: Sequence[Requirement] = ()
    """Conditions on the object's own labels."""
    failure_policy: str | None = None
    """`Fail` or `Ignore`; None where istiod chooses it."""


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """A MutatingWebhookConfiguration or ValidatingWebhookConfiguration."""

    name: str
    labels: Mapping[str, str]
    webhooks: Sequence[Webhook]
