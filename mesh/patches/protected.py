"""The parts of objects that a patch must not change: names and marks by which the stack identifies its objects, fields
that others write, and fields on which the order of an update depends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from mesh.core import kinds, names, pods
from mesh.core.kinds import GroupKind

Object = Mapping[str, Any]
Part = Mapping[str, Any]
"""The protected values of an object, by their paths."""


class Protected(NamedTuple):
    """A part of objects that patches must not change."""

    part: Callable[[GroupKind, Object], Part]
    reason: str


def _at(value: Any, *path: str) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _names(_: GroupKind, body: Object) -> Part:
    found = {name: body.get(name) for name in ("apiVersion", "kind")}
    return found | {f"metadata.{name}": _at(body, "metadata", name) for name in ("name", "namespace")}


def _rest_of_metadata(_: GroupKind, body: Object) -> Part:
    ours = ("name", "namespace", "labels", "annotations")
    meta = body.get("metadata")
    return {f"metadata.{key}": value for key, value in (meta or {}).items() if key not in ours}


def _marks(_: GroupKind, body: Object) -> Part:
    ours = ("pulumi.com/", names.OWNER_PROJECT.split("/")[0] + "/")
    labels = (names.TAG_LABEL, *names.INJECTION_LABELS)
    return {
        f"metadata.{part}[{key}]": value
        for part in ("labels", "annotations")
        for key, value in (_at(body, "metadata", part) or {}).items()
        if key.startswith(ours) or (part == "labels" and key in labels)
    }


def _status(_: GroupKind, body: Object) -> Part:
    return {"status": body.get("status")}


def _selector(kind: GroupKind, body: Object) -> Part:
    return {"spec.selector": _at(body, "spec", "selector")} if kind in (*pods.TEMPLATES, kinds.SERVICE) else {}


def _pod_labels(kind: GroupKind, body: Object) -> Part:
    if kind not in pods.TEMPLATES:
        return {}
    path = (*pods.TEMPLATES[kind], "metadata", "labels")
    return {f"{'.'.join(path)}[{key}]": value for key, value in (_at(body, *path) or {}).items()}


def _service_type(kind: GroupKind, body: Object) -> Part:
    return {"spec.type": _at(body, "spec", "type")} if kind == kinds.SERVICE else {}


def _written_by_istiod(kind: GroupKind, body: Object) -> Part:
    if kind not in (kinds.MUTATING_WEBHOOK, kinds.VALIDATING_WEBHOOK):
        return {}
    found: dict[str, Any] = {}
    for hook in body.get("webhooks") or ():
        found[f"webhooks[{_at(hook, 'name')}].clientConfig.caBundle"] = _at(hook, "clientConfig", "caBundle")
        if kind == kinds.VALIDATING_WEBHOOK:
            found[f"webhooks[{_at(hook, 'name')}].failurePolicy"] = _at(hook, "failurePolicy")
    return found


def _secret_values(kind: GroupKind, body: Object) -> Part:
    return {name: body.get(name) for name in ("data", "stringData", "type")} if kind == kinds.SECRET else {}


def _documents(kind: GroupKind, body: Object) -> Part:
    name = str(_at(body, "metadata", "name"))
    keys = {names.INJECTOR: ("config", "values"), names.MESH_CONFIG: ("mesh", "meshNetworks")}
    found = next((keys[one] for one in keys if name == one or name.startswith(f"{one}-")), ())
    return {f"data.{key}": _at(body, "data", key) for key in found} if kind == kinds.CONFIG_MAP else {}


def _scaled(kind: GroupKind, body: Object) -> Part:
    path = ("spec", "scaleTargetRef")
    return {".".join(path): _at(body, *path)} if kind == kinds.HORIZONTAL_POD_AUTOSCALER else {}


PROTECTED: Final = (
    Protected(_names, "the stack and the cluster identify the object by it"),
    Protected(_marks, "the stack, the cluster's injection and Pulumi find their objects by it"),
    Protected(_rest_of_metadata, "a stack sets only labels and annotations of metadata"),
    Protected(_status, "the cluster writes it"),
    Protected(_selector, "the order of an update, and who reaches the pods, depend on it"),
    Protected(_pod_labels, "selectors of Services, policies and budgets use it; labels may be added"),
    Protected(_service_type, "what an update waits for depends on it: mesh:gateways has a `type` for each gateway"),
    Protected(_written_by_istiod, "istiod writes it, and an update waits for that"),
    Protected(_secret_values, "values of Secrets come only from Pulumi's config"),
    Protected(
        _documents, "sidecars, restarts and the analysis follow from the settings that it is made from: set those"
    ),
    Protected(_scaled, "it decides which replicas are left to the autoscaler"),
)
"""All protected parts, with the reasons."""


def problems(kind: GroupKind, before: Object, after: Object) -> Iterator[tuple[str, str]]:
    """The path and the reason of each protected part that differs."""
    for part, reason in PROTECTED:
        was, now = part(kind, before), part(kind, after)
        for path in {**was, **now}:
            if path not in was and part is _pod_labels:
                continue  # the patch adds it
            if was.get(path) != now.get(path):
                yield path, reason
