"""Risks of what goes, or what is no longer looked after: with data, with injection, with validation, with limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mesh.analysis import workloads
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object, Ref
from mesh.core import kinds, words
from mesh.core.names import WAIT_FOR
from mesh.review.risks.risk import Found, RiskKind, Weight
from mesh.review.subject import Subject

_BUCKET: Final = "token_bucket"
_LIMITS: Final = "rate_limits"
_UNITS: Final = "requests_per_unit"


def definitions(subject: Subject) -> Found:
    for change in subject.of(kinds.CUSTOM_RESOURCE_DEFINITION):
        if change.op in ("delete", "replace") and not change.item.retained:
            yield change.ref, "all of its custom resources on the cluster are erased with it, whoever made them"


def namespaces(subject: Subject) -> Found:
    for change in subject.of(kinds.NAMESPACE):
        if change.op in ("delete", "replace") and not change.item.retained:
            yield change.ref, "everything in it is deleted with it, whoever made it"


def volumes(subject: Subject) -> Found:
    for change in subject.of(kinds.PERSISTENT_VOLUME_CLAIM):
        if change.op in ("delete", "replace") and not change.item.retained:
            yield change.ref, "its data is lost"


def injection(subject: Subject) -> Found:
    """By namespace: workloads that had or would get a sidecar, and do no more."""
    lost: dict[str, list[str]] = {}
    for pod in subject.new.workloads.all:
        was = subject.old.workloads.named(pod.namespace, pod.object.name)
        if was and was.proxy and not pod.proxy:
            lost.setdefault(pod.namespace, []).append(pod.object.name)
    for place, thing in subject.old.namespaces.items():
        if workloads.injects(thing) and not workloads.injects(subject.new.namespaces.get(place)):
            known = subject.new.workloads.select({}, place)
            if not known or place in lost:
                lost.setdefault(place, [])
    for place, names in sorted(lost.items()):
        yield Ref(kinds.NAMESPACE, "", place), _pods(names) if names else "its pods get no sidecar from now on"


def _pods(names: list[str]) -> str:
    return f"{words.count(len(names), 'workload')} without a sidecar: {', '.join(sorted(names))}"


def validation(subject: Subject) -> Found:
    for change in subject.of(kinds.VALIDATING_WEBHOOK, kinds.MUTATING_WEBHOOK):
        what = "objects of Istio's API" if change.ref.kind == kinds.VALIDATING_WEBHOOK else "sidecars"
        if change.new is None and not subject.new.of(change.ref.kind):
            yield change.ref, f"nobody looks after {what} any more"
        elif change.new and change.old:
            for name in sorted(_ignoring(change.new) - _ignoring(change.old)):
                yield change.ref, f"{name} is skipped where nobody answers (failurePolicy Ignore)"


def _ignoring(thing: Object) -> set[str]:
    return {hook["name"] for hook in thing.body.get("webhooks") or () if hook.get("failurePolicy") == "Ignore"}


def gate(subject: Subject) -> Found:
    before, after = (_waiting(mesh) for mesh in (subject.old, subject.new))
    for ref, waits in sorted(before.items()):
        if waits and not after.get(ref, True):
            yield ref, "workloads no longer wait for istiod: their pods may start without a sidecar (injectionGate)"


def _waiting(mesh: Mesh) -> Mapping[Ref, bool]:
    """The webhooks of injectors, and whether they are waited for."""
    return {thing.ref: WAIT_FOR in thing.annotations for thing in mesh.of(kinds.MUTATING_WEBHOOK)}


def limits(subject: Subject) -> Found:
    for change in subject.of(kinds.ENVOY_FILTER):
        was, now = (list(_limits(thing.spec)) if thing else [] for thing in (change.old, change.new))
        if len(now) < len(was):
            gone = len(was) - len(now)
            yield change.ref, f"{words.count(gone, 'limit')} of requests gone"
        elif any(after > before for before, after in zip(was, now, strict=False)):
            yield change.ref, "more requests are let through"
    for change in subject.of(kinds.CONFIG_MAP):
        for one in change.fields:
            if (
                one.path.endswith(_UNITS)
                and isinstance(one.old, int)
                and isinstance(one.new, int)
                and one.new > one.old
            ):
                yield change.ref, f"{one.old} → {one.new} requests for all together"


def _limits(value: Any) -> Iterator[float]:
    """The limits that a configuration of Envoy's holds, in requests a second; those that a service counts as 0."""
    if isinstance(value, Mapping):
        if bucket := value.get(_BUCKET):
            yield bucket["tokens_per_fill"] / float(bucket["fill_interval"].removesuffix("s"))
        yield from (0.0 for _ in value.get(_LIMITS) or ())
        for item in value.values():
            yield from _limits(item)
    elif isinstance(value, list):
        for item in value:
            yield from _limits(item)


RISKS: Final = (
    RiskKind(
        word="definition deleted",
        weight=Weight.HIGH,
        meaning="a CustomResourceDefinition goes, and erases its custom resources",
        look=definitions,
    ),
    RiskKind(
        word="namespace deleted",
        weight=Weight.HIGH,
        meaning="a Namespace of the stack's own goes, with what is in it",
        look=namespaces,
    ),
    RiskKind(
        word="data deleted",
        weight=Weight.HIGH,
        meaning="a PersistentVolumeClaim is deleted or replaced",
        look=volumes,
    ),
    RiskKind(
        word="injection off",
        weight=Weight.HIGH,
        meaning="workloads that have a sidecar get none from now on, by namespace",
        look=injection,
    ),
    RiskKind(
        word="validation fails open",
        weight=Weight.HIGH,
        meaning="a webhook goes, or what it is asked about is let through where it does not answer",
        look=validation,
    ),
    RiskKind(
        word="injection not waited for",
        weight=Weight.MEDIUM,
        meaning="mesh:injectionGate is off where it was on",
        look=gate,
    ),
    RiskKind(
        word="rate limit removed",
        weight=Weight.MEDIUM,
        meaning="a limit of requests goes or is raised",
        look=limits,
    ),
)
