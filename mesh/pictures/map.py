"""The map of a mesh: hosts, gateways, routes with weights and faults, services and workloads, with their policies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from mesh.analysis import hosts, virtual_services
from mesh.analysis.mesh import Mesh
from mesh.analysis.mtls import STRICT, PeerAuthentications
from mesh.analysis.objects import Object
from mesh.analysis.services import Service
from mesh.analysis.workloads import Workload
from mesh.core import kinds
from mesh.pictures.model import Arrow, Box, Picture

COLUMNS: Final = ("hosts", "gateways", "routes", "services", "rules of sidecars", "versions")
_HOSTS, _GATEWAYS, _ROUTES, _SERVICES, _RULES, _VERSIONS = range(len(COLUMNS))
_MOST: Final = 3
"""The most matches that the box of a route shows."""
_WIDEST: Final = 34
"""The most characters of a line."""


def of(mesh: Mesh, title: str) -> Picture:
    """The map of a mesh, without services that have neither pods nor routes in the stack."""
    drawing = _Drawing(mesh)
    for virtual_service in mesh.of(kinds.VIRTUAL_SERVICE):
        drawing.at_gateways(virtual_service)
    for service in mesh.services.all:
        if service.namespace != mesh.home:
            drawing.service(service)
    return Picture(
        title=title, columns=COLUMNS, boxes=list(drawing.boxes.values()), arrows=list(dict.fromkeys(drawing.arrows))
    )


class _Drawing:
    """Collects the boxes and arrows of a map."""

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh
        self.boxes: dict[str, Box] = {}
        self.arrows: list[Arrow] = []
        self._peers = PeerAuthentications(mesh)
        self._guards: dict[Workload, list[str]] = {}
        for policy in mesh.of(kinds.AUTHORIZATION_POLICY):
            for pod in mesh.selected_by(policy):
                self._guards.setdefault(pod, []).append(f"{policy.spec.get('action', 'ALLOW').lower()} {policy.name}")
        self._rules = virtual_services.of_sidecars(mesh)

    def box(self, name: str, column: int, lines: Iterable[str], locks: Sequence[str] = ()) -> str:
        """Adds a box unless it already exists; returns its id."""
        shown = tuple(_short(line) for line in lines if line)
        self.boxes.setdefault(name, Box(id=name, column=column, lines=shown, locks=tuple(locks)))
        return name

    def arrow(self, source: str, target: str, label: str = "") -> None:
        self.arrows.append(Arrow(source=source, target=target, label=label))

    def at_gateways(self, virtual_service: Object) -> None:
        """Adds the hosts and routes of a VirtualService at each of its gateways."""
        for _, name, ref in virtual_services.gateways(virtual_service):
            found = self.mesh.get(ref)
            ports = [server["port"] for server in found.items("servers")] if found else []
            listens = ", ".join(f"{port.get('protocol')} {port.get('number')}" for port in ports)
            gateway = self.box(str(ref), _GATEWAYS, [name, listens], self._locks_of_gateway(found))
            for host in virtual_service.items("hosts"):
                self.arrow(self.box(f"host {host}", _HOSTS, ["any host" if host == hosts.ALL else host]), gateway)
            for rule, route in _named(virtual_service):
                box = self.box(f"{rule} at gateways", _ROUTES, _route(route))
                self.arrow(gateway, box)
                self._destinations(virtual_service, route, box, to_services=True)

    def service(self, service: Service) -> None:
        """Adds a service, the routes that sidecars apply to it, and its workloads."""
        pods = self.mesh.workloads_of(service)
        rules = self._rules.get(service.host, [])
        if not (pods or rules or service.host in self.boxes or service.external):
            return
        name = self._service(service)
        for virtual_service in rules:
            for rule, route in _named(virtual_service):
                box = self.box(f"{rule} of sidecars", _RULES, _route(route))
                self.arrow(name, box)
                self._destinations(virtual_service, route, box, to_services=False)
        for pod in pods:
            version = self._version(pod)
            if not rules:
                self.arrow(name, version)

    def _service(self, service: Service) -> str:
        kind = "outside" if service.external else ""
        return self.box(service.host, _SERVICES, [service.host.partition(".svc.")[0], kind])

    def _destinations(self, virtual_service: Object, route: Mapping[str, Any], source: str, to_services: bool) -> None:
        """Adds arrows from a route to its destinations: to workloads, or to services if no subset is named."""
        shares = virtual_services.weighted_destinations(route)
        parts = [(destination, _percent(share) if len(shares) > 1 else "") for destination, share in shares]
        parts += [(destination, "copies") for _, destination, _ in virtual_services.mirrors(route)]
        for destination, label in parts:
            service = self.mesh.service(destination["host"], virtual_service.namespace)
            if service is None:
                self.arrow(
                    source, self.box(f"? {destination['host']}", _SERVICES, [destination["host"], "unknown"]), label
                )
                continue
            subset = destination.get("subset")
            if to_services and not subset:
                self.arrow(source, self._service(service), label)
                continue
            for pod in self._pods(service, subset):
                self.arrow(source, self._version(pod), label)

    def _pods(self, service: Service, subset: str | None) -> Iterator[Workload]:
        """The workloads of a service, or of one of its subsets."""
        labels: Mapping[str, str] = {}
        for rule in self.mesh.of(kinds.DESTINATION_RULE):
            if self.mesh.full_host(rule.spec.get("host", ""), rule.namespace) == service.host:
                labels = next((s.get("labels") or {} for s in rule.items("subsets") if s["name"] == subset), labels)
        return (pod for pod in self.mesh.workloads_of(service) if labels.items() <= pod.labels.items())

    def _version(self, pod: Workload) -> str:
        locks = ["mTLS"] if pod.proxy and self._peers.mode(pod) == STRICT else []
        without = "" if pod.proxy else "no sidecar"
        return self.box(str(pod.object.ref), _VERSIONS, [pod.object.name, without], [*locks, *self._locks(pod)])

    def _locks_of_gateway(self, gateway: Object | None) -> Sequence[str]:
        pods = self.mesh.gateway_pods(gateway) if gateway else ()
        tls = any((server.get("tls") or {}).get("mode") for server in gateway.items("servers")) if gateway else False
        return [*(["TLS"] if tls else []), *(self._locks(pods[0]) if pods else ())]

    def _locks(self, pod: Workload) -> Sequence[str]:
        return self._guards.get(pod, [])


def _named(virtual_service: Object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The routes of a VirtualService, with ids that identify them across pictures.

    An id is made from a route's matches, not from its index, which changes when a route is inserted before it.
    """
    seen: Counter[str] = Counter()
    for route in virtual_services.all_routes(virtual_service):
        name = "; ".join([str(virtual_service.ref), *map(_match, route.get("match") or ())])
        seen[name] += 1
        yield f"{name} {seen[name]}", route


