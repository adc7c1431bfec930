"""The config key `mesh:traffic`: its type, the checks across its entries, and the Istio objects that it becomes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mesh.core.kubernetes import Name
from mesh.core.typed import Documented, Findings
from mesh.traffic import egress, ingress, rate_limit_filters, services
from mesh.traffic.context import StackContext
from mesh.traffic.egress import Egress
from mesh.traffic.ingress import Ingress
from mesh.traffic.objects import ConfigObject
from mesh.traffic.services import Service

ROOT = "traffic"
"""The config key, without the prefix `mesh:`."""


class Traffic(Documented):
    """Routing of requests between services, into the mesh, and out of it."""

    services: dict[Name, Service] = {}
    """Services of the mesh, by name. The service's DestinationRule and VirtualService get the same name."""
    hosts: dict[Name, Ingress] = {}
    """Hosts that ingress gateways serve, by a name of your choice."""
    egress: dict[Name, Egress] = {}
    """Hosts outside the mesh that workloads call, by a name of your choice."""

    def check(self) -> Findings:
        yield from self._check_versions()
        yield from self._check_hosts()

    def _check_versions(self) -> Findings:
        """Routes and mirrors must name a version that the service lists. If it lists none, its versions are those of a
        plain DestinationRule, which the analysis checks."""
        for name, host in self.hosts.items():
            for i, route in enumerate(host.routes):
                targets: list[tuple[tuple[str | int, ...], Any]] = [(("to", j), one) for j, one in enumerate(route.to)]
                if route.mirror:
                    targets.append((("mirror",), route.mirror))
                for path, target in targets:
                    versions = self.services[target.service].versions if target.service in self.services else {}
                    if target.version and versions and target.version not in versions:
                        where = f"services.{target.service}.versions ({', '.join(versions)})"
                        yield ("hosts", name, "routes", i, *path, "version"), f"{target.version} is not in {where}"

    def _check_hosts(self) -> Findings:
        """No two entries may serve the same host on the same port of a gateway."""
        taken: dict[tuple[str, int, str], str] = {}
        for name, entry in self.hosts.items():
            for i, host in enumerate(entry.hosts):
                key = (entry.gateway, entry.served_port, host)
                if key in taken:
                    text = f'"{host}" on port {entry.served_port} of {entry.gateway} is also in hosts.{taken[key]}'
                    yield ("hosts", name, "hosts", i), text
                taken.setdefault(key, name)

    def __bool__(self) -> bool:
        return bool(self.services or self.hosts or self.egress)


def parts(traffic: Traffic, stack: StackContext) -> Iterator[tuple[str, Iterator[ConfigObject]]]:
    """The key of each entry, with an iterator over its Istio objects. The iterator raises ApiError for an object that
    cannot be made."""

    def resolve(service: str, namespace: str) -> str:
        found = traffic.services.get(service)
        if found is None and service not in stack.services:
            return service
        home = stack.home_of(service, found.namespace if found else None)
        host = found.host_name(service) if found else service
        return host if home == namespace else stack.full_host(host, home)

    for name, service in traffic.services.items():
        path = f"{ROOT}.services.{name}"
        yield path, services.objects(path, name, service, stack)
        yield path, rate_limit_filters.of_service(path, name, service, stack)
    for name, entry in traffic.hosts.items():
        path = f"{ROOT}.hosts.{name}"
        yield path, ingress.objects(path, name, entry, stack, resolve)
    yield f"{ROOT}.hosts", rate_limit_filters.at_gateways(f"{ROOT}.hosts", traffic.hosts, stack)
    for name, outside in traffic.egress.items():
        path = f"{ROOT}.egress.{name}"
        yield path, egress.objects(path, name, outside, stack)
