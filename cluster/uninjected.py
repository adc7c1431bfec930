"""Finds the namespaces and pods whose injector an update would remove: new pods would get no sidecar, or be refused.

Namespaces and pods ask for injection with labels, which the webhook of a control plane or of a revision tag answers.
The webhooks in the recorded state and those that the update is going to apply show what it does. Namespaces and pods
that the update itself relabels, restarts or deletes do not count.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from cluster import injectors, sidecars
from cluster.injectors import Injector, Label
from cluster.orphans import Objects
from cluster.revisions import Revisions
from cluster.sidecars import SHOWN, TAKE_OUT
from mesh.core import kinds, words
from mesh.core.kinds import GroupKind
from mesh.core.names import NAMESPACE_LABEL, REVISION_LABEL
from mesh.proxy.control_plane import GUIDE, Name

Manifest = Mapping[str, Any]

_DEFAULT: Final = Label(NAMESPACE_LABEL, "enabled")


@dataclass(frozen=True)
class Injection:
    """The objects of a stack that decide which namespaces and pods are injected."""

    objects: Objects
    injectors: tuple[Injector, ...] = ()
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The labels that the stack sets on the namespaces that it creates or labels, by name of the namespace."""

    @classmethod
    def of(cls, manifests: Iterable[Manifest], objects: Objects) -> Injection:
        """`manifests`: all objects of a stack, including parts of objects (`…Patch`)."""
        found = [*manifests]
        spaces = [one["metadata"] for one in found if GroupKind.of(one) == kinds.NAMESPACE]
        labels = {one["name"]: one.get("labels") or {} for one in spaces}
        return cls(objects, tuple(injectors.of(found)), labels)

    @cached_property
    def answered(self) -> Mapping[Label, Injector]:
        """The labels that the webhooks of the stack answer."""
        return {label: one for one in self.injectors for label in one.namespaces | one.pods}


def changes(before: Injection, after: Injection) -> Iterator[str]:
    """What an update removes from namespaces and pods, or redirects, as far as it is known without the cluster."""
    for one in sorted(before.objects.control_planes - after.objects.control_planes):
        yield f"Service {'/'.join(one)} is deleted"
    for label in sorted(before.answered.keys() - after.answered.keys()):
        yield f"no webhook answers the label {label} any more"
    yield from (f"{one.title} points to {one.service}" for one in _moved(before, after))


def _moved(before: Injection, after: Injection) -> Iterator[Injector]:
    """The injectors that will call another Service than before, and new tags for control planes that the stack does not
    have."""
    services = {label: one.service for label, one in before.answered.items()}
    for one in after.injectors:
        was = {services[label] for label in one.namespaces | one.pods if label in services}
        outside = _name(one.service) not in after.objects.control_planes
        if not _is_url(one) and (was - {one.service} or (one.tag and outside and not was)):
            yield one


def answered_twice(before: Injection, after: Injection) -> Iterator[str]:
    """The reasons why namespaces must not get a label in the update that takes it from another injector, one line each.
    Pulumi deletes last, so both injectors would answer, and the one that is to be deleted might inject."""
    staying = {one.name for one in after.injectors}
    going = {label: one for one in before.injectors if one.name not in staying for label in one.namespaces}
    for name, labels in sorted(after.namespaces.items()):
        label = injectors.asked_by_namespace(labels)
        if not label or label == injectors.asked_by_namespace(before.namespaces.get(name, {})):
            continue
        one, to = going.get(label), after.answered.get(label)
        if one and to and one.service != to.service:
            yield (
                f"namespace {name} gets the label {label} in the update that deletes {one.title}, whose webhook answers"
                f" it with the Service {one.service} until the end: new pods would get their sidecar from there. Remove"
                f" {one.title} in an update of its own, then move the namespace: {GUIDE}"
            )


