"""Sidecars and gateways as containers, and the traffic that is redirected to them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mesh.analysis.workloads import Workload
from mesh.core import kinds, pods, quantities
from mesh.core.words import count
from mesh.proxy import proxyconfig
from mesh.proxy.proxy import CONTAINER
from mesh.upgrade.changes import Place
from mesh.upgrade.subject import Hit, Subject

_NATIVE: Final = (1, 33)
"""The first version of Kubernetes on which the injector makes sidecars init containers by default."""
_PROBES: Final = ("startupProbe", "readinessProbe", "livenessProbe")
_REWRITE: Final = "sidecar.istio.io/rewriteAppHTTPProbers"
_CPU_LIMIT: Final = "sidecar.istio.io/proxyCPULimit"
_EXCLUDED_INBOUND: Final = "traffic.sidecar.istio.io/excludeInboundPorts"
_INCLUDED_INBOUND: Final = "traffic.sidecar.istio.io/includeInboundPorts"
_EXCLUDED_PORTS: Final = "traffic.sidecar.istio.io/excludeOutboundPorts"
_EXCLUDED_RANGES: Final = "traffic.sidecar.istio.io/excludeOutboundIPRanges"
_GROUP_SWITCH: Final = "ENABLE_LEGACY_FSGROUP_INJECTION"
_SSH: Final = 22
_DNS: Final = "53"


def native_sidecars(subject: Subject) -> Iterator[Hit]:
    """All workloads with an injected sidecar, unless the cluster is too old."""
    if subject.kubernetes is None or subject.kubernetes >= _NATIVE:
        yield from (Hit(Place.of(one.object)) for one in subject.injected)


def startup_probes(subject: Subject) -> Iterator[Hit]:
    """All workloads with an injected sidecar, if sidecars will have the startup probe."""
    probe = subject.after.values.global_.proxy.startupProbe
    for one in subject.injected if probe.enabled else ():
        yield Hit(Place.of(one.object), {"seconds": str(probe.failureThreshold)})


def tcp_probes(subject: Subject) -> Iterator[Hit]:
    """The probes of TCP ports in pods whose probes are rewritten."""
    for one in subject.injected if subject.after.values.sidecarInjectorWebhook.rewriteAppHTTPProbe else ():
        if one.annotations.get(_REWRITE, "").lower() == "false":
            continue
        root, _ = pods.pod_spec(one.object.kind, one.object.body)
        for container in pods.running_containers(one.pod):
            for name in _PROBES if container.name != CONTAINER else ():
                if asked := (container.body.get(name) or {}).get("tcpSocket"):
                    path = f"{root.removeprefix('spec.')}.{container.path}.{name}"
                    yield Hit(Place.of(one.object, path), {"port": str(asked.get("port"))})


def port_22(subject: Subject) -> Iterator[Hit]:
    """The pods that listen on port 22, which will be redirected to their sidecar."""
    for one in subject.injected:
        excluded = one.annotations.get(_EXCLUDED_INBOUND, subject.after.values.global_.proxy.excludeInboundPorts)
        included = one.annotations.get(_INCLUDED_INBOUND, "*").split(",")
        redirected = str(_SSH) not in excluded.split(",") and ("*" in included or str(_SSH) in included)
        if _SSH in subject.mesh.listening(one) and redirected:
            yield Hit(Place.of(one.object))


def volume_groups(subject: Subject) -> Iterator[Hit]:
    """The pods with persistent volumes whose containers may need the group that injection set."""
    if subject.before.values.pilot.env.get(_GROUP_SWITCH) == "false":
        return
    for one in subject.injected:
        context = one.pod.get("securityContext") or {}
        claims = [
            *(one.object.spec.get("volumeClaimTemplates") or ()),
            *filter(_is_claim, one.pod.get("volumes") or ()),
        ]
        if claims and "fsGroup" not in context and context.get("runAsUser") != 0:
            yield Hit(Place.of(one.object))


def _is_claim(volume: Mapping[str, Any]) -> bool:
    return "persistentVolumeClaim" in volume


def sidecar_threads(subject: Subject) -> Iterator[Hit]:
    """The sidecars whose number of threads changes."""
    chosen = subject.proxy_config.get("concurrency")
    defaults = subject.before.release.proxy_config
    for one in subject.injected:
        if "concurrency" in one.annotations.get(proxyconfig.ANNOTATION, ""):
            continue
        old = chosen if chosen is not None else defaults["concurrency"]
        limits = subject.after.values.global_.proxy.resources.limits or {}
        new = _threads(subject, one.annotations.get(_CPU_LIMIT) or limits.get("cpu"))
        if old is not None and old != new:
            reason = "as many as its CPU limit" if new else "it has no CPU limit"
            yield Hit(Place.of(one.object), {"old": _said(old), "new": _said(new), "reason": reason})


def gateway_threads(subject: Subject) -> Iterator[Hit]:
    """The gateways that will have fewer threads than their node has cores."""
    if subject.before.release.proxy_config["concurrency"] is None:
        return
    for name, gateway in subject.before.values.gateways.items():
        there = subject.after.values.gateways.get(name, gateway)
        new = _threads(subject, (there.resources.limits or {}).get("cpu"))
        if gateway.enabled and new and "concurrency" not in there.podAnnotations.get(proxyconfig.ANNOTATION, ""):
            chosen = _chosen(subject)
            reason = "concurrency of the mesh also applies to gateways" if chosen else "as many as its CPU limit"
            yield Hit(Place(f"mesh:gateways.{name}"), {"new": _said(new), "reason": reason})


def _threads(subject: Subject, limit: Any) -> int:
    """The number of threads of a proxy of the newer release; 0 means one for each core of its node."""
    chosen = _chosen(subject)
    if chosen is not None:
        return chosen
    return math.ceil(quantities.parse(str(limit))) if limit else 0


def _chosen(subject: Subject) -> int | None:
    config = subject.after.values.meshConfig.defaultConfig
    return config.concurrency if config else None


def _said(threads: int) -> str:
    return count(threads, "worker thread") if threads else "a worker thread for each core of its node"


def dns_exclusions(subject: Subject) -> Iterator[Hit]:
    """The pods whose agent answers DNS requests, and that exclude addresses or ports of DNS servers."""
    for one in subject.injected if subject.captures_dns else ():
        ports = one.annotations.get(_EXCLUDED_PORTS, "").replace(" ", "").split(",")
        named = {_EXCLUDED_PORTS: _DNS in ports, _EXCLUDED_RANGES: bool(one.annotations.get(_EXCLUDED_RANGES))}
        for annotation, counts in named.items():
            if counts:
                yield Hit(Place.of(one.object, _annotations(one)), {"annotation": annotation})


def _annotations(workload: Workload) -> str:
    return "metadata.annotations" if workload.object.kind == kinds.POD else "template.metadata.annotations"


RULES: Final[Mapping[str, Any]] = {
    "native-sidecars": native_sidecars,
    "startup-probes": startup_probes,
    "tcp-probes": tcp_probes,
    "port-22": port_22,
    "volume-groups": volume_groups,
    "sidecar-threads": sidecar_threads,
    "gateway-threads": gateway_threads,
    "dns-exclusions": dns_exclusions,
}
