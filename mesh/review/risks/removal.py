"""Risks of removal: CRDs, namespaces, data, sidecar injection, admission webhooks and rate limits."""

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
    """CustomResourceDefinitions that are deleted from the cluster."""
    for change in subject.of(kinds.CUSTOM_RESOURCE_DEFINITION):
        if change.op in ("delete", "replace") and not change.item.retained:
            yield change.ref, "all of its custom resources on the cluster are deleted with it, whoever created them"


def namespaces(subject: Subject) -> Found:
    """Namespaces that are deleted from the cluster."""
    for change in subject.of(kinds.NAMESPACE):
        if change.op in ("delete", "replace") and not change.item.retained:
            yield change.ref, "everything in it is deleted with it, whoever created it"


def volumes(subject: Subject) -> Found:
    """PersistentVolumeClaims that are deleted from the cluster."""
    for change in subject.of(kinds.PERSISTENT_VOLUME_CLAIM):
        if change.op in ("delete", "replace") and not change.item.retained:
            yield change.ref, "its data is lost"


def injection(subject: Subject) -> Found:
    """By namespace, the workloads that lose their sidecar, and namespaces in which injection is turned off."""
    lost: dict[str, list[str]] = {}
    for pod in subject.new.workloads.all:
        was = subject.old.workloads.named(pod.namespace, pod.object.name)
        if was and was.proxy and not pod.proxy:
            lost.setdefault(pod.namespace, []).append(pod.object.name)
    for place, obj in subject.old.namespaces.items():
        if workloads.injects_by_default(obj) and not workloads.injects_by_default(subject.new.namespaces.get(place)):
            known = subject.new.workloads.select({}, place)
            if not known or place in lost:
                lost.setdefault(place, [])
    for place, names in sorted(lost.items()):
        yield Ref(kinds.NAMESPACE, "", place), _pods(names) if names else "its pods no longer get a sidecar"


def _pods(names: list[str]) -> str:
    return f"{words.count(len(names), 'workload')} without a sidecar: {', '.join(sorted(names))}"


def validation(subject: Subject) -> Found:
    """Admission webhooks that are deleted, or whose `failurePolicy` becomes Ignore."""
    for change in subject.of(kinds.VALIDATING_WEBHOOK, kinds.MUTATING_WEBHOOK):
        work = "validates objects of Istio's API" if change.ref.kind == kinds.VALIDATING_WEBHOOK else "injects sidecars"
        if change.new is None and not subject.new.of(change.ref.kind):
            yield change.ref, f"no webhook {work} any more"
        elif change.new and change.old:
            for name in sorted(_ignoring(change.new) - _ignoring(change.old)):
                yield change.ref, f"{name} is skipped when it cannot be reached (failurePolicy Ignore)"


def _ignoring(obj: Object) -> set[str]:
    return {hook["name"] for hook in obj.body.get("webhooks") or () if hook.get("failurePolicy") == "Ignore"}


def gate(subject: Subject) -> Found:
    """Injection webhooks that workloads no longer wait for."""
    before, after = (_waiting(mesh) for mesh in (subject.old, subject.new))
    for ref, waits in sorted(before.items()):
        if waits and not after.get(ref, True):
            yield ref, "workloads no longer wait for istiod: their pods may start without a sidecar (injectionGate)"


def _waiting(mesh: Mesh) -> Mapping[Ref, bool]:
    """The injection webhooks, and whether workloads wait for each."""
    return {obj.ref: WAIT_FOR in obj.annotations for obj in mesh.of(kinds.MUTATING_WEBHOOK)}


def limits(subject: Subject) -> Found:
    """Rate limits that are removed or raised."""
    for change in subject.of(kinds.ENVOY_FILTER):
        was, now = (list(_limits(obj.spec)) if obj else [] for obj in (change.old, change.new))
        if len(now) < len(was):
            gone = len(was) - len(now)
            yield change.ref, f"{words.count(gone, 'rate limit')} removed"
        elif any(after > before for before, after in zip(was, now, strict=False)):
            yield change.ref, "more requests are allowed"
    for change in subject.of(kinds.CONFIG_MAP):
        for one in change.fields:
            if (
                one.path.endswith(_UNITS)
                and isinstance(one.old, int)
                and isinstance(one.new, int)
                and one.new > one.old
            ):
                yield change.ref, f"{one.old} → {one.new} requests, counted globally"


def _limits(value: Any) -> Iterator[float]:
    """The rate limits in a part of Envoy's configuration, in requests per second; 0.0 for global limits."""
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
        name="definition deleted",
        weight=Weight.HIGH,
        meaning="a CustomResourceDefinition is deleted, and its custom resources with it",
        find=definitions,
    ),
    RiskKind(
        name="namespace deleted",
        weight=Weight.HIGH,
        meaning="a Namespace of the stack is deleted, with everything in it",
        find=namespaces,
    ),
    RiskKind(
        name="data deleted",
        weight=Weight.HIGH,
        meaning="a PersistentVolumeClaim is deleted or replaced",
        find=volumes,
    ),
    RiskKind(
        name="injection off",
        weight=Weight.HIGH,
        meaning="workloads that have a sidecar no longer get one, by namespace",
        find=injection,
    ),
    RiskKind(
        name="validation fails open",
        weight=Weight.HIGH,
        meaning="an admission webhook is deleted, or skipped when it cannot be reached",
        find=validation,
    ),
    RiskKind(
        name="injection not waited for",
        weight=Weight.MEDIUM,
        meaning="mesh:injectionGate is turned off",
        find=gate,
    ),
    RiskKind(
        name="rate limit removed",
        weight=Weight.MEDIUM,
        meaning="a rate limit is removed or raised",
        find=limits,
    ),
)
