"""What Istio may do on a cluster, as tables that each release fills in."""

from __future__ import annotations

from dataclasses import dataclass

Rule = tuple[str, str, str] | tuple[str, str, str, str]
"""API groups, resources, verbs and, where only some objects are meant, their names; each separated by blanks. `core`
is the core group."""
Table = tuple[Rule, ...]


@dataclass(frozen=True, kw_only=True)
class Roles:
    """The rules of each role that an installation has."""

    reader: Table
    """What another cluster's control plane may read here."""
    istiod: Table
    """What istiod may do on the whole cluster."""
    analysis: Table
    """What istiod may do beside it where it writes the mistakes that it finds into the status of objects."""
    signing: Table
    """What istiod may do beside it to get its own certificate from Kubernetes."""
    istiod_namespace: Table
    """What istiod may do in its own namespace."""
    gateway: Table
    """What a gateway may do in its namespace."""
    cni: Table
    """What the network plugin may do on the whole cluster."""
    repair: Table
    """What the repair of pods that started without the network plugin may do."""
