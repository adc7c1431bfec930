"""Checks the hosts and gateways of VirtualServices: Gateways serve the hosts, and no two claim the same host."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from mesh.analysis import codes, hosts, virtual_services
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object, Ref, entries
from mesh.core import errors, kinds


class _Served:
    """The hosts of a Gateway's servers, with the namespaces whose VirtualServices may bind to them."""

    def __init__(self, gateway: Object) -> None:
        self._names = {
            hosts.parse_server_host(entry, gateway.namespace)
            for server in gateway.items("servers")
            for entry in server.get("hosts") or ()
        }

    def has(self, host: str, namespace: str) -> bool:
        """Whether a VirtualService of `namespace` may bind `host`; if it is a wildcard, some name that it matches."""
        places = (hosts.ALL, namespace)
        if any((place, name) in self._names for name in (host, *hosts.wildcards(host)) for place in places):
            return True
        return host.startswith("*") and any(p in places and hosts.overlap(host, n) for p, n in self._names)


def gateways(mesh: Mesh) -> Iterator[Finding]:
    """Each Gateway that a VirtualService names exists, and serves one of its hosts."""
    served = {gateway.ref: _Served(gateway) for gateway in mesh.of(kinds.GATEWAY)}
    for vs in mesh.of(kinds.VIRTUAL_SERVICE):
        for i, name, ref in virtual_services.gateways(vs):
            if ref not in served:
                around = [r.name if r.namespace == vs.namespace else f"{r.namespace}/{r.name}" for r in served]
                text = f"there is no {ref}{errors.nearest(name, around)}"
                yield codes.NOT_FOUND.at(vs, f"gateways[{i}]", text)
            if ref not in served or not any(served[ref].has(h, vs.namespace) for h in vs.items("hosts")):
                text = f"{ref} serves none of {', '.join(vs.items('hosts'))} to namespace {vs.namespace}"
                yield codes.HOST_NOT_IN_GATEWAY.at(vs, f"gateways[{i}]", text)


def sidecar_clashes(mesh: Mesh) -> Iterator[Finding]:
    """At most one VirtualService for a host is visible to the sidecars of a namespace."""
    for host, several in virtual_services.of_sidecars(mesh).items():
        yield from _seen_together(host, several)


def _seen_together(host: str, several: Sequence[Object]) -> Iterator[Finding]:
    seen: dict[str, list[Object]] = defaultdict(list)
    for vs in several:
        for place in hosts.exported_to(vs.items("exportTo"), vs.namespace):
            seen[place].append(vs)
    everywhere = seen.get(hosts.ALL, [])
    reported: set[Ref] = set()
    for place, found in seen.items():
        together = found if place == hosts.ALL else [*found, *everywhere]
        for vs in together if len(together) > 1 else ():
            others = ", ".join(str(other.ref) for other in together if other is not vs)
            if others and vs.ref not in reported:
                reported.add(vs.ref)
                keys = entries(together)
                remedy = f"leave it out of one of {keys}" if keys else "join them into one"
                text = f"{others} also has host {hosts.short_name(host, vs.namespace)} for sidecars: {remedy}"
                yield codes.HOST_CLASH.at(vs, "hosts", text)


def gateway_clashes(mesh: Mesh) -> Iterator[Finding]:
    """Each host has at most one VirtualService at a Gateway."""
    by_host: dict[tuple[Ref, str], list[Object]] = defaultdict(list)
    for vs in mesh.of(kinds.VIRTUAL_SERVICE):
        for _, _, ref in virtual_services.gateways(vs):
            for host in vs.items("hosts"):
                by_host[ref, mesh.full_host(host, vs.namespace)].append(vs)
    for (ref, host), found in by_host.items():
        for vs in found[1:]:
            text = f"{found[0].ref} also has host {host} at {ref}: the routes of the older one come first"
            yield codes.GATEWAY_HOST_CLASH.at(vs, "hosts", text)


def ignored_subsets(mesh: Mesh) -> Iterator[Finding]:
    """Routes at a gateway name a subset where the host's own VirtualService, for sidecars alone, routes to subsets."""
    with_subsets: dict[str, Object] = {}
    for vs in mesh.of(kinds.VIRTUAL_SERVICE):
        own = {mesh.full_host(host, vs.namespace) for host in vs.items("hosts")}
        for destination in virtual_services.destinations(vs):
            host = mesh.full_host(destination.host, vs.namespace)
            if destination.subset and host in own and destination.path.startswith("http"):
                with_subsets.setdefault(host, vs)
    for vs in mesh.of(kinds.VIRTUAL_SERVICE):
        for destination in virtual_services.destinations(vs) if vs.items("gateways") else ():
            other = with_subsets.get(mesh.full_host(destination.host, vs.namespace))
            if other and not destination.subset and not destination.mirror and destination.path.startswith("http"):
                remedy = "name a subset here"
                if not vs.is_written(destination.path):
                    remedy = f"leave the Gateway out of {vs.origin}, and name a version in mesh:traffic.hosts"
                text = f"requests from the gateway go to all of {destination.host} and bypass {other.ref}: {remedy}"
                yield codes.NO_EFFECT_AT_INGRESS.at(vs, destination.path, text)


RULES: Final = (gateways, sidecar_clashes, gateway_clashes, ignored_subsets)
