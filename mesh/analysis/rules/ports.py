"""Checks the ports of Services: names state the protocol, selectors match pods, Services of one workload agree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mesh.analysis import codes
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.services import Service
from mesh.analysis.workloads import SYSTEM
from mesh.core import kinds, protocols


def names(mesh: Mesh) -> Iterator[Finding]:
    """The name or the `appProtocol` of each port states its protocol."""
    for obj in mesh.of(kinds.SERVICE):
        if "istio" in obj.labels or obj.labels.get("release") == "istio" or obj.namespace in SYSTEM:
            continue
        for i, port in enumerate(obj.items("ports")):
            external = obj.spec.get("type") == "ExternalName"
            said = protocols.of_service_port(port)
            if external and (not said or port.get("name") == "tcp"):
                text = (
                    "the port needs a name that starts with its protocol and is not tcp: connections may fail otherwise"
                )
                yield codes.EXTERNAL_NAME_PORT.at(obj, f"ports[{i}].name", text)
            elif not said:
                name = port.get("name") or "without a name"
                text = f"port {port['port']} ({name}) has no appProtocol, and no name like http, grpc, tcp… or http-…"
                yield codes.PORT_NAME.at(obj, f"ports[{i}].name", text)


def selectors(mesh: Mesh) -> Iterator[Finding]:
    """The selector of each Service matches pods."""
    for service in mesh.services.all:
        if service.object.kind == kinds.SERVICE and service.selector and not mesh.workloads_of(service):
            which = ",".join(f"{key}={value}" for key, value in service.selector.items())
            text = f"no pod of namespace {service.namespace} has the labels {which}: connections are refused"
            yield codes.SERVICE_WITHOUT_PODS.at(service.object, "selector", text)


def conflicts(mesh: Mesh) -> Iterator[Finding]:
    """Services of one workload agree on the protocol of each port number, and on the number of each target port."""
    for workload, several in mesh.services_before.items():
        if workload.proxy and len(several) + sum(len(service.ports) for service in several) > 2:
            yield from _conflicts(workload.object, several)


def missing(mesh: Mesh) -> Iterator[Finding]:
    """A Service selects the pods of each Deployment in the mesh, in releases that want that."""
    for workload in mesh.workloads.all if mesh.release.analysis.wants_services else ():
        obj = workload.object
        if obj.kind == kinds.DEPLOYMENT and workload.proxy and not mesh.services_before.get(workload):
            text = "no Service selects these pods: add one, so that Istio knows their ports"
            yield codes.NO_SERVICE.at(obj, "", text)


def _conflicts(obj: Object, several: Sequence[Service]) -> Iterator[Finding]:
    protocols: dict[int, dict[str, str]] = defaultdict(dict)
    numbers: dict[str, dict[int, str]] = defaultdict(dict)
    for service in several:
        for port in service.object.items("ports"):
            protocols[port["port"]][port.get("protocol") or "TCP"] = service.object.name
            numbers[_target(port)][port["port"]] = service.object.name
    for number, by_protocol in protocols.items():
        if len(by_protocol) > 1:
            who = " and ".join(f"{name} ({protocol})" for protocol, name in by_protocol.items())
            yield codes.PROTOCOL_CLASH.at(obj, "", f"port {number} belongs to Services {who}: use two numbers")
    for target, by_number in numbers.items():
        if len(by_number) > 1:
            who = " and ".join(f"{name} ({number})" for number, name in sorted(by_number.items()))
            text = f"port {target} is reached by Services {who}: give it one number"
            yield codes.PORT_CLASH.at(obj, "", text)


def _target(port: Mapping[str, Any]) -> str:
    return str(port.get("targetPort") or port["port"])


RULES: Final = (names, selectors, conflicts, missing)
