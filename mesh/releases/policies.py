"""NetworkPolicies and admission policies as plain data. Releases define theirs; components create the objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mesh.releases.webhooks import Selector, WebhookRule

PortGroup = Sequence[tuple[int, str]]
"""Ports that belong together, each with its protocol, `TCP` or `UDP`."""


@dataclass(frozen=True, kw_only=True)
class NetworkPolicy:
    """A NetworkPolicy that admits some ports, from everywhere, and all that the pods send."""

    name: str
    namespace: str
    labels: Mapping[str, str]
    pods: Mapping[str, str]
    """Labels of the pods."""
    ports: Sequence[PortGroup]
    """Ports of the pods."""


@dataclass(frozen=True, kw_only=True)
class AdmissionPolicy:
    """A ValidatingAdmissionPolicy that denies, and its binding."""

    name: str
    binding: str
    rule: WebhookRule
    selector: Selector
    """Requirements on the labels of the objects."""
    variables: Mapping[str, str]
    """CEL expressions that `validations` read as `variables.NAME`."""
    validations: Sequence[str]
    """CEL expressions that must be true."""
