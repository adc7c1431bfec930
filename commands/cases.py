"""The requests with which `make smoke` tries the routes of hosts: one for each route and answer, with the proxy to send
it to."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import SplitResult

from commands import spoken
from commands.asking import Way, principal_of
from commands.spoken import CONNECTIONS, GRPC, HEALTH
from commands.stackfiles import CommandError
from mesh.analysis.mesh import Mesh
from mesh.analysis.services import Service
from mesh.analysis.workloads import Workload
from mesh.core import kinds
from mesh.core.names import EMBEDDED_CLUSTERS
from mesh.requests import expected, samples
from mesh.requests.evaluator import Evaluator
from mesh.requests.expected import Answers
from mesh.requests.rate_limits import Limit, RateLimits
from mesh.requests.samples import Sample
from mesh.requests.types import Outcome
from sandbox import live

SAFE: Final = ("GET", "HEAD", "OPTIONS")
"""Methods of requests to a cluster that is not an embedded one: they change nothing."""
_LOOPBACK: Final = "127.0.0.1"


@dataclass(frozen=True)
class Case:
    """A request to try."""

    sample: Sample
    outcome: Outcome
    answers: Answers
    way: Way
    spoken: str = spoken.HTTP
    """The protocol of the request; see `commands.spoken`."""
    limits: tuple[Limit, ...] = ()
    """The limits of the route and of the pods that may answer, each once for every proxy that has it."""

    def __str__(self) -> str:
        return spoken.told(self.sample, self.spoken)


@dataclass(frozen=True)
class Cases:
    """The requests to try, and the number of requests that cannot be tried, by reason."""

    cases: Sequence[Case]
    left: Mapping[str, int]


def of(mesh: Mesh, context: str, url: SplitResult, token: str) -> Cases:
    """The requests for a URL. Its host is a host of a Gateway, a service, or an address, which stands for all hosts.
    Without a URL: the requests for all hosts and services with routes. Raises CommandError if there are none."""
    judge, left, found = Evaluator(mesh), Counter[str](), dict[tuple[Any, ...], Case]()
    rates = RateLimits(mesh)
    one_host = bool(url.hostname) and not _is_address(url.hostname or "")
    for sample in sorted(_wanted(mesh, url), key=lambda one: (one.method != "GET", len(one.headers))):
        asked = replace(sample, principal=sample.principal or principal_of(token))
        outcome = _outcome(judge, asked)
        speaks = spoken.of(mesh, sample, outcome)
        if speaks == GRPC:
            asked = spoken.as_call(asked)
            outcome = _outcome(judge, asked)
        answers, way = expected.answers(outcome), _way(mesh, context, url, sample)
        if way is None or answers is None or not (one_host or sample.outside or outcome.rule):
            continue
        if why := _reason(mesh, context, replace(asked, principal=sample.principal), speaks):
            left[why] += 1
            continue
        answers, called = spoken.answers(answers, speaks), spoken.called(mesh, sample)
        place = (called.host, sample.port) if called else (sample.source, sample.origin)
        # A redirect to the path of the request is the same answer for every path.
        alike = ((name.removesuffix(sample.path), share) for name, share in answers.shares.items())
        key = (*place, outcome.rule or outcome.reason, *alike, *answers.late.items())
        limits = () if speaks in CONNECTIONS else tuple(_limits(mesh, context, rates, sample, outcome))
        found.setdefault(key, Case(asked, outcome, answers, way, speaks, limits))
    if not found:
        raise CommandError(_nothing(mesh, context, url, left))
    return Cases([*found.values()], left)


def _outcome(judge: Evaluator, sample: Sample) -> Outcome:
    pod = _source(judge.mesh, sample)
    return (judge.from_outside if sample.outside else judge.from_workload)(sample.request, pod)


def _source(mesh: Mesh, sample: Sample) -> Workload:
    namespace, _, name = sample.source.partition("/")
    pod = mesh.workloads.named(namespace, name)
    assert pod
    return pod


def _limits(mesh: Mesh, context: str, rates: RateLimits, sample: Sample, outcome: Outcome) -> Iterator[Limit]:
    """The rate limits that a request counts toward, each once for every proxy that has it: those of the gateway, of the
    route, and of the pods that may receive it. The live sandbox has one proxy for all pods of a workload."""
    pods = [(_source(mesh, sample), outcome.route)] if sample.outside else []
    for receiver in outcome.receivers:
        service = mesh.service(receiver.host, "")
        behind = mesh.workloads_of(service) if service else ()
        pods += [(pod, "") for pod in behind if pod.object.name in receiver.workloads]
    for pod, route in pods:
        number = 1 if context in EMBEDDED_CLUSTERS else pod.object.spec.get("replicas") or 1
        yield from rates.of(pod, route) * number


def _wanted(mesh: Mesh, url: SplitResult) -> Sequence[Sample]:
    """The samples of the hosts that the URL selects; only the one for its path if the URL has a path."""
    every = [one for one in samples.between(mesh, mesh).requests if not one.further]
    if url.scheme:
        every = [one for one in every if not one.outside or one.secure == (url.scheme == "https")]
    host = url.hostname or ""
    found = _of_host(mesh, every, host, url.port) if host and not _is_address(host) else every
    if url.path in ("", "/"):
        return found
    path = f"{url.path}{f'?{url.query}' if url.query else ''}"
    plain = {(one.source, one.host, one.port): one for one in found}
    return [replace(one, path=path, method="GET", headers=(), address="") for one in plain.values()]


def _of_host(mesh: Mesh, every: Sequence[Sample], host: str, port: int | None) -> Sequence[Sample]:
    """The samples of a host at gateways; else of a service of this name, at one port if the URL has one; else of
    gateways that serve wildcards, with this host."""
    outside = [one for one in every if one.outside]
    inside = [one for one in every if _is_named(spoken.called(mesh, one), host) and port in (None, one.port)]
    wild = [replace(one, host=host) for one in outside if one.host.startswith("any.")]
    return [one for one in outside if one.host == host] or inside or wild


def _is_named(service: Service | None, host: str) -> bool:
    """Whether a host is a name of a service: `cart`, `cart.shop`, `cart.shop.svc`, …"""
    return service is not None and f"{service.host}.".startswith(f"{host}.")


def _is_address(host: str) -> bool:
    """Whether a URL's host is an address and not a name that a Gateway may serve."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return True


