"""What limits become: one EnvoyFilter for each service and each gateway, and the rate-limit service's own config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mesh import api
from mesh.analysis import codes
from mesh.analysis.suppression import ANNOTATION
from mesh.traffic import envoy
from mesh.traffic.context import GatewayRef, StackContext
from mesh.traffic.ingress import Ingress, route_name
from mesh.traffic.limits import Limit
from mesh.traffic.objects import ConfigObject
from mesh.traffic.services import Service

INBOUND: Final = "SIDECAR_INBOUND"
OUTBOUND: Final = "SIDECAR_OUTBOUND"
GATEWAY: Final = "GATEWAY"
_MEANT: Final = {ANNOTATION: codes.RELATIVE_PATCH.code}
"""The place of a limit among the filters is meant to depend on the others."""


def of_service(path: str, name: str, service: Service, stack: StackContext) -> Iterator[ConfigObject]:
    """The limit of a service, in the sidecars of its pods. Raises ApiError."""
    limit = service.limit
    if limit is None:
        return
    patches = [envoy.local_filter(INBOUND, limit)]
    if limit.shared:
        patches = [
            *_asking(INBOUND, OUTBOUND, stack),
            envoy.global_hosts(INBOUND, service_key(name), limit),
        ]
    yield _filter(f"{path}.limit", f"{name}-limit", stack.namespace_for(service.namespace), service.pods(name), patches)


def at_gateways(path: str, hosts: Mapping[str, Ingress], stack: StackContext) -> Iterator[ConfigObject]:
    """The limits of routes, at their gateways. Raises ApiError."""
    by_gateway: dict[str, list[tuple[str, int, Limit]]] = {}
    for name, entry in hosts.items():
        limits = [(name, i, route.limit) for i, route in enumerate(entry.routes) if route.limit]
        by_gateway.setdefault(entry.gateway, []).extend(limits)
    for gateway, found in by_gateway.items():
        if found and gateway in stack.gateways:  # the host's own objects say what is wrong
            yield _at_gateway(path, stack.gateway(gateway), found, stack)


def _at_gateway(path: str, ref: GatewayRef, found: list[tuple[str, int, Limit]], stack: StackContext) -> ConfigObject:
    alone = [one for one in found if not one[2].shared]
    shared = [one for one in found if one[2].shared]
    patches = [envoy.local_filter(GATEWAY, None)] if alone else []
    patches += [envoy.local_route(route_name(name, i), limit) for name, i, limit in alone]
    patches += _asking(GATEWAY, GATEWAY, stack) if shared else []
    patches += [envoy.global_route(route_name(name, i), route_key(name, i), limit) for name, i, limit in shared]
    return _filter(path, f"{ref.name}-limits", ref.namespace, ref.selector, patches)


def descriptors(services: Mapping[str, Service], hosts: Mapping[str, Ingress]) -> list[dict[str, Any]]:
    """The global limits as the rate-limit service's own configuration has them; none if nothing asks it."""
    of_services = [(service_key(name), service.limit) for name, service in services.items()]
    of_routes = [
        (route_key(name, i), route.limit) for name, entry in hosts.items() for i, route in enumerate(entry.routes)
    ]
    return [envoy.descriptor(key, limit) for key, limit in (*of_services, *of_routes) if limit and limit.shared]


def service_key(name: str) -> str:
    """By what the rate-limit service is told of a service's requests."""
    return f"services.{name}"


def route_key(name: str, position: int) -> str:
    """By what it is told of the requests of a route."""
    return f"hosts.{name}.{position}"


def _asking(context: str, outwards: str, stack: StackContext) -> list[dict[str, Any]]:
    """What lets a proxy ask the rate-limit service."""
    host = stack.full_host(envoy.SERVICE, stack.rate_limit_namespace)
    return [envoy.global_filter(context, stack.rate_limit_required), envoy.cluster(outwards, host)]


def _filter(
    path: str, name: str, namespace: str, labels: Mapping[str, str], patches: list[dict[str, Any]]
) -> ConfigObject:
    body = api.EnvoyFilter.from_wire({"workloadSelector": {"labels": dict(labels)}, "configPatches": patches})
    return ConfigObject(path=path, body=body, name=name, namespace=namespace, annotations=_MEANT)
