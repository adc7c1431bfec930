"""Where traffic happens: what the objects made from config need to know of the rest of the stack."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mesh.api import ApiError, Kind, Versions
from mesh.core import errors

CLUSTER: Final = "svc"
"""What stands between namespace and domain in the full name of a Service."""


@dataclass(frozen=True, kw_only=True)
class Edge:
    """One of the stack's gateways."""

    name: str
    namespace: str
    selector: Mapping[str, str]
    """Labels of its pods."""
    ports: frozenset[int]
    """Ports of its Service."""
    account: str
    """Its service account."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """The stack around the traffic."""

    namespace: str | None
    """Where objects go that name no namespace: Bookinfo's, or the only one with injection."""
    namespaces: frozenset[str]
    """All that the stack knows of."""
    gateways: Mapping[str, Edge]
    root: str
    """Istio's own namespace."""
    domain: str
    """The cluster's DNS domain."""
    trust_domain: str
    """Root of the workloads' identities."""
    client_tls: bool
    """Whether callers must be told to use mutual TLS: it is asked for, and the mesh does not find out by itself."""
    limiter: str
    """Namespace of the rate-limit service."""
    limiter_needed: bool
    """Whether requests are refused that it cannot be asked about."""

    def within(self, namespace: str | None) -> str:
        """The namespace that is meant. Raises ApiError if it cannot be told, or is not the stack's."""
        chosen = namespace or self.namespace
        if chosen is None:
            raise ApiError(["namespace is required: the stack has no Bookinfo, and not just one injected namespace"])
        if chosen not in self.namespaces:
            known = ", ".join(sorted(self.namespaces))
            raise ApiError(
                [f"namespace {errors.show(chosen)} is none of the stack's ({known}); declare it in mesh:namespaces"]
            )
        return chosen

    def edge(self, gateway: str) -> Edge:
        """One of the stack's gateways. Raises ApiError if it has none of that name."""
        if gateway not in self.gateways:
            raise ApiError([f"gateway {errors.none_of(gateway, self.gateways)}"])
        return self.gateways[gateway]

    def full(self, host: str, namespace: str) -> str:
        """The full DNS name of a host that is a Service's short name in `namespace`; other hosts as they are."""
        return host if "." in host else f"{host}.{namespace}.{CLUSTER}.{self.domain}"


@dataclass(frozen=True, kw_only=True)
class Object:
    """An object made from config."""

    path: str
    """Which config it is made from, below `mesh:`."""
    body: Kind
    name: str
    namespace: str
    annotations: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    """Parts of the body, such as `http[0]`, and the key below `path` that each is made from, where that is known."""
    late: bool = False
    """Whether it refers to others, or shuts out who is not let in by others: those come first."""

    def manifest(self, versions: Versions) -> dict[str, Any]:
        """The object as data, for a release that serves `versions` of Istio's API."""
        return self.body.manifest(self.name, self.namespace, versions, annotations=self.annotations)


def clashes(objects: Iterable[Object]) -> Iterable[str]:
    """One line for each object of the kind and name of an earlier one: previews could not tell them apart."""
    taken: dict[tuple[str, str], str] = {}
    for item in objects:
        key = (item.body.kind, item.name)
        if key in taken:
            yield f"mesh:{item.path}: its {' '.join(key)} is also that of mesh:{taken[key]}; rename one of them"
        taken.setdefault(key, item.path)
