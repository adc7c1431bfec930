"""Receivers of the proxies' spans."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mesh.analysis.objects import Ref
from mesh.core import kinds
from mesh.core.names import ZIPKIN
from mesh.upgrade import settings
from mesh.upgrade.changes import Place
from mesh.upgrade.subject import Hit, Subject

_OPENCENSUS: Final = ("opencensus", "stackdriver", "openCensusAgent")
_LIGHTSTEP: Final = ("lightstep",)


def default_tracing(subject: Subject) -> Iterator[Hit]:
    """The Service to which proxies send spans by default, if it exists and no setting names it."""
    service = subject.mesh.get(Ref(kinds.SERVICE, subject.mesh.home, ZIPKIN))
    before, after = (one.release.mesh_config(one) for one in (subject.before, subject.after))
    sent = before.get("enableTracing", True) and ZIPKIN in _tracing(before)
    if service and sent and not (_named(after) or _chosen_by_objects(subject)):
        yield Hit(Place.of(service), {"service": f"{ZIPKIN}.{subject.mesh.home}"})


def _tracing(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The tracer of all proxies in a MeshConfig."""
    found: Mapping[str, Any] = (config.get("defaultConfig") or {}).get("tracing") or {}
    return found


def _named(config: Mapping[str, Any]) -> bool:
    """Whether a MeshConfig names a receiver of spans."""
    return bool(_tracing(config) or (config.get("defaultProviders") or {}).get("tracing"))


def _chosen_by_objects(subject: Subject) -> bool:
    telemetries = subject.mesh.of(kinds.TELEMETRY)
    return any(part.get("providers") for obj in telemetries for part in obj.items("tracing"))


def opencensus(subject: Subject) -> Iterator[Hit]:
    """The tracers that speak OpenCensus."""
    return _tracers(subject, _OPENCENSUS)


def lightstep(subject: Subject) -> Iterator[Hit]:
    """Lightstep's own tracer."""
    return _tracers(subject, _LIGHTSTEP)


def _tracers(subject: Subject, names: tuple[str, ...]) -> Iterator[Hit]:
    own = settings.own(subject.before)
    if own.get("global", {}).get("proxy", {}).get("tracer") in names:
        yield Hit(Place("mesh:global.proxy.tracer"))
    for name in subject.proxy_config.get("tracing") or ():
        if name in names:
            yield Hit(Place(f"mesh:meshConfig.defaultConfig.tracing.{name}"))
    for i, provider in enumerate(subject.mesh_config.get("extensionProviders") or ()):
        for name in names:
            if name in provider:
                yield Hit(Place(f"mesh:meshConfig.extensionProviders[{i}].{name}"))


def gateway_spans(subject: Subject) -> Iterator[Hit]:
    """The gateways, if a receiver gets the spans of the mesh."""
    for name, gateway in subject.before.values.gateways.items() if subject.traces else ():
        if gateway.enabled:
            yield Hit(Place(f"mesh:gateways.{name}"))


RULES: Final = {
    "default-tracing": default_tracing,
    "opencensus-tracers": opencensus,
    "lightstep-tracers": lightstep,
    "gateway-spans": gateway_spans,
}
