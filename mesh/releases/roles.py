"""What Istio may do on a cluster: accounts, roles and tables of rules, which each release fills in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Rule = tuple[str, str, str] | tuple[str, str, str, str]
"""API groups, resources, verbs and, where only some objects are meant, their names; each separated by blanks. `core`
is the core group."""
Table = tuple[Rule, ...]


@dataclass(frozen=True, kw_only=True)
class Account:
    """A service account in Istio's namespace, and its roles."""

    name: str
    labels: Mapping[str, str]
    """Labels of the account, its roles and their bindings."""
    on_cluster: Mapping[str, Table]
    """ClusterRoles by name, each with a binding of the same name."""
    in_namespace: Mapping[str, Table] = field(default_factory=dict)
    """Roles in Istio's namespace by name, each with a binding of the same name."""
