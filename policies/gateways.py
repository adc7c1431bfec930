"""Which hosts a gateway serves that is reached from outside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from components.analysis import policies
from components.analysis.findings import Finding
from components.analysis.mesh import Mesh
from components.analysis.workloads import Workload

_OUTSIDE: Final = ("LoadBalancer", "NodePort")
_WITH_HOSTS: Final = ("HTTP", "HTTP2", "HTTPS", "GRPC", "GRPC-WEB", "TLS")
"""Protocols in which a client names a host."""


def wildcards(mesh: Mesh) -> Iterator[Finding]:
    """Hosts with a star, at gateways with a Service that is reached from outside."""
    for gateway in mesh.of("Gateway"):
        pods = mesh.workloads.select(gateway.spec.get("selector") or {})
        ways = sorted({way for pod in pods for way in _ways(mesh, pod)})
        for i, server in enumerate(gateway.items("servers") if ways else ()):
            if (server.get("port") or {}).get("protocol", "").upper() not in _WITH_HOSTS:
                continue
            for j, host in enumerate(server.get("hosts") or ()):
                name = host.rpartition("/")[2]
                if name.startswith("*"):
                    which = "any host" if name == "*" else f"any host below {name[2:]}"
                    text = f"{which} is served to the outside, through {' and '.join(ways)}: name the hosts"
                    yield policies.WILDCARD_HOST.at(gateway, f"servers[{i}].hosts[{j}]", text)


def _ways(mesh: Mesh, pod: Workload) -> Iterator[str]:
    """The Services through which pods are reached from outside."""
    for service in mesh.of("Service"):
        selector = service.spec.get("selector") or {}
        outside = service.spec.get("type") in _OUTSIDE or service.spec.get("externalIPs")
        if outside and selector and service.namespace == pod.namespace and selector.items() <= pod.labels.items():
            yield f"Service {service.namespace}/{service.name}"
