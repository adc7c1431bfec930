"""Checks Gateways: the selector matches pods, Services expose the ports, and hosts and certificates do not clash."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from mesh.analysis import certificates, codes, hosts
from mesh.analysis.findings import Finding, Severity
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object, Ref, entries
from mesh.analysis.services import Service
from mesh.analysis.suppression import ANNOTATION, CONFIG
from mesh.analysis.trusted_proxies import trusted
from mesh.analysis.workloads import Workload
from mesh.core import kinds
from mesh.core.protocols import is_tls

_HTTPS: Final = 443
"""The port to which a redirect to https leads."""


def selectors_and_ports(mesh: Mesh) -> Iterator[Finding]:
    """The selector of each Gateway matches pods, and a Service of those pods has each port."""
    for gateway in mesh.of(kinds.GATEWAY):
        pods = mesh.gateway_pods(gateway)
        if not pods:
            remedy = "change its selector"
            if gateway.origin:
                remedy = f"enable a gateway with them in mesh:gateways, or leave this Gateway out of {gateway.origin}"
            text = f"no pod has the labels {_selector(gateway)}: nothing serves this Gateway; {remedy}"
            yield codes.NOT_FOUND.at(gateway, "selector", text)
            continue
        targets = mesh.release.analysis.gateway_targets
        code = codes.PORT_NOT_ON_SERVICE if targets else codes.PORT_NOT_ON_WORKLOAD
        services = [service for pod in pods for service in mesh.services_before.get(pod, ())]
        open_ports = {number for service in services for number in _numbers(service, targets)}
        for i, server in enumerate(gateway.items("servers")):
            number = server["port"].get("number")
            if number not in open_ports:
                have = ", ".join(map(str, sorted(open_ports))) or "none"
                text = f"no Service of the pods {_selector(gateway)} leads to port {number} (ports: {have})"
                yield code.at(gateway, f"servers[{i}].port.number", text)


def _numbers(service: Service, targets: bool) -> Iterator[int]:
    """The port numbers by which a Gateway may refer to a port of this Service: its own, and its target port."""
    for port in service.ports:
        yield port.number
        if targets and isinstance(port.target, int):
            yield port.target


def _selector(gateway: Object) -> str:
    """The selector of a Gateway, for messages: `istio=ingressgateway`."""
    return ",".join(f"{key}={value}" for key, value in (gateway.spec.get("selector") or {}).items())


def host_clashes(mesh: Mesh) -> Iterator[Finding]:
    """No two Gateways have the same host on the same port of the same pods."""
    taken: dict[tuple[object, ...], list[Object]] = defaultdict(list)
    for gateway in mesh.of(kinds.GATEWAY):
        for _, keys in _listeners(mesh, gateway):
            for key in keys:
                if gateway not in taken[key]:
                    taken[key].append(gateway)
    for gateway in mesh.of(kinds.GATEWAY):
        for i, keys in _listeners(mesh, gateway):
            others = {other: key[2] for key in keys for other in taken[key] if other is not gateway}
            if others:
                host, names = next(iter(others.values())), ", ".join(sorted(str(other.ref) for other in others))
                said = entries([gateway, *others])
                remedy = f"leave it out of one of {said}" if said else "join them, or change the hosts"
                text = f"{names} also serves {host} on this port: {remedy}"
                yield codes.GATEWAY_CLASH.at(gateway, f"servers[{i}]", text)


def _listeners(mesh: Mesh, gateway: Object) -> Iterator[tuple[int, Sequence[tuple[object, ...]]]]:
    """Each server's index, and its claims: tuples of pod (or selector, if it matches none), port, host and `bind`."""
    selector = gateway.spec.get("selector") or {}
    pods: list[object] = list(mesh.workloads.select(selector)) or [frozenset(selector.items())]
    for i, server in enumerate(gateway.items("servers")):
        number, bind = server["port"].get("number"), server.get("bind") or ""
        yield i, [(pod, number, host, bind) for pod in pods for host in server.get("hosts") or ()]


