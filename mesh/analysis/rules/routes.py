"""Checks routes: destinations, subsets and delegates exist, and timeouts, retries and faults fit together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mesh.analysis import codes, hosts, virtual_services
from mesh.analysis.findings import Finding, Severity
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.services import Service
from mesh.analysis.virtual_services import Receiver
from mesh.api.scalars import nanoseconds
from mesh.core import errors, kinds


def receivers(mesh: Mesh) -> Iterator[Finding]:
    """Each destination is a service that is visible to the VirtualService's namespace, and has the port."""
    for thing in mesh.of(kinds.VIRTUAL_SERVICE):
        for receiver in virtual_services.receivers(thing):
            service = mesh.service(receiver.host, thing.namespace)
            if service is None:
                yield _unknown(mesh, thing, receiver)
            else:
                yield from _port(thing, receiver, service)


def _unknown(mesh: Mesh, thing: Object, receiver: Receiver) -> Finding:
    host = mesh.full(receiver.host, thing.namespace)
    path = f"{receiver.path}.host"
    if hidden := mesh.services.named(host):
        text = f"{receiver.host} is exported to {', '.join(sorted(hidden[0].exported))}, not to {thing.namespace}"
        return codes.NOT_FOUND.at(thing, path, f"{text}: change exportTo of {hidden[0].object.ref}")
    name, _, rest = host.partition(".")
    place = rest.removesuffix(f".svc.{mesh.domain}")
    if place != rest and place not in mesh.places:
        text = f"host {receiver.host}: the stack has nothing in namespace {place}; check that the service is there"
        return codes.NOT_FOUND.at(thing, path, text, Severity.WARNING)
    around = [service.object.name for service in mesh.services.all if service.namespace == place]
    text = f"host {receiver.host} is not a service of the mesh{errors.nearest(name, around)}"
    return codes.NOT_FOUND.at(thing, path, text)


def _port(thing: Object, receiver: Receiver, service: Service) -> Iterator[Finding]:
    have = ", ".join(str(port.number) for port in service.ports)
    if receiver.port is None:
        if len(service.ports) > 1:
            text = f"{receiver.host} has several ports ({have}): name one in port.number"
            yield codes.PORT_NEEDED.at(thing, receiver.path, text)
    elif service.port(receiver.port) is None:
        text = f"{receiver.host} has no port {receiver.port} (ports: {have or 'none'})"
        yield codes.NOT_FOUND.at(thing, f"{receiver.path}.port.number", text)


def subsets(mesh: Mesh) -> Iterator[Finding]:
    """A DestinationRule for the host defines each subset."""
    known: dict[str, set[str]] = {}
    for rule in mesh.of(kinds.DESTINATION_RULE):
        host = mesh.full(rule.spec.get("host", ""), rule.namespace)
        known.setdefault(host, set()).update(subset["name"] for subset in rule.items("subsets"))
    for thing in mesh.of(kinds.VIRTUAL_SERVICE):
        for receiver in virtual_services.receivers(thing):
            have = hosts.best(mesh.full(receiver.host, thing.namespace), known) or set()
            if receiver.subset and receiver.subset not in have:
                choices = f" (subsets: {', '.join(sorted(have))})" if have else "; no DestinationRule has any"
                meant = errors.nearest(receiver.subset, have)
                text = f"{receiver.host} has no subset {receiver.subset}{choices}{meant}"
                yield codes.NOT_FOUND.at(thing, f"{receiver.path}.subset", text)


def delegates(mesh: Mesh) -> Iterator[Finding]:
    """The delegate of a route exists, and is a VirtualService without hosts."""
    for thing in mesh.of(kinds.VIRTUAL_SERVICE):
        for i, route in enumerate(virtual_services.routes(thing)):
            if route.get("delegate"):
                found = virtual_services.delegate(mesh, thing, route)
                if found is None or found.items("hosts"):
                    why = "does not exist" if found is None else "has hosts of its own, so that it is no delegate"
                    said = route["delegate"]
                    name = f"{said.get('namespace') or thing.namespace}/{said.get('name')}"
                    yield codes.NO_DELEGATE.at(thing, f"http[{i}].delegate", f"VirtualService {name} {why}")


def times(mesh: Mesh) -> Iterator[Finding]:
    """A timeout is not shorter than one try; a route with a fault has no timeout or retries, which it would skip."""
    for thing in mesh.of(kinds.VIRTUAL_SERVICE):
        for i, route in enumerate(virtual_services.routes(thing)):
            yield from _times(thing, f"http[{i}]", route)
            if (route.get("fault") or {}).get("delay") and thing.spec["http"][i]["fault"]["delay"].get("percent"):
                yield codes.DEPRECATED.at(thing, f"http[{i}].fault.delay.percent", "use percentage: {value: …}")


def _times(thing: Object, path: str, route: Mapping[str, Any]) -> Iterator[Finding]:
    timeout, per_try = route.get("timeout"), (route.get("retries") or {}).get("perTryTimeout")
    if timeout and per_try and 0 < nanoseconds(timeout) < nanoseconds(per_try):
        text = f"timeout {timeout} ends before perTryTimeout {per_try}: make it longer, or drop perTryTimeout"
        yield codes.SHORT_TIMEOUT.at(thing, f"{path}.timeout", text)
    limits = [name for name in ("timeout", "retries") if route.get(name)]
    if route.get("fault") and limits:
        do = "do" if limits[1:] else "does"
        text = f"{' and '.join(limits)} {do} nothing to requests that the fault hits: it comes first"
        yield codes.FAULT_WITHOUT_LIMIT.at(thing, f"{path}.fault", text)


RULES: Final = (receivers, subsets, delegates, times)