def problems(before: Injection, after: Injection, found: Revisions) -> Iterator[str]:
    """The reasons why an update from `before` to `after` must not run, one line each, with what to do first."""
    services = before.objects.control_planes - after.objects.control_planes
    own = {one.name for one in (*before.injectors, *after.injectors)}
    others = [one for one in found.injectors if one.name not in own]
    dead = [one for one in others if _name(one.service) in services]
    alive = {label for one in others if one not in dead for label in one.namespaces | one.pods}
    gone = before.answered.keys() - after.answered.keys() - alive
    pairs = [(label, one) for one in dead for label in one.namespaces | one.pods if label not in after.answered]
    asking = _asking(gone.union(label for label, _ in pairs), before, after, found)
    for label in sorted(gone & asking.keys()):
        title = before.answered[label].title
        yield f"{title} would be removed, {_left(label, asking[label])}. {_way_out(label, asking[label], after)}"
    for label, one in sorted((label, one) for label, one in pairs if label in asking and label not in gone):
        what = f"the Service {one.service}, which webhook {one.name} calls, would be deleted"
        yield f"{what}, {_left(label, asking[label], refused=True)}. {_way_out(label, asking[label], after)}"
    for one in dict.fromkeys([*_moved(before, after), *_led_away(after, services)]):
        name = _name(one.service)
        if name in services or name not in after.objects.control_planes | found.services.keys():
            there = "the update deletes" if name in services else "does not exist"
            yield (
                f"{one.title} would point to the Service {one.service} of revision {one.revision}, which {there}: new"
                " pods that use it would be refused. Install that control plane first, or point it to"
                f" {_choices(after, tags=False)}"
            )


def _led_away(after: Injection, gone: Collection[Name]) -> Iterator[Injector]:
    """The injectors that stay and call a Service that the update deletes."""
    return (one for one in after.injectors if not _is_url(one) and _name(one.service) in gone)


def _asking(
    labels: Collection[Label], before: Injection, after: Injection, found: Revisions
) -> Mapping[Label, list[str]]:
    """The namespaces and pods that ask for injection with these labels after the update, by label."""
    asking: dict[Label | None, list[str]] = {}
    spaces = {
        name: {key: value for key, value in one.labels.items() if key not in before.namespaces.get(name, {})}
        | dict(after.namespaces.get(name, {}))
        for name, one in found.namespaces.items()
        if name not in before.objects.namespaces - after.objects.namespaces
    }
    askers = [(injectors.asked_by_namespace(has), name) for name, has in spaces.items()]
    for pod in found.pods:
        place, name = sidecars.name(pod)
        if place in spaces and (wanted := _labels(pod, before, after, found)):
            askers.append((injectors.asked_by_pod(wanted, spaces[place]), f"{place}/{name}"))
    for label, name in askers:
        if label in labels:
            asking.setdefault(label, []).append(name)
    return {label: sorted(names) for label, names in asking.items() if label}


def _labels(pod: Manifest, before: Injection, after: Injection, found: Revisions) -> Mapping[str, str]:
    """The labels of the pod that replaces a pod after the update; empty if none does."""
    for maker in sidecars.makers(pod):
        if maker in after.objects.templates:
            return (after.objects.templates[maker].get("metadata") or {}).get("labels") or {}
        if maker in before.objects.templates:
            return {}
    return found.labels_of_new_pod(pod)


def _left(label: Label, names: list[str], refused: bool = False) -> str:
    pods = [one for one in names if "/" in one]
    spaces = len(names) - len(pods)
    who = " and ".join(words.count(many, noun) for many, noun in ((spaces, "namespace"), (len(pods), "pod")) if many)
    result = "be refused (failurePolicy Fail)" if refused else "get no sidecar"
    verb = "asks" if len(names) == 1 else "ask"
    return f"while {who} {verb} for sidecars by {label}: {words.some(names, SHOWN)}. New pods would {result}"


def _way_out(label: Label, names: list[str], after: Injection) -> str:
    """What to do first with namespaces of the stack, with other namespaces, and with pods that have the label."""
    if not after.objects.control_planes:
        return TAKE_OUT
    spaces = [one for one in names if "/" not in one]
    ways = []
    if any(after.namespaces.get(one, {}).get(label.key) == label.value for one in spaces):
        ways.append("Move the namespaces of this stack first: set `mesh:injectedNamespaces.NAME.revision`")
    if any(after.namespaces.get(one, {}).get(label.key) != label.value for one in spaces):
        drop = f"{NAMESPACE_LABEL}- " if label == _DEFAULT else ""
        ways.append(
            "Move the namespaces that this stack does not manage: run"
            f" `kubectl label namespace NAME {drop}{REVISION_LABEL}=REVISION --overwrite` and restart their pods"
        )
    if len(spaces) < len(names):
        ways.append(f"Set another {REVISION_LABEL} in the pod template of the pods")
    return f"{'. '.join(ways)}; REVISION is one of {_choices(after)}: {GUIDE}"


def _choices(after: Injection, tags: bool = True) -> str:
    """The revisions and the revision tags of the stack after the update."""
    found = {one.tag or one.revision for one in after.injectors if one.namespaces and (tags or not one.tag)}
    return ", ".join(sorted(found)) or "a control plane of this stack"


def _name(service: str) -> Name:
    place, _, name = service.partition("/")
    return place, name


def _is_url(one: Injector) -> bool:
    return "://" in one.service
