"""Risks of exposure: Services, Gateways and addons that can be reached from outside, and their addresses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mesh.analysis import anonymous_access
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object, Ref
from mesh.core import kinds
from mesh.core.protocols import is_http_after_tls
from mesh.requests.comparison import Answer
from mesh.requests.samples import Sample
from mesh.review.risks import admitted
from mesh.review.risks.risk import Found, RiskKind, Weight
from mesh.review.subject import Subject

_OUTSIDE: Final = ("ClusterIP", "NodePort", "LoadBalancer")
"""Types of Services, from the least to the most exposed."""
_ADDONS: Final = "mesh:addons"
"""The config key that addons come from."""
_TLS: Final = ("", "PASSTHROUGH", "SIMPLE", "MUTUAL")
"""TLS modes of a Gateway's server, from the weakest to the strongest."""


def opened(subject: Subject) -> Found:
    """Services and Gateways that more clients, ports or hosts can reach from outside."""
    for change in subject.of(kinds.SERVICE):
        if change.new:
            yield from ((change.ref, why) for why in _service(change.old, change.new))
    yield from _routed(subject)
    for change in subject.of(kinds.GATEWAY):
        if change.new and _public(subject.new, change.new):
            more = _unasked(change.new, subject.new) - (_served(change.old) if change.old else set())
            for host in sorted({host for _, host in more}):
                ports = ", ".join(str(port) for port, other in sorted(more) if other == host)
                yield change.ref, f"{'any host' if host == '*' else host} is let in on port {ports}"


def more_paths(subject: Subject) -> Found:
    """Changed Gateways and VirtualServices that let in a request from outside that was not routed before, to a service
    that could already be reached at this host."""
    yield from _routed(subject, known=True)


def _routed(subject: Subject, known: bool = False) -> Found:
    """Changed Gateways and VirtualServices that let in a request from outside that was not routed before: the Gateway,
    if it changes. `known`: whether only to services that could already be reached at its host, or only to others."""
    gateways = [one for one in subject.of(kinds.GATEWAY) if one.new and _public(subject.new, one.new)]
    routes = [one for one in subject.of(kinds.VIRTUAL_SERVICE) if one.new]
    before = {key for sample, was, _ in subject.requests.answers for key in _reached(sample, was)}
    seen: dict[Ref, str] = {}
    for turned in () if subject.is_new else admitted.opened(subject):
        if admitted.is_forbidden(turned.was.outcome) or not _comes_from_outside(turned.sample, subject):
            continue
        if known is not (_reached(turned.sample, turned.now) <= before):
            continue
        by_gateway = [one.ref for one in gateways if one.new and admitted.serves(one.new, turned.sample)]
        by_route = [one.ref for one in routes if one.new and admitted.routes(one.new, turned.sample)]
        for ref in by_gateway or by_route:
            seen.setdefault(ref, f"a request from outside is newly let in: {turned.text}")
    yield from seen.items()


def _reached(sample: Sample, answer: Answer) -> set[tuple[str, int, bool, str]]:
    """The services that a request from outside reaches, with the requested host and port."""
    receivers = answer.outcome.receivers if answer.outcome and sample.outside else ()
    at = sample.host, sample.port, sample.secure
    return {(*at, receiver.host) for receiver in receivers if receiver.status == 200}


def _comes_from_outside(sample: Sample, subject: Subject) -> bool:
    """Whether a request comes through a gateway that can be reached from outside."""
    pod = subject.new.workloads.named(*sample.source.split("/", 1)) if sample.outside else None
    return pod is not None and any(_rank(_type(one.object)) for one in subject.new.services_of([pod]))


def _unasked(gateway: Object, mesh: Mesh) -> set[tuple[int, str]]:
    """The ports and hosts of a Gateway's servers whose requests are not evaluated: all servers if the pods are not part
    of the stack, else the servers that are not for HTTP, or pass TLS through."""
    known = bool(mesh.gateway_pods(gateway))
    return {
        (server["port"]["number"], host.rpartition("/")[2])
        for server in gateway.items("servers")
        for host in server.get("hosts") or ()
        if not known
        or not is_http_after_tls(server["port"].get("protocol") or "")
        or "PASSTHROUGH" in ((server.get("tls") or {}).get("mode") or "")
    }


def _service(old: Object | None, new: Object) -> Iterator[str]:
    was, now = (_type(obj) for obj in (old, new))
    if _rank(now) > _rank(was):
        yield f"Service type {was} → {now}" if old else f"a new Service of type {now}"
        return
    if old is None or not _rank(now):
        return
    before, after = (set(obj.items("loadBalancerSourceRanges")) for obj in (old, new))
    if before and not after:
        yield "loadBalancerSourceRanges is removed: every address may connect"
    elif before and (more := sorted(after - before)):
        yield f"addresses {', '.join(more)} may connect as well"
    ports = {port["port"] for port in new.items("ports")} - {port["port"] for port in old.items("ports")}
    if ports:
        yield f"port {', '.join(map(str, sorted(ports)))} can be reached as well"


def _type(service: Object | None) -> str:
    return (service.spec.get("type") or "ClusterIP") if service else "none"