def _route(route: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a route's box: its matches, faults, redirect, timeout and retries."""
    matches = [_match(match) for match in route.get("match") or ()]
    yield from matches[:_MOST] or ["all requests"]
    if len(matches) > _MOST:
        yield f"and {len(matches) - _MOST} more"
    delay, abort = ((route.get("fault") or {}).get(name) for name in ("delay", "abort"))
    if delay:
        yield f"fault: {_percent(virtual_services.fault_share(delay))} {delay.get('fixedDelay', '')} late"
    if abort:
        yield f"fault: {_percent(virtual_services.fault_share(abort))} end in {abort.get('httpStatus', '')}"
    if route.get("redirect"):
        yield f"redirect to {route['redirect'].get('authority', '')}{route['redirect'].get('uri', '')}"
    if route.get("timeout"):
        yield f"timeout {route['timeout']}"
    if route.get("retries"):
        yield f"retries {route['retries'].get('attempts', 0)}"


def _match(match: Mapping[str, Any]) -> str:
    parts = []
    for name, condition in {**(match.get("headers") or {}), **(match.get("queryParams") or {})}.items():
        parts.append(f"{name}: {_string(condition)}")
    for name in ("method", "uri", "authority", "scheme"):
        if name in match:
            parts.append(_string(match[name]))
    parts += match.get("sniHosts") or ()
    parts += [f"without {name}" for name in match.get("withoutHeaders") or ()]
    parts += [f"from {value}" for value in (match.get("sourceLabels") or {}).values()]
    parts += [f"from namespace {match['sourceNamespace']}"] if match.get("sourceNamespace") else []
    parts += [f"to {subnet}" for subnet in match.get("destinationSubnets") or ()]
    return ", ".join(parts) or "all requests"


def _string(condition: Mapping[str, str]) -> str:
    how, value = next(iter(condition.items()), ("", "any"))
    return f"{value}*" if how == "prefix" else f"/{value}/" if how == "regex" else value


def _percent(share: float) -> str:
    return f"{share * 100:g} %"


def _short(text: str) -> str:
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
