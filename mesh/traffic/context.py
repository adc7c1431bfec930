"""The stack around its traffic and security: what objects made from config need to know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from mesh.api import ApiError
from mesh.core import errors

CLUSTER: Final = "svc"
"""What stands between namespace and domain in the full name of a Service."""


@dataclass(frozen=True, kw_only=True)
class GatewayRef:
    """One of the stack's gateways: a Deployment of proxies with its Service."""

    name: str
    namespace: str
    selector: Mapping[str, str]
    """Labels of its pods."""
    ports: frozenset[int]
    """Ports of its Service."""
    account: str
    """Its service account."""


@dataclass(frozen=True, kw_only=True)
class StackContext:
    """Namespaces, gateways, domains and mesh-wide choices of a stack."""

    namespace: str | None
    """Where objects go that name no namespace: Bookinfo's, or the only one with injection."""
    namespaces: frozenset[str]
    """All that the stack declares, and Istio's own."""
    gateways: Mapping[str, GatewayRef]
    """Those that are enabled, by name."""
    root: str
    """Istio's own namespace."""
    domain: str
    """The cluster's DNS domain."""
    trust_domain: str
    """Root of the workloads' identities."""
    client_tls: bool
    """Whether callers must be told to use mutual TLS: it is asked for, and automatic mutual TLS is off."""
    rate_limit_namespace: str
    """Namespace of the rate-limit service."""
    rate_limit_required: bool
    """Whether requests are refused while the rate-limit service does not answer."""

    def namespace_for(self, namespace: str | None) -> str:
        """The namespace of an object whose config says this one, or none. Raises ApiError if it cannot be told, or is
        not the stack's."""
        chosen = namespace or self.namespace
        if chosen is None:
            raise ApiError(["namespace is required: the stack has no Bookinfo, and not just one injected namespace"])
        if chosen not in self.namespaces:
            known = ", ".join(sorted(self.namespaces))
            raise ApiError(
                [f"namespace {errors.show(chosen)} is none of the stack's ({known}); declare it in mesh:namespaces"]
            )
        return chosen

    def gateway(self, name: str) -> GatewayRef:
        """One of the stack's gateways. Raises ApiError if it has none of that name."""
        if name not in self.gateways:
            raise ApiError([f"gateway {errors.not_one_of(name, self.gateways)}"])
        return self.gateways[name]

    def full_host(self, host: str, namespace: str) -> str:
        """The full DNS name of a host that is a Service's short name in `namespace`; other hosts as they are."""
        return host if "." in host else f"{host}.{namespace}.{CLUSTER}.{self.domain}"