def _reason(mesh: Mesh, context: str, sample: Sample, speaks: str) -> str:
    """Why a request is not tried; empty if it is."""
    if sample.principal or sample.claims:
        return "that need a specific token"
    if sample.address:
        return "from a specific client address"
    if spoken.needs_certificate(mesh, sample):
        return "to gateways that ask for a certificate"
    if not speaks:
        return "to UDP ports"
    if speaks in CONNECTIONS and _has_other(mesh, sample):
        return "to ports that several services have: the live sandbox reaches only one of these services"
    if context not in EMBEDDED_CLUSTERS and not _is_safe(sample, speaks):
        return "whose method may change something"
    return ""


def _is_safe(sample: Sample, speaks: str) -> bool:
    return sample.path == HEALTH if speaks == GRPC else sample.method in SAFE


def _has_other(mesh: Mesh, sample: Sample) -> bool:
    """Whether another service has the same port as the one that a workload calls. Here Services have no addresses, so
    that proxies tell requests apart by host, and cannot tell connections apart. The Services of gateways do not count:
    nobody calls them."""
    called = spoken.called(mesh, sample)
    if not called:
        return False
    others = (one for one in mesh.services.all if one is not called and not one.external and one.port(sample.port))
    return not all(any(pod.gateway for pod in mesh.workloads_of(one)) for one in others)


def _way(mesh: Mesh, context: str, url: SplitResult, sample: Sample) -> Way | None:
    """The way to the proxy that receives a request; None if this machine cannot reach it."""
    embedded, host = context in EMBEDDED_CLUSTERS, url.hostname or ""
    if not sample.outside:
        return _from_workload(context, sample) if embedded else None
    if host and (_is_address(host) or not embedded):
        secure = url.scheme == "https"
        return Way(host, url.port or (443 if secure else 80), secure=secure, stand_ins=embedded)
    port = _node_port(mesh, sample) if embedded else None
    return Way(_LOOPBACK, port, secure=sample.secure, stand_ins=True) if port else None


def _from_workload(context: str, sample: Sample) -> Way | None:
    """The way through the sidecar of a calling workload. Only sidecars of the live sandbox can be reached."""
    for one in live.serving(context):
        if f"{one.namespace}/{one.name}" == sample.source:
            return Way(one.outbound, live.bound(sample.port), stand_ins=True)
    return None


def _node_port(mesh: Mesh, sample: Sample) -> int | None:
    """The node port of a gateway's Service for one of its ports, or of its pods'."""
    namespace, _, name = sample.source.partition("/")
    pod = mesh.workloads.named(namespace, name)
    ports = [port for service in mesh.services_of([pod] if pod else []) for port in service.object.items("ports")]
    found = (port["nodePort"] for port in ports if sample.port in (port["port"], port.get("targetPort")))
    return next(found, None)


def _nothing(mesh: Mesh, context: str, url: SplitResult, left: Mapping[str, int]) -> str:
    if left:
        return f"no request to {url.hostname or 'any host'} can be tried: all are requests {' or '.join(left)}"
    if not url.hostname and context not in EMBEDDED_CLUSTERS:
        return "the address of the gateways is not known: set URL=http://… with a host of a Gateway"
    if service := next((one for one in mesh.services.all if _is_named(one, url.hostname or "")), None):
        return _no_caller(service, context, url)
    served = [host for one in mesh.of(kinds.GATEWAY) for server in one.items("servers") for host in server["hosts"]]
    return (
        f"nothing serves {url.geturl() or 'any host'}; the Gateways serve {', '.join(dict.fromkeys(served)) or 'none'}"
    )


def _no_caller(service: Service, context: str, url: SplitResult) -> str:
    """Why no workload can call a service of the mesh."""
    if context not in EMBEDDED_CLUSTERS:
        return f"{url.hostname} is a service: requests to services are tried in the live sandbox only"
    if url.port and not service.port(url.port):
        return f"{url.hostname} has no port {url.port}; it has {', '.join(str(one.number) for one in service.ports)}"
    return f"{url.hostname} has no caller: requests to a service go through the sidecar of another workload"
