"""RBAC of an installation as plain data: service accounts, roles and policy rules. Releases define their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PolicyRule = tuple[str, str, str] | tuple[str, str, str, str]
"""API groups, resources, verbs and optionally resource names, each separated by spaces; `core` is the core group."""
PolicyRules = tuple[PolicyRule, ...]
"""The rules of a Role or ClusterRole."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """A service account in the root namespace, and its roles."""

    name: str
    labels: Mapping[str, str]
    """Labels of the account, its roles and their bindings."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    """Annotations of the account."""
    on_cluster: Mapping[str, PolicyRules]
    """ClusterRoles by name, each with a binding of the same name."""
    in_namespace: Mapping[str, PolicyRules] = field(default_factory=dict)
    """Roles in the root namespace by name, each with a binding of the same name."""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A ClusterRole of an agent, and its binding to the agent's service account."""

    role: str
    """Name of the ClusterRole."""
    rules: PolicyRules
    binding: str = ""
    """Name of the binding; that of the role if empty."""
    binding_labels: Mapping[str, str] = field(default_factory=dict)
    """Labels of the binding in place of the agent's `app`."""
