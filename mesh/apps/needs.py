"""Which objects of a stack's files and config need which others: an object is created after those that it needs, and
deleted before them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from mesh.analysis.objects import Object, Ref
from mesh.apps import circles
from mesh.apps.istio import Istio
from mesh.apps.leaving import Objects, routes_first
from mesh.apps.order import stage
from mesh.core import kinds, pods
from mesh.core.kinds import GroupKind
from mesh.core.names import ROOT

_BINDINGS: Final = (kinds.ROLE_BINDING, kinds.CLUSTER_ROLE_BINDING)
_BY_FIELD: Final = {
    "configMap": (kinds.CONFIG_MAP, "name"),
    "configMapRef": (kinds.CONFIG_MAP, "name"),
    "configMapKeyRef": (kinds.CONFIG_MAP, "name"),
    "secret": (kinds.SECRET, "secretName"),
    "secretRef": (kinds.SECRET, "name"),
    "secretKeyRef": (kinds.SECRET, "name"),
    "persistentVolumeClaim": (kinds.PERSISTENT_VOLUME_CLAIM, "claimName"),
}
"""Fields of a pod's spec that name an object: its kind, and the field with the name in there."""


class Needs:
    """The objects of a stack's files and config that each of them needs."""

    def __init__(
        self,
        objects: Objects,
        more: Mapping[Ref, Sequence[Ref]] = MappingProxyType({}),
        standing: Objects = MappingProxyType({}),
        root: str = ROOT,
    ) -> None:
        """`more`: needs that do not follow from the objects. `standing`: the objects as they were before. `root`: the
        mesh's root namespace."""
        self._all = {ref: Object.read(body) for ref, body in objects.items()}
        self._definitions: dict[GroupKind, Ref] = {}
        self._selecting: dict[tuple[str, str, str], list[Ref]] = defaultdict(list)
        self._selected: dict[Ref, list[Ref]] = defaultdict(list)
        self._istio = Istio(self._all.values(), root)
        for ref, body in objects.items():
            self._note(ref, _spec(body))
        for ref, body in objects.items():
            for service in self._services_of(ref, body):
                self._selected[service].append(ref)
        self._needed = {ref: self._among(ref, more.get(ref, ())) for ref in objects}
        for rule, route in routes_first(objects, standing):
            self._needed[route] = [needed for needed in self._needed[route] if needed != rule]
            self._needed[rule].append(route)
        circles.open_up(self._needed)

    def _note(self, ref: Ref, spec: Mapping[str, Any]) -> None:
        if ref.kind == kinds.CUSTOM_RESOURCE_DEFINITION:
            self._definitions[GroupKind((spec.get("names") or {}).get("kind", ""), spec.get("group", ""))] = ref
        elif ref.kind == kinds.SERVICE and (selector := spec.get("selector")):
            self._selecting[ref.namespace, *next(iter(selector.items()))].append(ref)

    def _services_of(self, ref: Ref, body: Mapping[str, Any]) -> Iterator[Ref]:
        """The Services among the objects that select the pods of a workload."""
        labels = (pods.template(ref.kind, body).get("metadata") or {}).get("labels") or {}
        for name, value in labels.items():
            for service in self._selecting[ref.namespace, name, value]:
                if self._all[service].spec["selector"].items() <= labels.items():
                    yield service

    def _among(self, ref: Ref, more: Sequence[Ref]) -> list[Ref]:
        """The objects that an object needs and that are among the objects, without duplicates."""
        found = (one for one in (*self._named(ref), *more) if one in self._all and one != ref)
        return list(dict.fromkeys(found))

    def of(self, ref: Ref) -> Sequence[Ref]:
        """The objects that an object needs, without duplicates. No object needs itself through others."""
        return self._needed[ref]

    def in_order(self) -> list[Ref]:
        """All objects in the order of their creation: each after those that it needs, and else by stage."""
        done: dict[Ref, None] = {}

        def visit(ref: Ref) -> None:
            if ref not in done:
                for needed in self._needed[ref]:
                    visit(needed)
                done[ref] = None

        for ref in sorted(self._all, key=lambda one: stage(one.kind)):
            visit(ref)
        return list(done)

    def _named(self, ref: Ref) -> Iterator[Ref]:
        obj = self._all[ref]
        body = obj.body
        if definition := self._definitions.get(ref.kind):
            yield definition
        if ref.kind in _BINDINGS:
            yield from _of_binding(body, ref.namespace)
        elif ref.kind.group.endswith(".istio.io"):
            for needed in self._istio.needed(obj):
                yield needed
                yield from self._selected.get(needed, ())
        elif target := scaled(body):
            yield target
        if ref.kind == kinds.STATEFUL_SET and (name := _spec(body).get("serviceName")):
            yield Ref(kinds.SERVICE, ref.namespace, name)
        yield from self._services_of(ref, body)
        for pod in pods_in(body):
            yield from _of_pod(pod, ref.namespace)


def scaled(body: Mapping[str, Any]) -> Ref | None:
    """The object that an autoscaler of any kind scales; None for other objects."""
    target = _spec(body).get("scaleTargetRef")
    if not isinstance(target, Mapping) or not isinstance(target.get("name"), str):
        return None
    kind = GroupKind.of({"apiVersion": "apps/v1", "kind": kinds.DEPLOYMENT.name, **target})
    return Ref(kind, body["metadata"].get("namespace", ""), target["name"])


def _spec(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The spec of an object; empty if it is not a mapping, which is possible for unknown kinds."""
    found = body.get("spec")
    return found if isinstance(found, Mapping) else {}


def pods_in(value: Any) -> Iterator[Mapping[str, Any]]:
    """The specs of pods in an object of any kind: all mappings with containers."""
    if isinstance(value, Mapping):
        if isinstance(value.get("containers"), list):
            yield value
        else:
            for inner in value.values():
                yield from pods_in(inner)


def _of_binding(body: Mapping[str, Any], namespace: str) -> Iterator[Ref]:
    role = body.get("roleRef") or {}
    kind = GroupKind(role.get("kind", ""), role.get("apiGroup", ""))
    yield Ref(kind, namespace if kind == kinds.ROLE else "", role.get("name", ""))
    for subject in body.get("subjects") or ():
        if subject.get("kind") == "ServiceAccount":
            yield Ref(kinds.SERVICE_ACCOUNT, subject.get("namespace") or namespace, subject["name"])


def _of_pod(pod: Mapping[str, Any], namespace: str) -> Iterator[Ref]:
    if account := pod.get("serviceAccountName") or pod.get("serviceAccount"):
        yield Ref(kinds.SERVICE_ACCOUNT, namespace, str(account))
    secrets = pod.get("imagePullSecrets")
    for secret in secrets if isinstance(secrets, list) else ():
        if isinstance(secret, Mapping):
            yield Ref(kinds.SECRET, namespace, str(secret.get("name", "")))
    for kind, name in _fields(pod):
        yield Ref(kind, namespace, name)


def _fields(value: Any) -> Iterator[tuple[GroupKind, str]]:
    if isinstance(value, list):
        for one in value:
            yield from _fields(one)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key in _BY_FIELD and isinstance(inner, Mapping):
                kind, field = _BY_FIELD[key]
                name = inner.get(field) or inner.get("name")  # a projected secret has `name`
                if isinstance(name, str):
                    yield kind, name
            else:
                yield from _fields(inner)
