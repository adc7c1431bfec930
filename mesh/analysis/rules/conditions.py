"""Checks the conditions of routes: some request or connection can meet each of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPMethod
from typing import Any, Final

from mesh.analysis import codes, virtual_services
from mesh.analysis.findings import Finding
from mesh.analysis.mesh import Mesh, gateway_ref
from mesh.analysis.objects import Object
from mesh.analysis.virtual_services import MESH
from mesh.api import http_text
from mesh.api.http_match import is_claim
from mesh.core import errors, kinds

METHODS: Final = frozenset(map(str, HTTPMethod))
"""The standard methods. Proxies compare letter case."""


def matches(mesh: Mesh) -> Iterator[Finding]:
    """Requests or connections can meet each condition in the matches of a VirtualService."""
    for vs in mesh.of(kinds.VIRTUAL_SERVICE):
        for protocol in ("http", "tls", "tcp"):
            for i, route in enumerate(virtual_services.routes(vs, protocol)):
                for j, match in enumerate(route.get("match") or ()):
                    for field, problem in (*_of_request(match), *_of_place(mesh, vs, match)):
                        path = f"{protocol}[{i}].match[{j}].{field}"
                        yield codes.NO_REQUESTS.at(vs, path, problem)


def _of_request(match: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Conditions on the request itself that no request meets: the field, and why."""
    for field, check in (("uri", _uri), ("method", _method), ("authority", _authority)):
        if problem := check(match.get(field) or {}):
            yield field, problem


def _uri(condition: Mapping[str, str]) -> str:
    if "regex" in condition:
        return http_text.regex_condition(condition["regex"])
    wanted = condition.get("exact") or condition.get("prefix") or ""
    return http_text.condition(wanted) if wanted else ""


def _method(condition: Mapping[str, str]) -> str:
    return method(condition.get("exact") or condition.get("prefix") or "")


def method(text: str) -> str:
    """Why no request has the method, or one with this prefix; empty if some can."""
    if text not in METHODS and text.upper() in METHODS:
        return f"{errors.show(text)} is not a method, since letter case counts: write {text.upper()}"
    return ""


def _authority(condition: Mapping[str, str]) -> str:
    return http_text.host_condition(condition.get("exact") or condition.get("prefix") or "")


def _of_place(mesh: Mesh, vs: Object, match: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Conditions on ports and callers that the mesh does not have: the field, and why."""
    if match.get("port"):
        have = _ports(mesh, vs, match)
        if have and match["port"] not in have:
            known = ", ".join(map(str, sorted(have)))
            yield "port", f"port {match['port']} is not a port of {', '.join(vs.items('hosts'))} (ports: {known})"
    labels = match.get("sourceLabels") or {}
    if labels and not any(pod.proxy for pod in mesh.workloads.select(labels)):
        which = ",".join(f"{key}={value}" for key, value in labels.items())
        yield "sourceLabels", f"no pod with a sidecar has the labels {which}, so no caller matches"
    place = match.get("sourceNamespace")
    if place and place not in mesh.known_namespaces:
        around = errors.nearest(place, mesh.known_namespaces)
        yield "sourceNamespace", f"namespace {place} is unknown{around}"


def _ports(mesh: Mesh, vs: Object, match: Mapping[str, Any]) -> set[int]:
    """The ports on which requests can reach a match; empty if not all of them are known."""
    found: set[int] = set()
    for name in match.get("gateways") or vs.items("gateways") or (MESH,):
        if name == MESH:
            services = [mesh.service(host, vs.namespace) for host in vs.items("hosts")]
            more = {port.number for service in services if service for port in service.ports}
            complete = bool(services) and all(services)
        else:
            gateway = mesh.get(gateway_ref(name, vs.namespace))
            more = {server["port"].get("number") for server in gateway.items("servers")} if gateway else set()
            complete = gateway is not None
        if not complete:
            return set()
        found |= more
    return found


def http_ports(mesh: Mesh) -> Iterator[Finding]:
    """A VirtualService for sidecars that has HTTP routes is for a host with an HTTP port."""
    for host, several in virtual_services.of_sidecars(mesh).items():
        for vs in several:
            service = mesh.services.find(host, vs.namespace)
            ports = service.ports if service else ()
            if vs.items("http") and ports and all(port.of_connections for port in ports):
                said = ", ".join(f"{port.number} is {port.protocol}" for port in ports)
                way = (
                    "name a port http-…" if service and service.object.kind == kinds.SERVICE else "set protocol to HTTP"
                )
                text = f"{host} has no HTTP port ({said}), so sidecars ignore these routes: {way}, or drop them"
                yield codes.HTTP_ON_TCP.at(vs, "http", text)


def missing_headers(mesh: Mesh) -> Iterator[Finding]:
    """A match that excludes a value of a header has a second one for requests without the header, in releases in which
    the first one does not match these."""
    if mesh.release.requests.missing_is_empty:
        return
    for vs in mesh.of(kinds.VIRTUAL_SERVICE):
        for i, route in enumerate(virtual_services.routes(vs)):
            matches: Sequence[Mapping[str, Any]] = route.get("match") or ()
            for j, match in enumerate(matches):
                unwanted = match.get("withoutHeaders") or {}
                absent = {**match, "withoutHeaders": {name: {} for name in unwanted}}
                names = [name for name, condition in unwanted.items() if condition and not is_claim(name)]
                if names and absent not in matches:
                    text = (
                        f"in this release, this matches no request without {errors.show(names[0])}: add a second match"
                        " with an empty condition, or let an earlier route take requests with the value"
                    )
                    yield codes.MISSING_HEADER.at(vs, f"http[{i}].match[{j}].withoutHeaders", text)


RULES: Final = (matches, http_ports, missing_headers)
