"""Checks routes: destinations, subsets and delegates exist, and timeouts, retries and faults fit together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mesh.analysis import codes, hosts, virtual_services
from mesh.analysis.findings import Finding, Severity
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.services import Service
from mesh.analysis.suppression import ANNOTATION, CONFIG
from mesh.analysis.virtual_services import Destination
from mesh.api.scalars import nanoseconds
from mesh.core import errors, kinds


def destinations(mesh: Mesh) -> Iterator[Finding]:
    """Each destination is a service that is visible to the VirtualService's namespace, and has the port."""
    for vs in mesh.of(kinds.VIRTUAL_SERVICE):
        for destination in virtual_services.destinations(vs):
            service = mesh.service(destination.host, vs.namespace)
            if service is None:
                yield _unknown(mesh, vs, destination)
            else:
                yield from _port(vs, destination, service)


def _unknown(mesh: Mesh, vs: Object, destination: Destination) -> Finding:
    host = mesh.full_host(destination.host, vs.namespace)
    path = f"{destination.path}.host"
    if hidden := mesh.services.with_host(host):
        text = f"{destination.host} is exported to {', '.join(sorted(hidden[0].exported_to))}, not to {vs.namespace}"
        return codes.NOT_FOUND.at(vs, path, f"{text}: change exportTo of {hidden[0].object.ref}")
    name, _, rest = host.partition(".")
    place = rest.removesuffix(f".svc.{mesh.domain}")
    if place != rest and place not in mesh.known_namespaces:
        text = (
            f"host {destination.host}: namespace {place} is unknown; make sure that the service exists, and"
            f" suppress this with {mesh.by(CONFIG, ANNOTATION)}"
        )
        return codes.NOT_FOUND.at(vs, path, text, Severity.WARNING)
    around = [service.object.name for service in mesh.services.all if service.namespace == place]
    text = f"host {destination.host} is not a service of the mesh{errors.nearest(name, around)}"
    return codes.NOT_FOUND.at(vs, path, text)


def _port(vs: Object, destination: Destination, service: Service) -> Iterator[Finding]:
    have = ", ".join(str(port.number) for port in service.ports)
    if destination.port is None:
        if len(service.ports) > 1:
            text = f"{destination.host} has several ports ({have}): name one as its port"
            yield codes.PORT_NEEDED.at(vs, destination.path, text)
    elif service.port(destination.port) is None:
        text = f"{destination.host} has no port {destination.port} (ports: {have or 'none'})"
        yield codes.NOT_FOUND.at(vs, f"{destination.path}.port.number", text)


def subsets(mesh: Mesh) -> Iterator[Finding]:
    """A DestinationRule for the host defines each subset."""
    known: dict[str, set[str]] = {}
    for rule in mesh.of(kinds.DESTINATION_RULE):
        host = mesh.full_host(rule.spec.get("host", ""), rule.namespace)
        known.setdefault(host, set()).update(subset["name"] for subset in rule.items("subsets"))
    for vs in mesh.of(kinds.VIRTUAL_SERVICE):
        for destination in virtual_services.destinations(vs):
            have = hosts.most_specific(mesh.full_host(destination.host, vs.namespace), known) or set()
            if destination.subset and destination.subset not in have:
                choices = f" (subsets: {', '.join(sorted(have))})" if have else "; no DestinationRule has any"
                meant = errors.nearest(destination.subset, have)
                text = f"{destination.host} has no subset {destination.subset}{choices}{meant}"
                yield codes.NOT_FOUND.at(vs, f"{destination.path}.subset", text)


def delegates(mesh: Mesh) -> Iterator[Finding]:
    """The delegate of a route exists, and is a VirtualService without hosts."""
    for vs in mesh.of(kinds.VIRTUAL_SERVICE):
        for i, route in enumerate(virtual_services.routes(vs)):
            if route.get("delegate"):
                found = virtual_services.delegate(mesh, vs, route)
                if found is None or found.items("hosts"):
                    why = "does not exist" if found is None else "has hosts of its own, so it cannot be a delegate"
                    said = route["delegate"]
                    name = f"{said.get('namespace') or vs.namespace}/{said.get('name')}"
                    yield codes.NO_DELEGATE.at(vs, f"http[{i}].delegate", f"VirtualService {name} {why}")


def timeouts(mesh: Mesh) -> Iterator[Finding]:
    """A timeout is not shorter than one try; a route with a fault has no timeout or retries, which it would skip."""
    for vs in mesh.of(kinds.VIRTUAL_SERVICE):
        for i, route in enumerate(virtual_services.routes(vs)):
            yield from _times(vs, f"http[{i}]", route)
            if (route.get("fault") or {}).get("delay") and vs.spec["http"][i]["fault"]["delay"].get("percent"):
                yield codes.DEPRECATED.at(vs, f"http[{i}].fault.delay.percent", "use percentage: {value: …}")


def _length(duration: str | None) -> int:
    """The length of a duration in nanoseconds; 0 if it is not set or not valid."""
    try:
        return nanoseconds(duration or "0s")
    except ValueError:
        return 0


def _times(vs: Object, path: str, route: Mapping[str, Any]) -> Iterator[Finding]:
    timeout, per_try = route.get("timeout"), (route.get("retries") or {}).get("perTryTimeout")
    whole, each = _length(timeout), _length(per_try)
    if 0 < whole < each:
        text = f"timeout {timeout} ends before perTryTimeout {per_try}: make it longer, or drop perTryTimeout"
        yield codes.SHORT_TIMEOUT.at(vs, f"{path}.timeout", text)
    elif whole and each:
        retries, fitting = route["retries"].get("attempts") or 0, whole // each
        if fitting < retries:
            text = (
                f"timeout {timeout} has room for {fitting} of {retries + 1} tries of {per_try} each:"
                " make it longer, or perTryTimeout shorter"
            )
            yield codes.SHORT_TIMEOUT.at(vs, f"{path}.timeout", text, Severity.INFO)
    limits = [name for name in ("timeout", "retries") if route.get(name)]
    if route.get("fault") and limits:
        do = "do" if limits[1:] else "does"
        text = f"{' and '.join(limits)} {do} nothing to requests that the fault hits, because it comes first"
        yield codes.FAULT_WITHOUT_LIMIT.at(vs, f"{path}.fault", text)


RULES: Final = (destinations, subsets, delegates, timeouts)
