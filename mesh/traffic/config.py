"""`mesh:traffic` as a whole, the objects that it becomes, and what only the whole can show is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mesh.api import ApiError
from mesh.core.kubernetes import Name
from mesh.core.typed import Documented, Findings
from mesh.traffic import egress, ingress, limiting, services
from mesh.traffic.egress import Egress
from mesh.traffic.ingress import Ingress
from mesh.traffic.place import Object, Place
from mesh.traffic.services import Service

ROOT = "traffic"
"""The key in a stack's config."""


class Traffic(Documented):
    """How requests travel: between services, into the mesh, and out of it."""

    services: dict[Name, Service] = {}
    """Services of the mesh by name, which is also that of their DestinationRule and VirtualService."""
    hosts: dict[Name, Ingress] = {}
    """Hosts that gateways let in, by a name of your choice."""
    egress: dict[Name, Egress] = {}
    """Hosts outside the mesh, by a name of your choice."""

    def check(self) -> Findings:
        yield from self._check_receivers()
        yield from self._check_hosts()

    def _check_receivers(self) -> Findings:
        """Versions of services that are listed."""
        for name, host in self.hosts.items():
            for i, route in enumerate(host.routes):
                named: list[tuple[tuple[str | int, ...], Any]] = [(("to", j), one) for j, one in enumerate(route.to)]
                if route.mirror:
                    named.append((("mirror",), route.mirror))
                for place, one in named:
                    known = self.services[one.service].versions if one.service in self.services else {}
                    if one.version and one.version not in known:
                        where = f"services.{one.service}.versions ({', '.join(known) or 'none'})"
                        yield ("hosts", name, "routes", i, *place, "version"), f"{one.version} is not in {where}"

    def _check_hosts(self) -> Findings:
        """Hosts that are served by two."""
        taken: dict[tuple[str, int, str], str] = {}
        for name, entry in self.hosts.items():
            for i, host in enumerate(entry.hosts):
                key = (entry.gateway, entry.served, host)
                if key in taken:
                    text = f'"{host}" on port {entry.served} of {entry.gateway} is also in hosts.{taken[key]}'
                    yield ("hosts", name, "hosts", i), text
                taken.setdefault(key, name)

    def __bool__(self) -> bool:
        return bool(self.services or self.hosts or self.egress)


def objects(traffic: Traffic, place: Place) -> list[Object]:
    """Every object of Istio's API that the config becomes. Raises ApiError."""
    return [item for _, made in _parts(traffic, place) for item in made]


def problems(traffic: Traffic, place: Place) -> Iterator[str]:
    """Why the objects cannot be made, one line for each problem."""
    found: list[str] = []
    for path, made in _parts(traffic, place):
        try:
            for item in made:
                item.body.check_name(item.name)
        except ApiError as error:
            found += [f"mesh:{path}: {problem}" for problem in error.problems]
    yield from dict.fromkeys(found)  # two objects of one entry may have the same problem


def _parts(traffic: Traffic, place: Place) -> Iterator[tuple[str, Iterator[Object]]]:
    """Each entry's path in the config, and its objects, which are made as they are asked for."""

    def resolve(service: str, namespace: str) -> str:
        found = traffic.services.get(service)
        if found is None:
            return service
        home = place.within(found.namespace)
        return found.called(service) if home == namespace else place.full(found.called(service), home)

    for name, service in traffic.services.items():
        path = f"{ROOT}.services.{name}"
        yield path, services.objects(path, name, service, place)
        yield path, limiting.of_service(path, name, service, place)
    for name, entry in traffic.hosts.items():
        path = f"{ROOT}.hosts.{name}"
        yield path, ingress.objects(path, name, entry, place, resolve)
    yield f"{ROOT}.hosts", limiting.at_gateways(f"{ROOT}.hosts", traffic.hosts, place)
    for name, outside in traffic.egress.items():
        path = f"{ROOT}.egress.{name}"
        yield path, egress.objects(path, name, outside, place)
