"""The facts about a stack that `mesh.traffic` and `mesh.security` need to generate Istio objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mesh.analysis import hosts
from mesh.api import ApiError
from mesh.core import errors


@dataclass(frozen=True, kw_only=True)
class GatewayRef:
    """One of the stack's gateways: a Deployment of Envoy proxies and its Service."""

    name: str
    namespace: str
    selector: Mapping[str, str]
    """Labels of the gateway's pods."""
    ports: frozenset[int]
    """Ports of the gateway's Service."""
    pod_ports: frozenset[int]
    """Ports of the gateway's pods."""
    service_account: str
    """Name of the gateway's service account."""


@dataclass(frozen=True, kw_only=True)
class StackContext:
    """Namespaces, gateways, domains and mesh-wide settings of a stack."""

    namespace: str | None
    """Default namespace of objects: Bookinfo's, or else the only namespace with injection. None if there is no such
    namespace."""
    services: Mapping[str, str] = field(default_factory=dict)
    """The namespaces of the apps' Services, by name, for names that are unique."""
    several_ports: frozenset[str] = frozenset()
    """Full hosts of the Services of apps with several ports."""
    namespaces: frozenset[str]
    """All namespaces that the stack declares, and the root namespace."""
    gateways: Mapping[str, GatewayRef]
    """The enabled gateways, by name."""
    root_namespace: str
    """The mesh's root namespace, in which Istio is installed."""
    cluster_domain: str
    """The cluster's DNS domain."""
    trust_domain: str
    """The mesh's trust domain, the first part of each workload's identity."""
    client_tls: bool
    """Whether DestinationRules must set mutual TLS for clients: the mesh is STRICT, and automatic mutual TLS is off."""
    rate_limit_namespace: str
    """Namespace of the rate-limit service."""
    rate_limit_required: bool
    """Whether requests are refused while the rate-limit service does not answer."""

    def namespace_for(self, namespace: str | None) -> str:
        """The namespace of an object: the one from its config, or the stack's default. Raises ApiError if the config
        names none and there is no default, or if the stack does not declare the namespace."""
        chosen = namespace or self.namespace
        if chosen is None:
            raise ApiError(["namespace is required: the stack has neither Bookinfo nor exactly one injected namespace"])
        if chosen not in self.namespaces:
            known = ", ".join(sorted(self.namespaces))
            raise ApiError(
                [f"namespace {errors.show(chosen)} is not one of the stack's ({known}); declare it in mesh:namespaces"]
            )
        return chosen

    def home_of(self, service: str, namespace: str | None) -> str:
        """The namespace of a service: the one from its config, that of the app that has it, or the stack's default.
        Raises ApiError as `namespace_for` does."""
        return self.namespace_for(namespace or self.services.get(service))

    def gateway(self, name: str) -> GatewayRef:
        """The gateway of that name. Raises ApiError if the stack has none, or has disabled it."""
        if name not in self.gateways:
            raise ApiError([f"gateway {errors.not_one_of(name, self.gateways)}"])
        return self.gateways[name]

    def full_host(self, host: str, namespace: str) -> str:
        """The full DNS name of a Service in `namespace`, from its short name. A host with a dot is returned as it
        is."""
        return hosts.full_name(host, namespace, self.cluster_domain)
