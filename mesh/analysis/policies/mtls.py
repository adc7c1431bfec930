"""Workloads with a sidecar that accept plain text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.mtls import STRICT, PeerAuthentications
from mesh.analysis.policies.policy import Policy
from mesh.releases.release import Release


def plain_text(mesh: Mesh, _: Release) -> Iterator[Finding]:
    """Workloads, or single ports of them, that do not require mutual TLS. Gateways are exempt: all may call them."""
    peers = PeerAuthentications(mesh)
    for workload in mesh.workloads.all:
        if not workload.proxy or workload.gateway:
            continue
        deciding = peers.applying_to(workload)
        reason = f"by {deciding[0].ref}" if deciding else "since no PeerAuthentication applies to it"
        mode = peers.mode(workload)
        if mode != STRICT:
            text = f"mutual TLS is {mode} {reason}: it should be {STRICT}"
            yield PLAIN_TEXT.at(workload.object, "", text)
        ports: Mapping[Any, Any] = (deciding[0].spec.get("portLevelMtls") or {}) if deciding else {}
        for port in ports:
            port_mode = peers.mode(workload, int(port))
            if port_mode not in (STRICT, mode):
                text = f"mutual TLS is {port_mode} on port {port} {reason}: it should be {STRICT}"
                yield PLAIN_TEXT.at(workload.object, "", text)


PLAIN_TEXT: Final = Policy(
    code="MESH0303",
    name="PlainTextAccepted",
    meaning="A workload with a sidecar accepts plain text: no PeerAuthentication makes its mutual TLS STRICT.",
    check_mesh=plain_text,
)
