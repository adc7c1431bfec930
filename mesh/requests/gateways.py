"""What a gateway's pods listen on, and for whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mesh.analysis import hosts
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Ref
from mesh.analysis.workloads import Workload
from mesh.core import kinds
from mesh.core.protocols import is_http
from mesh.requests.types import Request


@dataclass(frozen=True, kw_only=True)
class Listening:
    """Who takes a request at a gateway."""

    served: Mapping[Ref, Sequence[tuple[str, str]]] = field(default_factory=dict)
    """The Gateways that listen there, and for each the (namespace, host) that it serves; none if nobody listens."""
    request: Request
    """The request, with the port as Gateways call it."""
    target: int | None = None
    """The pods' port."""
    redirected: bool = False
    """Whether plain requests are sent to https."""
    reason: str = ""
    """Why nobody listens."""


def listening(mesh: Mesh, pod: Workload, asked: Request) -> Listening:
    """Who takes a request to a port of the Service before a gateway's pods."""
    target = _target(mesh, pod, asked.port)
    served: dict[Ref, list[tuple[str, str]]] = {}
    number, redirected = asked.port, False
    for thing in mesh.of(kinds.GATEWAY):
        if not (thing.spec.get("selector") or {}).items() <= pod.labels.items():
            continue
        for server in thing.items("servers"):
            said, tls = server["port"].get("number"), server.get("tls") or {}
            speaks = is_http(server["port"].get("protocol") or "") != asked.secure
            if said not in (asked.port, target) or not speaks:
                continue
            names = [hosts.parse_server_host(entry, thing.namespace) for entry in server.get("hosts") or ()]
            number = said
            served.setdefault(thing.ref, []).extend(names)
            redirected = redirected or (tls.get("httpsRedirect", False) and _any(names, asked.host))
    reason = "" if served else f"no Gateway listens on port {asked.port}{' for https' if asked.secure else ''}"
    request = replace(asked, port=number)
    return Listening(served=served, request=request, target=target, redirected=redirected, reason=reason)


def _any(names: Sequence[tuple[str, str]], host: str) -> bool:
    return hosts.most_specific(host.lower(), dict.fromkeys((name for _, name in names), True)) is not None


def _target(mesh: Mesh, pod: Workload, port: int) -> int | None:
    """The pods' port behind a port of their Service."""
    for service in mesh.services.all:
        if service.namespace == pod.namespace and pod in mesh.workloads_of(service):
            found: Any = service.port(port)
            if found and isinstance(found.target, int):
                return int(found.target)
    return None
