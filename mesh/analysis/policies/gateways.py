"""Wildcard hosts of gateways that are reachable from outside the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.policies.policy import Policy
from mesh.core import kinds
from mesh.core.protocols import is_http, is_tls
from mesh.releases.release import Release

_EXPOSED_TYPES: Final = ("LoadBalancer", "NodePort")


def wildcards(mesh: Mesh, _: Release) -> Iterator[Finding]:
    """Wildcard hosts of Gateways whose pods have a Service that is reachable from outside."""
    for gateway in mesh.of(kinds.GATEWAY):
        pods = mesh.gateway_pods(gateway)
        services = (service.object for service in mesh.services_of(pods))
        exposed = sorted({f"Service {thing.namespace}/{thing.name}" for thing in services if _is_exposed(thing)})
        for i, server in enumerate(gateway.items("servers") if exposed else ()):
            protocol = (server.get("port") or {}).get("protocol", "")
            if not (is_http(protocol) or is_tls(protocol)):
                continue  # requests carry no host
            for j, host in enumerate(server.get("hosts") or ()):
                name = host.rpartition("/")[2]
                if name.startswith("*"):
                    which = "any host" if name == "*" else f"any subdomain of {name[2:]}"
                    path = f"servers[{i}].hosts[{j}]"
                    remedy = "name the hosts"
                    if not gateway.is_written(path):
                        remedy = f"leave this Gateway out of {gateway.origin}, and name its hosts in mesh:traffic.hosts"
                    text = f"{which} is served to the outside, through {' and '.join(exposed)}: {remedy}"
                    yield WILDCARD_HOST.at(gateway, path, text)


def _is_exposed(service: Object) -> bool:
    """Whether a Service is reachable from outside the cluster."""
    return service.spec.get("type") in _EXPOSED_TYPES or bool(service.spec.get("externalIPs"))


WILDCARD_HOST: Final = Policy(
    code="MESH0304",
    name="WildcardHost",
    meaning="A gateway that is reachable from outside the cluster serves a wildcard host.",
    check_mesh=wildcards,
)
