"""Risks for running sidecars: they keep the control plane and the configuration with which their pod was created."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from mesh.analysis import workloads
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object, Ref
from mesh.analysis.workloads import Workload
from mesh.core import kinds, pods
from mesh.core.names import DEFAULT_REVISION, MESH_CONFIG, REVISION_LABEL
from mesh.proxy import control_plane
from mesh.proxy.control_plane import GUIDE
from mesh.proxy.proxy import CONTAINER
from mesh.review import injection
from mesh.review.fields import differences
from mesh.review.injection import Injector
from mesh.review.risks import availability
from mesh.review.risks.availability import RUNNING
from mesh.review.risks.risk import Found, RiskKind, Weight
from mesh.review.subject import Subject

_OF_INJECTION: Final = ("holdApplicationUntilProxyStarts", "interceptionMode")
"""Fields of the ProxyConfig that only injection reads."""
_MOST: Final = 3
"""The most settings that a reason names."""


def control_planes(subject: Subject) -> Found:
    """Services of istiod that are deleted although pods that do not restart depend on them."""
    for service in _gone(subject):
        left = [one for one in _staying(subject) if _asks(one, service, subject.old)]
        unknown = _unknown(subject.old, _revision(service))
        if left or unknown:
            who = [availability.pods([one.object for one in left], subject.old)] if left else []
            who += [f"unknown pods in namespace {', '.join(unknown)}"] if unknown else []
            way_out = _way_out(subject)
            yield service.ref, f"{' and '.join(who)} would keep a sidecar that connects to it; `up` refuses. {way_out}"


def _way_out(subject: Subject) -> str:
    if not any(control_plane.serves_proxies(one.body) for one in subject.new.of(kinds.SERVICE)):
        return "Remove them from the stack as well, or restart them without a sidecar first"
    return f"Keep the old control plane beside the new one (mesh:controlPlanes) until they have moved: {GUIDE}"


def _gone(subject: Subject) -> Iterator[Object]:
    """The Services of control planes that are deleted."""
    for change in subject.of(kinds.SERVICE):
        if change.old and change.new is None and control_plane.serves_proxies(change.old.body):
            yield change.old


def _staying(subject: Subject) -> Iterator[Workload]:
    """The workloads with a proxy whose pods do not change, as they were before the change."""
    moving = availability.restarting(subject)
    for one in subject.old.workloads.all:
        if one.proxy and one.object.ref not in moving and subject.new.get(one.object.ref):
            yield one


def _asks(workload: Workload, service: Object, mesh: Mesh) -> bool:
    if proxy := pods.running_container(workload.pod, CONTAINER):
        return (service.namespace, service.name) in control_plane.asked(proxy.body)
    return _injecting(workload, mesh) == _revision(service)


def _injecting(workload: Workload, mesh: Mesh) -> str:
    """The revision that injects a workload."""
    return injection.revision(mesh, workload.namespace, workload.labels)


def _revision(service: Object) -> str:
    return service.labels.get(REVISION_LABEL, DEFAULT_REVISION)


def _unknown(mesh: Mesh, revision: str) -> list[str]:
    """The namespaces that a revision injects and whose pods the stack does not know."""
    return sorted(
        name
        for name, obj in mesh.namespaces.items()
        if workloads.injects_by_default(obj)
        and injection.revision(mesh, name, {}) == revision
        and not mesh.workloads.select({}, name)
    )


def outdated(subject: Subject) -> Found:
    """Pods that keep another sidecar than a new pod gets, by namespace; and gateways with an old configuration."""
    yield from _injected(subject)
    yield from _gateways(subject)


def _injected(subject: Subject) -> Found:
    before, after = (injection.injectors(mesh, subject.release) for mesh in (subject.old, subject.new))
    by_namespace: dict[str, list[Workload]] = {}
    reasons: dict[str, tuple[Injector, Injector]] = {}
    gone = {_revision(service) for service in _gone(subject)}  # their pods have a risk of their own
    for one in (*_staying(subject), *_of_others(subject)):
        now = subject.new.workloads.named(one.namespace, one.object.name) or one
        was, will = _injecting(one, subject.old), _injecting(now, subject.new)
        if not injection.is_injected(one) or not now.proxy or was in gone or was not in before or will not in after:
            continue
        pair = before[was], after[will]
        old, new = (injector.inject(one.object) for injector in pair)
        if old != new:
            by_namespace.setdefault(one.namespace, []).append(one)
            reasons[one.namespace] = pair
    for place, found in sorted(by_namespace.items()):
        yield Ref(kinds.NAMESPACE, "", place), _kept(place, found, reasons[place], subject)


def _of_others(subject: Subject) -> Iterator[Workload]:
    """A workload that stands for the unknown ones of each injected namespace without known workloads."""
    for name, obj in subject.old.namespaces.items():
        still = workloads.injects_by_default(obj) and workloads.injects_by_default(subject.new.namespaces.get(name))
        if still and not subject.old.workloads.select({}, name):
            one = workloads.from_object(injection.any_workload(name), subject.old.namespaces)
            yield from [one] if one else []


def _kept(place: str, found: list[Workload], pair: tuple[Injector, Injector], subject: Subject) -> str:
    known = [one.object for one in found if subject.old.get(one.object.ref)]
    who = availability.pods(known, subject.old) if known else "its pods"
    old, new = (injector.settings for injector in pair)
    update = ", or mesh:restartOnInjectionChange: true with this update," if known else ""
    changed, command = _changed(old, new), _command(place, known)
    return f"{who}: the old sidecar stays until a restart ({changed}). `{command}`{update} gives the new one"


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    paths = list(dict.fromkeys(one.path for one in differences(old, new)))
    names = [path for path in paths if not path.startswith("injector.")] or paths
    first = sorted(names, key=lambda name: not name.startswith("meshConfig"))
    return f"changed {', '.join(first[:_MOST])}{', …' if len(names) > _MOST else ''}" if names else "another revision"


def _command(place: str, found: Iterable[Object]) -> str:
    names = {obj.kind.name.lower() for obj in found if obj.kind in RUNNING} or {kinds.DEPLOYMENT.name.lower()}
    return f"kubectl rollout restart {','.join(sorted(names))} --namespace {place}"


def _gateways(subject: Subject) -> Found:
    """Gateways with an old configuration: they read `defaultConfig` from the mounted ConfigMap only when they start."""
    for one in _staying(subject):
        name = _mounted(one)
        maps = [mesh.get(Ref(kinds.CONFIG_MAP, one.namespace, name)) for mesh in (subject.old, subject.new)]
        old, new = (_read_at_start(obj) for obj in maps)
        if all(maps) and old != new:
            command = f"kubectl rollout restart {one.object.kind.name.lower()} {one.object.name}"
            yield (
                one.object.ref,
                f"{availability.pods([one.object], subject.old)}: the old configuration stays until a restart"
                f" ({_changed(old, new)}). `{command} --namespace {one.namespace}` gives the new one",
            )


def _read_at_start(config_map: Object | None) -> Mapping[str, Any]:
    """The part of the MeshConfig that a gateway reads when it starts, by config keys."""
    config = injection.mesh_config(config_map).get("defaultConfig") or {}
    return {"meshConfig": {"defaultConfig": {key: config[key] for key in config if key not in _OF_INJECTION}}}


def _mounted(workload: Workload) -> str:
    """The ConfigMap with the MeshConfig that a proxy in the pod template mounts; empty if it mounts none."""
    if injection.is_injected(workload):
        return ""
    names = [(volume.get("configMap") or {}).get("name", "") for volume in workload.pod.get("volumes") or ()]
    return next((name for name in names if name.partition("-")[0] == MESH_CONFIG and "ca-root" not in name), "")


RISKS: Final = (
    RiskKind(
        name="control plane removed",
        weight=Weight.HIGH,
        meaning="the Service of istiod is deleted, but sidecars of pods that do not restart still connect to it",
        find=control_planes,
    ),
    RiskKind(
        name="old sidecars stay",
        weight=Weight.MEDIUM,
        meaning="the injected sidecar changes, or the configuration that a gateway reads when it starts; pods keep the"
        " old one until they restart",
        find=outdated,
    ),
)
