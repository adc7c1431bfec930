"""EnvoyFilters for rate limits, one for each service and gateway, and the descriptors of the rate-limit service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mesh import api
from mesh.analysis import codes
from mesh.analysis.suppression import ANNOTATION
from mesh.traffic import envoy
from mesh.traffic.context import GatewayRef, StackContext
from mesh.traffic.ingress import Ingress, has_cors, route_name
from mesh.traffic.objects import ConfigObject
from mesh.traffic.rate_limits import Limit
from mesh.traffic.services import Service

INBOUND: Final = "SIDECAR_INBOUND"
OUTBOUND: Final = "SIDECAR_OUTBOUND"
GATEWAY: Final = "GATEWAY"
SUPPRESSION: Final = {ANNOTATION: codes.RELATIVE_PATCH.code}
"""Suppresses the finding about relative patches: a filter's place depends on the others by design."""


def of_service(path: str, name: str, service: Service, stack: StackContext) -> Iterator[ConfigObject]:
    """The EnvoyFilter that limits requests in the sidecars of a service's pods; nothing without a limit. Raises
    ApiError if the namespace is not the stack's."""
    limit = service.limit
    if limit is None:
        return
    patches = [envoy.local_filter(INBOUND, limit)]
    if limit.shared:
        patches = [
            *_global_patches(INBOUND, OUTBOUND, stack),
            envoy.global_hosts(INBOUND, service_key(name), limit),
        ]
    yield _filter(
        f"{path}.limit", f"{name}-limit", stack.home_of(name, service.namespace), service.pod_labels(name), patches
    )


def at_gateways(path: str, hosts: Mapping[str, Ingress], stack: StackContext) -> Iterator[ConfigObject]:
    """One EnvoyFilter for each gateway whose routes have limits."""
    by_gateway: dict[str, list[tuple[str, int, Limit]]] = {}
    for name, entry in hosts.items():
        limits = [(name, i, route.limit) for i, route in enumerate(entry.routes) if route.limit]
        by_gateway.setdefault(entry.gateway, []).extend(limits)
    with_cors = {entry.gateway for entry in hosts.values() if has_cors(entry)}
    for gateway, found in by_gateway.items():
        if found and gateway in stack.gateways:  # an unknown gateway is reported by ingress.objects
            yield _at_gateway(path, stack.gateway(gateway), found, gateway in with_cors, stack)


def _at_gateway(
    path: str, ref: GatewayRef, found: list[tuple[str, int, Limit]], cors: bool, stack: StackContext
) -> ConfigObject:
    local = [one for one in found if not one[2].shared]
    shared = [one for one in found if one[2].shared]
    patches = [envoy.local_filter(GATEWAY, None)] if local else []
    # Before the limit, so that preflights are not counted, and scripts can read the answer 429.
    patches += [envoy.cors_filter()] if local and cors else []
    patches += [envoy.local_route(route_name(name, i), limit) for name, i, limit in local]
    patches += _global_patches(GATEWAY, GATEWAY, stack) if shared else []
    patches += [envoy.global_route(route_name(name, i), route_key(name, i), limit) for name, i, limit in shared]
    return _filter(path, f"{ref.name}-limits", ref.namespace, ref.selector, patches)


def descriptors(services: Mapping[str, Service], hosts: Mapping[str, Ingress]) -> list[dict[str, Any]]:
    """The global limits as entries of the rate-limit service's configuration; empty if no limit is global."""
    of_services = [(service_key(name), service.limit) for name, service in services.items()]
    of_routes = [
        (route_key(name, i), route.limit) for name, entry in hosts.items() for i, route in enumerate(entry.routes)
    ]
    return [envoy.descriptor(key, limit) for key, limit in (*of_services, *of_routes) if limit and limit.shared]


def service_key(name: str) -> str:
    """The value of `generic_key` for requests to a service."""
    return f"services.{name}"


def route_key(name: str, position: int) -> str:
    """The value of `generic_key` for requests that a route of a host takes."""
    return f"hosts.{name}.{position}"


def _global_patches(context: str, cluster_context: str, stack: StackContext) -> list[dict[str, Any]]:
    """The filter that asks the rate-limit service, and the Envoy cluster for it."""
    host = stack.full_host(envoy.SERVICE, stack.rate_limit_namespace)
    return [envoy.global_filter(context, stack.rate_limit_required), envoy.cluster(cluster_context, host)]


def _filter(
    path: str, name: str, namespace: str, labels: Mapping[str, str], patches: list[dict[str, Any]]
) -> ConfigObject:
    body = api.EnvoyFilter.from_wire({"workloadSelector": {"labels": dict(labels)}, "configPatches": patches})
    return ConfigObject(path=path, body=body, name=name, namespace=namespace, annotations=SUPPRESSION)
