"""Checks the hosts and gateways of VirtualServices: Gateways serve the hosts, and no two claim the same host."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from mesh.analysis import codes, hosts, virtual_services
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object, Ref
from mesh.core import errors, kinds


class _Served:
    """The hosts of a Gateway's servers, with the namespaces whose VirtualServices may bind to them."""

    def __init__(self, gateway: Object) -> None:
        self._names = {
            hosts.of_server(entry, gateway.namespace)
            for server in gateway.items("servers")
            for entry in server.get("hosts") or ()
        }

    def has(self, host: str, namespace: str) -> bool:
        """Whether a VirtualService of `namespace` may bind `host`, or some name that it matches if it is a wildcard."""
        places = (hosts.ALL, namespace)
        if any((place, name) in self._names for name in (host, *hosts.wildcards(host)) for place in places):
            return True
        return host.startswith("*") and any(p in places and hosts.overlap(host, n) for p, n in self._names)


def gateways(mesh: Mesh) -> Iterator[Finding]:
    """Each Gateway that a VirtualService names exists, and serves one of its hosts."""
    served = {gateway.ref: _Served(gateway) for gateway in mesh.of(kinds.GATEWAY)}
    for thing in mesh.of(kinds.VIRTUAL_SERVICE):
        for i, name, ref in virtual_services.gateways(thing):
            if ref not in served:
                around = [r.name if r.namespace == thing.namespace else f"{r.namespace}/{r.name}" for r in served]
                text = f"there is no {ref}{errors.nearest(name, around)}"
                yield codes.NOT_FOUND.at(thing, f"gateways[{i}]", text)
            if ref not in served or not any(served[ref].has(h, thing.namespace) for h in thing.items("hosts")):
                text = f"{ref} serves none of {', '.join(thing.items('hosts'))} to namespace {thing.namespace}"
                yield codes.HOST_NOT_IN_GATEWAY.at(thing, f"gateways[{i}]", text)


def in_sidecars(mesh: Mesh) -> Iterator[Finding]:
    """At most one VirtualService for a host is visible to the sidecars of a namespace."""
    by_host: dict[str, list[Object]] = defaultdict(list)
    for thing in mesh.of(kinds.VIRTUAL_SERVICE):
        if virtual_services.for_sidecars(thing):
            for host in thing.items("hosts"):
                by_host[mesh.full(host, thing.namespace)].append(thing)
    for host, several in by_host.items():
        yield from _seen_together(host, several)


def _seen_together(host: str, several: Sequence[Object]) -> Iterator[Finding]:
    seen: dict[str, list[Object]] = defaultdict(list)
    for thing in several:
        for place in hosts.exported_to(thing.items("exportTo"), thing.namespace):
            seen[place].append(thing)
    everywhere = seen.get(hosts.ALL, [])
    told: set[Ref] = set()
    for place, things in seen.items():
        together = things if place == hosts.ALL else [*things, *everywhere]
        for thing in together if len(together) > 1 else ():
            others = ", ".join(str(other.ref) for other in together if other is not thing)
            if others and thing.ref not in told:
                told.add(thing.ref)
                text = f"{others} is also for {hosts.short(host, thing.namespace)} in sidecars: join them into one"
                yield codes.HOST_CLASH.at(thing, "hosts", text)


def at_gateways(mesh: Mesh) -> Iterator[Finding]:
    """Each host has at most one VirtualService at a Gateway."""
    by_host: dict[tuple[Ref, str], list[Object]] = defaultdict(list)
    for thing in mesh.of(kinds.VIRTUAL_SERVICE):
        for _, _, ref in virtual_services.gateways(thing):
            for host in thing.items("hosts"):
                by_host[ref, mesh.full(host, thing.namespace)].append(thing)
    for (ref, host), things in by_host.items():
        for thing in things[1:]:
            text = f"{things[0].ref} is also for {host} at {ref}: which routes come first depends on which is older"
            yield codes.GATEWAY_HOST_CLASH.at(thing, "hosts", text)


def past_subsets(mesh: Mesh) -> Iterator[Finding]:
    """Routes at a gateway name a subset where the host's own VirtualService, for sidecars alone, routes to subsets."""
    with_subsets: dict[str, Object] = {}
    for thing in mesh.of(kinds.VIRTUAL_SERVICE):
        own = {mesh.full(host, thing.namespace) for host in thing.items("hosts")}
        for receiver in virtual_services.receivers(thing):
            host = mesh.full(receiver.host, thing.namespace)
            if receiver.subset and host in own and receiver.path.startswith("http"):
                with_subsets.setdefault(host, thing)
    for thing in mesh.of(kinds.VIRTUAL_SERVICE):
        for receiver in virtual_services.receivers(thing) if thing.items("gateways") else ():
            other = with_subsets.get(mesh.full(receiver.host, thing.namespace))
            if other and not receiver.subset and not receiver.mirror and receiver.path.startswith("http"):
                text = f"requests from the gateway go to all of {receiver.host}, past {other.ref}: name a subset here"
                yield codes.NO_EFFECT_AT_INGRESS.at(thing, receiver.path, text)


RULES: Final = (gateways, in_sidecars, at_gateways, past_subsets)
