"""Checks ServiceEntries: TCP ports have addresses, and entries for one host agree on protocols."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from mesh.analysis import codes, hosts
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.core import kinds


def addresses(mesh: Mesh) -> Iterator[Finding]:
    """An entry with a TCP port sets `addresses`; otherwise it claims all traffic to that port."""
    for entry in mesh.of(kinds.SERVICE_ENTRY):
        for i, port in enumerate(entry.items("ports")):
            if (port.get("protocol") or "TCP").upper() == "TCP" and not entry.items("addresses"):
                text = f"it takes all TCP traffic to port {port.get('number')}, whatever the address: set addresses"
                yield codes.NO_ADDRESS.at(entry, f"ports[{i}]", text)


def protocols(mesh: Mesh) -> Iterator[Finding]:
    """Entries for the same host and port, visible to the same namespace, have the same protocol."""
    said: dict[tuple[str, int], list[tuple[str, Object]]] = defaultdict(list)
    for entry in mesh.of(kinds.SERVICE_ENTRY):
        for host in entry.items("hosts"):
            for port in entry.items("ports"):
                said[host, port.get("number") or 0].append(((port.get("protocol") or "TCP").upper(), entry))
    for (host, number), several in said.items():
        for protocol, entry in several if len({protocol for protocol, _ in several}) > 1 else ():
            mine = hosts.exported_to(entry.items("exportTo"), entry.namespace)
            for other_protocol, other in several:
                theirs = hosts.exported_to(other.items("exportTo"), other.namespace)
                both = mine & theirs or hosts.ALL in mine | theirs
                if other_protocol != protocol and both:
                    text = f"{host}:{number} is {protocol} here and {other_protocol} in {other.ref}: choose one"
                    yield codes.ENTRY_CLASH.at(entry, "ports", text)
                    break


RULES: Final = (addresses, protocols)
