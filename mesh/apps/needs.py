"""What an app's object needs of the other objects of the apps, so that it is created after them and deleted before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from mesh.analysis import hosts, virtual_services
from mesh.analysis.objects import Object, Ref
from mesh.apps.item import AppObject
from mesh.core import kinds, pods
from mesh.core.kinds import GroupKind

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
    """The objects of all apps, by what others name them by."""

    def __init__(self, objects: Iterable[AppObject]) -> None:
        self._all = {item.ref: item for item in objects}
        self._definitions: dict[GroupKind, Ref] = {}
        self._rules: dict[Ref, list[Ref]] = defaultdict(list)
        self._selecting: dict[tuple[str, str, str], list[Ref]] = defaultdict(list)
        self._selected: dict[Ref, list[Ref]] = defaultdict(list)
        for ref, item in self._all.items():
            self._note(ref, _spec(item.body))
        for ref, item in self._all.items():
            for service in self._services_of(ref, item.body):
                self._selected[service].append(ref)

    def _note(self, ref: Ref, spec: Mapping[str, Any]) -> None:
        if ref.kind == kinds.CUSTOM_RESOURCE_DEFINITION:
            self._definitions[GroupKind((spec.get("names") or {}).get("kind", ""), spec.get("group", ""))] = ref
        elif ref.kind == kinds.DESTINATION_RULE:
            self._rules[_service(str(spec.get("host", "")), ref.namespace)].append(ref)
        elif ref.kind == kinds.SERVICE and (selector := spec.get("selector")):
            self._selecting[ref.namespace, *next(iter(selector.items()))].append(ref)

    def _services_of(self, ref: Ref, body: Mapping[str, Any]) -> Iterator[Ref]:
        """The Services of the apps that select the pods of a workload."""
        labels = (pods.template(ref.kind, body).get("metadata") or {}).get("labels") or {}
        for name, value in labels.items():
            for service in self._selecting[ref.namespace, name, value]:
                if self._all[service].body["spec"]["selector"].items() <= labels.items():
                    yield service

    def of(self, item: AppObject) -> Sequence[Ref]:
        """The objects of the apps that an object needs, without duplicates."""
        found = (ref for ref in self._named(item) if ref in self._all and ref != item.ref)
        return list(dict.fromkeys(found))

    def receivers(self, route: Mapping[str, Any]) -> Sequence[Ref]:
        """The objects of the apps that a VirtualService leads to."""
        found = (ref for ref in self._of_route(Ref.of(route), route) if ref in self._all)
        return list(dict.fromkeys(found))

    def in_order(self) -> list[AppObject]:
        """All objects in the order of their creation: each after those that it needs, and else by stage."""
        done: dict[Ref, AppObject] = {}
        waiting: set[Ref] = set()

        def visit(item: AppObject) -> None:
            if item.ref in done or item.ref in waiting:  # need each other: Kubernetes lets them come in any order
                return
            waiting.add(item.ref)
            for needed in self.of(item):
                visit(self._all[needed])
            done[item.ref] = item

        for item in sorted(self._all.values(), key=lambda one: one.stage):
            visit(item)
        return list(done.values())

    def _named(self, item: AppObject) -> Iterator[Ref]:
        ref, body = item.ref, item.body
        if definition := self._definitions.get(ref.kind):
            yield definition
        if ref.kind in _BINDINGS:
            yield from _of_binding(body, ref.namespace)
        elif ref.kind == kinds.VIRTUAL_SERVICE:
            yield from self._of_route(ref, body)
        elif target := scaled(body):
            yield target
        if ref.kind == kinds.STATEFUL_SET and (name := _spec(body).get("serviceName")):
            yield Ref(kinds.SERVICE, ref.namespace, name)
        yield from self._services_of(ref, body)
        for pod in pods_in(body):
            yield from _of_pod(pod, ref.namespace)

    def _of_route(self, ref: Ref, body: Mapping[str, Any]) -> Iterator[Ref]:
        """The Services that a route leads to, with their subsets and versions."""
        for receiver in virtual_services.destinations(Object.read(body)):
            service = _service(receiver.host, ref.namespace)
            yield from self._rules[service] if receiver.subset else ()
            yield service
            yield from self._selected[service]


def scaled(body: Mapping[str, Any]) -> Ref | None:
    """What an autoscaler, of whatever kind, scales; None for another object."""
    target = _spec(body).get("scaleTargetRef")
    if not isinstance(target, Mapping) or not isinstance(target.get("name"), str):
        return None
    kind = GroupKind.of({"apiVersion": "apps/v1", "kind": kinds.DEPLOYMENT.name, **target})
    return Ref(kind, body["metadata"].get("namespace", ""), target["name"])


def _spec(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The spec of an object; empty if it is no mapping, as nobody here knows of which kinds."""
    found = body.get("spec")
    return found if isinstance(found, Mapping) else {}


def pods_in(value: Any) -> Iterator[Mapping[str, Any]]:
    """The specs of pods in an object, of whatever kind: what has containers."""
    if isinstance(value, Mapping):
        if isinstance(value.get("containers"), list):
            yield value
        else:
            for inner in value.values():
                yield from pods_in(inner)


def _service(host: str, namespace: str) -> Ref:
    """The Service of a host, in short or with the cluster's domain. No Service has the name of another host."""
    parts = hosts.full_name(host, namespace, "").split(".", 3)
    return Ref(kinds.SERVICE, parts[1], parts[0]) if parts[2:3] == ["svc"] else Ref(kinds.SERVICE, "", host)


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
