"""Finds the servers of Gateways that take a request at a gateway's pods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from mesh.analysis import hosts
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Ref
from mesh.analysis.workloads import Workload
from mesh.core import kinds
from mesh.core.protocols import is_http_after_tls, is_tls
from mesh.requests.types import Request

_PASSED_ON: Final = ("PASSTHROUGH", "AUTO_PASSTHROUGH")
"""TLS modes in which the gateway does not terminate TLS."""


@dataclass(frozen=True, kw_only=True)
class ListenerMatch:
    """The Gateways that take a request at a gateway's pods, or why none does."""

    served: Mapping[Ref, Sequence[tuple[str, str]]] = field(default_factory=dict)
    """The Gateways that listen on the port, each with the (namespace, host) pairs that it serves; empty if none
    listens."""
    request: Request
    """The request, with the port number of the matching server."""
    target: int | None = None
    """The port of the pods; None if unknown."""
    redirected: bool = False
    """Whether the server redirects plain HTTP to https."""
    connection: bool = False
    """Whether the server sees no requests, only connections."""
    reason: str = ""
    """Why no Gateway takes the request."""


def match_listeners(mesh: Mesh, pod: Workload, request: Request) -> ListenerMatch:
    """The Gateways that take a request to a port of the Service of a gateway's pods. A server matches by the port of
    the Service or of the pod, and by whether it speaks plain HTTP or TLS."""
    target = _target(mesh, pod, request.port)
    served: dict[Ref, list[tuple[str, str]]] = {}
    number, redirected, connection = request.port, False, False
    for gateway in mesh.of(kinds.GATEWAY):
        if not (gateway.spec.get("selector") or {}).items() <= pod.labels.items():
            continue
        for server in gateway.items("servers"):
            port, tls = server["port"].get("number"), server.get("tls") or {}
            same_security = is_tls(server["port"].get("protocol") or "") == request.secure
            if port not in (request.port, target) or not same_security:
                continue
            names = [hosts.parse_server_host(entry, gateway.namespace) for entry in server.get("hosts") or ()]
            number = port
            served.setdefault(gateway.ref, []).extend(names)
            redirected = redirected or (tls.get("httpsRedirect", False) and _serves(names, request.host))
            connection = connection or (takes_connections(server) and _serves(names, request.host))
    reason = "" if served else f"no Gateway listens on port {request.port}{' for https' if request.secure else ''}"
    if request.secure and served and not any(_serves(names, request.host) for names in served.values()):
        # The proxy chooses by the server name in the handshake, and closes connections with an unknown name.
        served, reason = {}, f"no Gateway has a server for {request.host} on port {request.port} for https"
    return ListenerMatch(
        served=served,
        request=replace(request, port=number),
        target=target,
        redirected=redirected,
        connection=connection,
        reason=reason,
    )


def takes_connections(server: Mapping[str, Any]) -> bool:
    """Whether a server of a Gateway takes connections as a whole, and looks at no requests in them."""
    protocol = (server["port"].get("protocol") or "").upper()
    return not is_http_after_tls(protocol) or (server.get("tls") or {}).get("mode") in _PASSED_ON


def _serves(names: Sequence[tuple[str, str]], host: str) -> bool:
    return hosts.most_specific(host.lower(), dict.fromkeys((name for _, name in names), True)) is not None


def _target(mesh: Mesh, pod: Workload, port: int) -> int | None:
    """The target port of the pods, for a port of their Service; None if unknown."""
    for service in mesh.services_of([pod]):
        found = service.port(port)
        if found and isinstance(found.target, int):
            return found.target
    return None
