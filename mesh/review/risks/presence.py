"""Risks for what runs: pods that restart or go, objects that are gone for a moment, credentials and rights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.core import kinds, words
from mesh.core.kinds import group_of
from mesh.review.fields import differences
from mesh.review.risks.risk import Found, RiskKind, Weight
from mesh.review.subject import Subject

RUNNING: Final = (kinds.DEPLOYMENT, kinds.STATEFUL_SET, kinds.DAEMON_SET)
_MOST: Final = 3
"""So many reasons of a restart are named."""


def restarts(subject: Subject) -> Found:
    for old, new, replaced in _restarted(subject):
        yield new.ref, f"{_pods(old, subject.old)}: {'it is replaced' if replaced else _why(old, new)}"


def restarted(subject: Subject) -> str:
    """How many pods restart, in words; empty if none does."""
    found = [_number(old, subject.old) for old, _, _ in _restarted(subject)]
    count = sum(number for number, _ in found)
    more = "at least " if any(more for _, more in found) else ""
    return f"{more}{words.count(count, 'pod')}" if found else ""


def _restarted(subject: Subject) -> Iterator[tuple[Object, Object, bool]]:
    """Workloads with pods that get others, before and after, and whether they are replaced themselves."""
    for change in subject.of(*RUNNING):
        if change.old and change.new and _number(change.old, subject.old) != (0, False):
            replaced = change.op == "replace"
            if replaced or change.old.spec.get("template") != change.new.spec.get("template"):
                yield change.old, change.new, replaced


def _why(old: Object, new: Object) -> str:
    changed = differences(old.spec.get("template"), new.spec.get("template"))
    names = list(dict.fromkeys(_short(one.path) for one in changed))
    return f"other {', '.join(names[:_MOST])}{', …' if len(names) > _MOST else ''}"


def _short(path: str) -> str:
    """A path of a pod template without what all of them begin with."""
    return path.removeprefix("spec.").removeprefix("metadata.")


def _pods(thing: Object, mesh: Mesh) -> str:
    """How many pods there are, in words."""
    count, more = _number(thing, mesh)
    if thing.kind == kinds.DAEMON_SET:
        return "a pod on each node"
    return f"{'at least ' if more else ''}{words.count(count, 'pod')}"


def _number(thing: Object, mesh: Mesh) -> tuple[int, bool]:
    """How many pods there are, and whether there may be more: under an autoscaler, or with one on each node."""
    if thing.kind == kinds.DAEMON_SET:
        return 1, True
    if scaler := _scaler(thing, mesh):
        return scaler.spec.get("minReplicas") or 1, True
    count = thing.spec.get("replicas", 1)
    return (count, False) if isinstance(count, int) else (1, True)


def _scaler(thing: Object, mesh: Mesh) -> Object | None:
    for one in mesh.of(kinds.HORIZONTAL_POD_AUTOSCALER):
        target = one.spec.get("scaleTargetRef") or {}
        same = (target.get("kind"), target.get("name")) == (thing.kind.name, thing.name)
        if one.namespace == thing.namespace and same and _group(target, thing) == thing.kind.group:
            return one
    return None


def _group(target: Mapping[str, Any], thing: Object) -> str:
    """The API group of an autoscaler's target, which need not say one."""
    return group_of(target["apiVersion"]) if target.get("apiVersion") else thing.kind.group


def gone(subject: Subject) -> Found:
    for change in subject.of(*RUNNING):
        if change.new is None and change.old:
            yield change.ref, f"{_pods(change.old, subject.old)} gone"


def fewer(subject: Subject) -> Found:
    for change in subject.of(*RUNNING):
        if change.old and change.new and not _scaler(change.new, subject.new):
            was, now = (thing.spec.get("replicas", 1) for thing in (change.old, change.new))
            if isinstance(was, int) and isinstance(now, int) and now < was:
                yield change.ref, f"{was} → {now} pods"
    for change in subject.of(kinds.HORIZONTAL_POD_AUTOSCALER):
        if change.old and change.new:
            was, now = (thing.spec.get("minReplicas") or 1 for thing in (change.old, change.new))
            if now < was:
                yield change.ref, f"at least {was} → {now} pods"
    for change in subject.of(kinds.POD_DISRUPTION_BUDGET):
        if change.new is None and any(one.name == change.ref.name for one in subject.new.of(kinds.DEPLOYMENT)):
            yield change.ref, "all pods may be gone while nodes are drained"


def replaced(subject: Subject) -> Found:
    for change in subject.changes:
        if change.op == "replace":
            fixed = ", ".join(one.path for one in change.fields[:_MOST])
            yield change.ref, f"it is gone for a moment{f': other {fixed}' if fixed else ''}"


def secrets(subject: Subject) -> Found:
    for change in subject.of(kinds.SECRET):
        if change.old and change.new and change.fields:
            yield change.ref, ", ".join(f"{one.path}: {one.note or 'changed'}" for one in change.fields)


def rights(subject: Subject) -> Found:
    for change in subject.of(kinds.ROLE, kinds.CLUSTER_ROLE):
        before, after = (_granted(thing) for thing in (change.old, change.new))
        if change.old and (more := sorted(after - before)):
            yield change.ref, f"may now {words.some([f'{verb} {what}' for what, verb in more], _MOST, '; ')}"


def _granted(role: Object | None) -> set[tuple[str, str]]:
    """What a role allows, as (resource of a group, verb)."""
    return {
        (f"{resource}.{group}".rstrip("."), verb)
        for rule in (role.body.get("rules") or () if role else ())
        for group in rule.get("apiGroups") or ("",)
        for resource in rule.get("resources") or rule.get("nonResourceURLs") or ()
        for verb in rule["verbs"]
    }


RISKS: Final = (
    RiskKind(
        word="restarts pods",
        weight=Weight.MEDIUM,
        meaning="the pod template changes; under an autoscaler at least so many",
        look=restarts,
    ),
    RiskKind(
        word="workload deleted",
        weight=Weight.MEDIUM,
        meaning="a Deployment, StatefulSet or DaemonSet goes, with its pods",
        look=gone,
    ),
    RiskKind(
        word="object replaced",
        weight=Weight.MEDIUM,
        meaning="an object is deleted and made anew, because a field of it cannot be changed",
        look=replaced,
    ),
    RiskKind(
        word="secret changed",
        weight=Weight.MEDIUM,
        meaning="a Secret has other values or keys; the values are never shown",
        look=secrets,
    ),
    RiskKind(
        word="rights widened",
        weight=Weight.MEDIUM,
        meaning="a Role or ClusterRole that is there allows more",
        look=rights,
    ),
    RiskKind(
        word="fewer replicas",
        weight=Weight.LOW,
        meaning="fewer pods than before, or no disruption budget",
        look=fewer,
    ),
)
