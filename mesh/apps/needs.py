"""What an app's object needs of the other objects of the apps, so that it is created after them and deleted before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from mesh.analysis import hosts, virtual_services
from mesh.analysis.objects import Object, Ref
from mesh.apps.objects import AppObject
from mesh.core import kinds
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
        self._rules: dict[str, list[Ref]] = defaultdict(list)
        for ref, item in self._all.items():
            spec = item.body.get("spec") or {}
            if ref.kind == kinds.CUSTOM_RESOURCE_DEFINITION:
                self._definitions[GroupKind(spec["names"]["kind"], spec["group"])] = ref
            if ref.kind == kinds.DESTINATION_RULE:
                self._rules[_service(str(spec.get("host", "")), ref.namespace)].append(ref)

    def of(self, item: AppObject) -> Sequence[Ref]:
        """The objects of the apps that an object needs, without duplicates."""
        found = (ref for ref in self._named(item) if ref in self._all and ref != item.ref)
        return list(dict.fromkeys(found))

    def _named(self, item: AppObject) -> Iterator[Ref]:
        ref, body = item.ref, item.body
        if ref.namespace:
            yield Ref(kinds.NAMESPACE, "", ref.namespace)
        if definition := self._definitions.get(ref.kind):
            yield definition
        if ref.kind in _BINDINGS:
            yield from _of_binding(body, ref.namespace)
        elif ref.kind == kinds.HORIZONTAL_POD_AUTOSCALER:
            target = body["spec"]["scaleTargetRef"]
            yield Ref(GroupKind.of(target), ref.namespace, target["name"])
        elif ref.kind == kinds.VIRTUAL_SERVICE:
            for receiver in virtual_services.destinations(Object.read(body)):
                service = _service(receiver.host, ref.namespace)
                yield from self._rules[service] if receiver.subset else ()
                name, _, namespace = service.partition(".")
                yield Ref(kinds.SERVICE, namespace, name)
        elif ref.kind == kinds.STATEFUL_SET and (name := body["spec"].get("serviceName")):
            yield Ref(kinds.SERVICE, ref.namespace, name)
        for pod in _pods(body):
            yield from _of_pod(pod, ref.namespace)


def _service(host: str, namespace: str) -> str:
    """A service's host as `name.namespace`, without the cluster domain."""
    return hosts.full_name(host, namespace, "").partition(".svc.")[0]


def _of_binding(body: Mapping[str, Any], namespace: str) -> Iterator[Ref]:
    role = body.get("roleRef") or {}
    kind = GroupKind(role.get("kind", ""), role.get("apiGroup", ""))
    yield Ref(kind, namespace if kind == kinds.ROLE else "", role.get("name", ""))
    for subject in body.get("subjects") or ():
        if subject.get("kind") == "ServiceAccount":
            yield Ref(kinds.SERVICE_ACCOUNT, subject.get("namespace") or namespace, subject["name"])


def _pods(value: Any) -> Iterator[Mapping[str, Any]]:
    """The specs of pods in an object, of whatever kind: what has containers."""
    if isinstance(value, Mapping):
        if isinstance(value.get("containers"), list):
            yield value
        else:
            for inner in value.values():
                yield from _pods(inner)


def _of_pod(pod: Mapping[str, Any], namespace: str) -> Iterator[Ref]:
    if account := pod.get("serviceAccountName") or pod.get("serviceAccount"):
        yield Ref(kinds.SERVICE_ACCOUNT, namespace, str(account))
    for secret in pod.get("imagePullSecrets") or ():
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
