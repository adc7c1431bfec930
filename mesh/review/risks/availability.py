"""Risks for availability: restarted, deleted or fewer pods, replaced objects, changed Secrets, wider roles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object, Ref
from mesh.core import kinds, words
from mesh.core.kinds import group_of
from mesh.review.fields import differences
from mesh.review.risks.risk import Found, RiskKind, Weight
from mesh.review.subject import Subject

RUNNING: Final = (kinds.DEPLOYMENT, kinds.STATEFUL_SET, kinds.DAEMON_SET)
"""Kinds that keep pods running."""
_MOST: Final = 3
"""The most fields that a reason names."""


def restarts(subject: Subject) -> Found:
    """Workloads whose pods are replaced."""
    for old, new, replaced in _restarted(subject):
        yield new.ref, f"{_pods(old, subject.old)}: {'it is replaced' if replaced else _why(old, new)}"


def restarted(subject: Subject) -> str:
    """The number of pods that restart, such as `at least 2 pods`; empty if none does."""
    found = [old for old, _, _ in _restarted(subject)]
    return pods(found, subject.old) if found else ""


def _restarted(subject: Subject) -> Iterator[tuple[Object, Object, bool]]:
    """The workloads whose pods restart, before and after the change, and whether the workload itself is replaced."""
    for change in subject.of(*RUNNING):
        if change.old and change.new and _number(change.old, subject.old) != (0, False):
            replaced = change.op == "replace"
            if replaced or change.old.spec.get("template") != change.new.spec.get("template"):
                yield change.old, change.new, replaced


def _why(old: Object, new: Object) -> str:
    changed = differences(old.spec.get("template"), new.spec.get("template"))
    names = list(dict.fromkeys(_short(one.path) for one in changed))
    return f"changed {', '.join(names[:_MOST])}{', …' if len(names) > _MOST else ''}"


def _short(path: str) -> str:
    """A path in a pod template without `spec.` or `metadata.`."""
    return path.removeprefix("spec.").removeprefix("metadata.")


def _pods(obj: Object, mesh: Mesh) -> str:
    """The number of pods of a workload, in words."""
    return "a pod on each node" if obj.kind == kinds.DAEMON_SET else pods([obj], mesh)


def pods(found: Iterable[Object], mesh: Mesh) -> str:
    """The number of pods of workloads, such as `at least 2 pods`."""
    numbers = [_number(obj, mesh) for obj in found]
    more = "at least " if any(more for _, more in numbers) else ""
    return f"{more}{words.count(sum(number for number, _ in numbers), 'pod')}"


def restarting(subject: Subject) -> frozenset[Ref]:
    """The workloads whose pods restart."""
    return frozenset(new.ref for _, new, _ in _restarted(subject))


def _number(obj: Object, mesh: Mesh) -> tuple[int, bool]:
    """The number of pods of a workload, and whether it may be larger: with an autoscaler, or a pod on each node."""
    if obj.kind == kinds.DAEMON_SET:
        return 1, True
    if scaler := _scaler(obj, mesh):
        return scaler.spec.get("minReplicas") or 1, True
    count = obj.spec.get("replicas", 1)
    return (count, False) if isinstance(count, int) else (1, True)


def _scaler(obj: Object, mesh: Mesh) -> Object | None:
    """The HorizontalPodAutoscaler of a workload; None if it has none."""
    for one in mesh.of(kinds.HORIZONTAL_POD_AUTOSCALER):
        target = one.spec.get("scaleTargetRef") or {}
        same = (target.get("kind"), target.get("name")) == (obj.kind.name, obj.name)
        if one.namespace == obj.namespace and same and _group(target, obj) == obj.kind.group:
            return one
    return None


def _group(target: Mapping[str, Any], obj: Object) -> str:
    """The API group of an autoscaler's target; the workload's own if the target names none."""
    return group_of(target["apiVersion"]) if target.get("apiVersion") else obj.kind.group


def gone(subject: Subject) -> Found:
    """Workloads that are deleted."""
    for change in subject.of(*RUNNING):
        if change.new is None and change.old:
            yield change.ref, f"{_pods(change.old, subject.old)} gone"


def fewer(subject: Subject) -> Found:
    """Workloads with fewer replicas, and deleted PodDisruptionBudgets."""
    for change in subject.of(*RUNNING):
        if change.old and change.new and not _scaler(change.new, subject.new):
            was, now = (obj.spec.get("replicas", 1) for obj in (change.old, change.new))
            if isinstance(was, int) and isinstance(now, int) and now < was:
                yield change.ref, f"{was} → {now} pods"
    for change in subject.of(kinds.HORIZONTAL_POD_AUTOSCALER):
        if change.old and change.new:
            was, now = (obj.spec.get("minReplicas") or 1 for obj in (change.old, change.new))
            if now < was:
                yield change.ref, f"at least {was} → {now} pods"
    for change in subject.of(kinds.POD_DISRUPTION_BUDGET):
        if change.new is None and any(one.name == change.ref.name for one in subject.new.of(kinds.DEPLOYMENT)):
            yield change.ref, "a drain of nodes may evict all pods at once"


def replaced(subject: Subject) -> Found:
    """Objects that are deleted and created again."""
    for change in subject.changes:
        if change.op == "replace":
            fixed = ", ".join(one.path for one in change.fields[:_MOST])
            yield change.ref, f"it is deleted and created again{f': changed {fixed}' if fixed else ''}"


def secrets(subject: Subject) -> Found:
    """Secrets whose keys or values change."""
    for change in subject.of(kinds.SECRET):
        if change.old and change.new and change.fields:
            yield change.ref, ", ".join(f"{one.path}: {one.note or 'changed'}" for one in change.fields)


def rights(subject: Subject) -> Found:
    """Roles and ClusterRoles that allow more."""
    for change in subject.of(kinds.ROLE, kinds.CLUSTER_ROLE):
        before, after = (_granted(obj) for obj in (change.old, change.new))
        if change.old and (more := sorted(after - before)):
            yield change.ref, f"may now {words.some([f'{verb} {what}' for what, verb in more], _MOST, '; ')}"


def _granted(role: Object | None) -> set[tuple[str, str]]:
    """What a role allows, as pairs of `resource.group` and verb."""
    return {
        (f"{resource}.{group}".rstrip("."), verb)
        for rule in (role.body.get("rules") or () if role else ())
        for group in rule.get("apiGroups") or ("",)
        for resource in rule.get("resources") or rule.get("nonResourceURLs") or ()
        for verb in rule["verbs"]
    }


RISKS: Final = (
    RiskKind(
        name="restarts pods",
        weight=Weight.MEDIUM,
        meaning="the pod template changes; with an autoscaler, the number of pods is its minimum",
        find=restarts,
    ),
    RiskKind(
        name="workload deleted",
        weight=Weight.MEDIUM,
        meaning="a Deployment, StatefulSet or DaemonSet is deleted, with its pods",
        find=gone,
    ),
    RiskKind(
        name="object replaced",
        weight=Weight.MEDIUM,
        meaning="an object is deleted and created again, because a field that changes is immutable",
        find=replaced,
    ),
    RiskKind(
        name="secret changed",
        weight=Weight.MEDIUM,
        meaning="the keys or values of a Secret change; the values are never shown",
        find=secrets,
    ),
    RiskKind(
        name="rights widened",
        weight=Weight.MEDIUM,
        meaning="an existing Role or ClusterRole allows more",
        find=rights,
    ),
    RiskKind(
        name="fewer replicas",
        weight=Weight.LOW,
        meaning="a workload has fewer pods, or its PodDisruptionBudget is deleted",
        find=fewer,
    ),
)