def _rank(kind: str) -> int:
    return _OUTSIDE.index(kind) if kind in _OUTSIDE else 0


def _public(mesh: Mesh, gateway: Object) -> bool:
    """Whether a Gateway's pods can be reached from outside; True if they are not part of the stack."""
    pods = mesh.gateway_pods(gateway)
    return not pods or any(_rank(_type(service.object)) for service in mesh.services_of(pods))


def _served(gateway: Object) -> set[tuple[int, str]]:
    """The ports and hosts that a Gateway serves."""
    return {
        (server["port"]["number"], host.rpartition("/")[2])
        for server in gateway.items("servers")
        for host in server.get("hosts") or ()
    }


def released(subject: Subject) -> Found:
    """Services that lose, or may lose, their external address or node ports."""
    for change in subject.of(kinds.SERVICE):
        if change.old is None or not _rank(was := _type(change.old)):
            continue
        held = "external address" if was == "LoadBalancer" else "node ports"
        if change.new is None:
            yield change.ref, f"the Service is deleted, and its {held} with it"
        elif change.op == "replace":
            yield change.ref, f"the Service is replaced: its {held} may change"
        elif _rank(now := _type(change.new)) < _rank(was):
            yield change.ref, f"Service type {was} → {now}: {held} released; node ports may change"
        elif moved := _moved(change.old, change.new):
            yield change.ref, moved


def _moved(old: Object, new: Object) -> str:
    """The fixed node ports that change, in words; empty if none does."""
    before, after = ({p.get("name"): p.get("nodePort") for p in obj.items("ports")} for obj in (old, new))
    moved = {name: port for name, port in before.items() if port != after.get(name)}
    if not any(moved.values()):
        return ""
    said = [f"{name} {port} → {after.get(name) or 'any'}" for name, port in moved.items()]
    return f"node ports: {', '.join(said)}"


def tls(subject: Subject) -> Found:
    """Servers of Gateways with a weaker TLS mode, no redirect to https, or an older minimal TLS version."""
    for change in subject.of(kinds.GATEWAY):
        if not (change.old and change.new):
            continue
        before, after = (_encryption(obj) for obj in (change.old, change.new))
        for (number, host), said in sorted(after.items()):
            was = before.get((number, host))
            if was is not None and (why := _weaker(was, said)):
                yield change.ref, f"{why} on port {number}"


def _encryption(gateway: Object) -> Mapping[tuple[int, str], Mapping[str, Any]]:
    """The TLS settings of a Gateway by port and host."""
    return {
        (server["port"]["number"], host): server.get("tls") or {}
        for server in gateway.items("servers")
        for host in server.get("hosts") or ()
    }


def _weaker(was: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    modes = [said.get("mode") or "" for said in (was, now)]
    if all(mode in _TLS for mode in modes) and _TLS.index(modes[1]) < _TLS.index(modes[0]):
        return f"TLS {modes[0]} → {modes[1] or 'none'}"
    if was.get("httpsRedirect") and not now.get("httpsRedirect"):
        return "plain HTTP is no longer redirected to https"
    oldest = [said.get("minProtocolVersion") or "TLS_AUTO" for said in (was, now)]
    return f"oldest TLS {oldest[0]} → {oldest[1]}" if oldest[1] < oldest[0] and oldest[0] != "TLS_AUTO" else ""


def addons(subject: Subject) -> Found:
    """Addons that get a host at the ingress gateway, or that no longer require a login."""
    for change in subject.changes:
        if not change.item.object.origin.startswith(_ADDONS) or change.new is None:
            continue
        if change.ref.kind == kinds.VIRTUAL_SERVICE:
            more = set(change.new.items("hosts")) - set(change.old.items("hosts") if change.old else ())
            if more:
                yield change.ref, f"reached from outside as {', '.join(sorted(more))}"
        elif _anonymous(change.new) and not (change.old and _anonymous(change.old)):
            yield change.ref, "requires no login (insecureDemo)"


def _anonymous(obj: Object) -> bool:
    return any(anonymous_access.find(obj))


RISKS: Final = (
    RiskKind(
        name="opened to the outside",
        weight=Weight.HIGH,
        meaning="a Service becomes NodePort or LoadBalancer, or such a Service has more ports or admits more addresses;"
        " a gateway lets in a request that was not routed before, to a service that could not be reached at this host"
        " (for Gateways with TCP or TLS: more hosts or ports)",
        find=opened,
    ),
    RiskKind(
        name="more paths from outside",
        weight=Weight.MEDIUM,
        meaning="a gateway lets in a request that was not routed before, to a service that could already be reached at"
        " this host",
        find=more_paths,
    ),
    RiskKind(
        name="addon exposed",
        weight=Weight.HIGH,
        meaning="an addon gets a host at the ingress gateway, or requires no login",
        find=addons,
    ),
    RiskKind(
        name="gateway TLS weakened",
        weight=Weight.HIGH,
        meaning="a server of a Gateway no longer requires TLS or client certificates, or accepts older versions of TLS",
        find=tls,
    ),
    RiskKind(
        name="external address released",
        weight=Weight.HIGH,
        meaning="a Service with an address or node ports is deleted, replaced or changes type: node ports may change",
        find=released,
    ),
)