def secrets(mesh: Mesh) -> Iterator[Finding]:
    """The Secret of each `credentialName` is in the namespace of the gateway's pods, and has a valid certificate."""
    now = datetime.now(UTC)
    for gateway in mesh.of(kinds.GATEWAY):
        namespaces = list(dict.fromkeys(pod.namespace for pod in mesh.gateway_pods(gateway)))
        for i, server in enumerate(gateway.items("servers")):
            name = (server.get("tls") or {}).get("credentialName")
            if not name or not namespaces:
                continue
            place = f"servers[{i}].tls.credentialName"
            found = [obj for namespace in namespaces if (obj := mesh.get(Ref(kinds.SECRET, namespace, name)))]
            if not found:
                wanted = f"{namespaces[0]}/{name}"
                where = mesh.by(CONFIG, ANNOTATION)
                text = (
                    f"Secret {wanted} is unknown: make sure that it is on the cluster, and suppress this with {where}"
                )
                yield codes.NOT_FOUND.at(gateway, place, text, Severity.WARNING)
            for secret in found:
                if wrong := certificates.problem(secret.body, now):
                    yield codes.INVALID_CERTIFICATE.at(gateway, place, f"{secret.ref}: {wrong}")


def redirects(mesh: Mesh) -> Iterator[Finding]:
    """For each server that redirects to https, another one serves the hosts with TLS on port 443; or the gateway is
    behind a load balancer that says which clients use https."""
    served: dict[Workload, list[str]] = defaultdict(list)
    for gateway in mesh.of(kinds.GATEWAY):
        for pod in mesh.gateway_pods(gateway):
            for server in gateway.items("servers"):
                if is_tls(server["port"].get("protocol") or "") and _HTTPS in _asked(mesh, pod, server["port"]):
                    served[pod] += [host.rpartition("/")[2] for host in server.get("hosts") or ()]
    for gateway in mesh.of(kinds.GATEWAY):
        for i, server in enumerate(gateway.items("servers")):
            names = [host.rpartition("/")[2] for host in server.get("hosts") or ()]
            missing = [
                name
                for pod in mesh.gateway_pods(gateway)
                for name in names
                if not trusted(mesh, pod) and not any(hosts.overlap(name, other) for other in served[pod])
            ]
            if missing and (server.get("tls") or {}).get("httpsRedirect"):
                text = f"clients are sent to https://{missing[0]}, port {_HTTPS}, which nothing serves: serve it there"
                yield codes.MANGLED.at(gateway, f"servers[{i}].tls.httpsRedirect", text)


def _asked(mesh: Mesh, pod: Workload, port: Mapping[str, Any]) -> set[int]:
    """The ports of Services through which clients reach a server of a gateway's pods; its own port if none is known."""
    found = {
        other.number
        for service in mesh.services_before.get(pod, ())
        for other in service.ports
        if port.get("number") in (other.number, other.target)
    }
    return found or {port.get("number") or 0}


def shared_certificates(mesh: Mesh) -> Iterator[Finding]:
    """No two Gateways of the same pods use the same certificate."""
    used: dict[str, list[tuple[Object, int]]] = defaultdict(list)
    for gateway in mesh.of(kinds.GATEWAY):
        for i, server in enumerate(gateway.items("servers")):
            if certificate := _certificate(server.get("tls") or {}):
                used[certificate].append((gateway, i))
    for certificate, users in used.items():
        for gateway, i in users:
            others = sorted({str(other.ref) for other, _ in users if _meet(gateway, other)})
            if others:
                text = f"{', '.join(others)} also uses the certificate {certificate}: join them, or clients get 404s"
                yield codes.CERTIFICATE_TWICE.at(gateway, f"servers[{i}].tls", text)


def _meet(one: Object, other: Object) -> bool:
    """Whether two Gateways may be for the same pods: the selector of one is part of the other's."""
    labels, others = ((gateway.spec.get("selector") or {}).items() for gateway in (one, other))
    return one is not other and (labels <= others or others <= labels)


def _certificate(tls: Mapping[str, Any]) -> str:
    """The Secret or the files of a server's certificate; empty if it has none."""
    if tls.get("credentialName"):
        return str(tls["credentialName"])
    certificate, key = tls.get("serverCertificate"), tls.get("privateKey")
    return f"{certificate} {key}" if certificate and key else ""


RULES: Final = (selectors_and_ports, host_clashes, secrets, redirects, shared_certificates)
