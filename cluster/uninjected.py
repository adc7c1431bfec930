"""Whether an update would take the injector away from namespaces: their new pods would come without a sidecar.

Namespaces and pods ask for injection by labels, which a control plane or one of its tags answers. The update is judged
by the webhooks in the recorded state and by those that it is going to apply.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cluster import client, leftovers
from cluster.client import Api
from cluster.sidecars import SHOWN
from mesh.core import kinds, words
from mesh.core.kinds import GroupKind
from mesh.core.names import NAMESPACE_LABEL, REVISION_LABEL
from mesh.proxy.control_plane import Name

Manifest = Mapping[str, Any]
Label = tuple[str, str]

_ASKING: Final = (REVISION_LABEL, NAMESPACE_LABEL)


@dataclass(frozen=True)
class Injection:
    """Which labels the webhooks of a stack answer, and the labels of its own namespaces."""

    answered: Mapping[Label, str]
    """The labels of namespaces, each with the Service that injects, `namespace/name` or a URL."""
    namespaces: Mapping[str, frozenset[Label]] = field(default_factory=dict)
    """The labels that ask for injection, by name of the namespaces that the stack creates or labels."""

    @classmethod
    def of(cls, manifests: Iterable[Manifest]) -> Injection:
        found = [*manifests]
        webhooks = [one for one in found if GroupKind.of(one) == kinds.MUTATING_WEBHOOK]
        spaces = [one["metadata"] for one in found if GroupKind.of(one) == kinds.NAMESPACE]
        return cls(
            {label: service for one in webhooks for label, service in _answers(one)},
            {one["name"]: _asked(one) for one in spaces},
        )


def _answers(configuration: Manifest) -> Iterator[tuple[Label, str]]:
    for hook in configuration.get("webhooks") or ():
        selector = hook.get("namespaceSelector") or {}
        for one in selector.get("matchExpressions") or ():
            if one["key"] in _ASKING and one["operator"] == "In":
                yield from (((one["key"], value), _service(hook)) for value in one.get("values") or ())


def _service(hook: Manifest) -> str:
    config = hook.get("clientConfig") or {}
    service = config.get("service")
    return f"{service.get('namespace')}/{service['name']}" if service else str(config.get("url"))


def _asked(meta: Manifest) -> frozenset[Label]:
    labels = meta.get("labels") or {}
    return frozenset((key, labels[key]) for key in _ASKING if key in labels)


def changes(before: Injection, after: Injection) -> bool:
    """Whether the update leaves a label unanswered, or has another control plane answer it."""
    return any(after.answered.get(label) != service for label, service in before.answered.items())


def problems(before: Injection, after: Injection, installed: Container[Name], api: Api) -> Iterator[str]:
    """Why an update from one to the other must not go on, and what to do first. `installed` are the Services of the
    stack's control planes after it.

    Raises Refused if the caller may not list namespaces or webhooks."""
    gone = before.answered.keys() - after.answered.keys() - _answered_by_others(before, api)
    if gone:
        yield from _left(gone, after, api)
    moved = {
        label: service
        for label, service in after.answered.items()
        if before.answered.get(label, service) != service and not service.startswith("http")
    }
    for (key, value), service in sorted(moved.items()):
        place, name = service.split("/")
        if (place, name) in installed:
            continue
        if client.find(api, f"/api/v1/namespaces/{place}/services/{name}") is None:
            yield (
                f"{key}={value} would lead to the control plane of Service {service}, which does not exist: new pods of"
                " its namespaces would be refused. Install that control plane first"
            )


def _answered_by_others(before: Injection, api: Api) -> set[Label]:
    """The labels that webhooks of others answer."""
    found = client.items(api, leftovers.INJECTORS)
    return {label for one in found for label, service in _answers(one) if before.answered.get(label) != service}


def _left(gone: set[Label], after: Injection, api: Api) -> Iterator[str]:
    asking: dict[Label, list[str]] = {}
    for one in client.items(api, "/api/v1/namespaces"):
        name = one["metadata"]["name"]
        for label in after.namespaces.get(name, _asked(one["metadata"])) & gone:
            asking.setdefault(label, []).append(name)
    for (key, value), names in sorted(asking.items()):
        who = words.count(len(names), "namespace")
        yield (
            f"{who} would ask for sidecars by {key}={value}, which nothing answers any more, so that new pods would"
            f" come without one: {words.some(sorted(names), SHOWN)}. Move those of this stack first, by"
            f" `mesh:injectedNamespaces.NAME.revision`, and those of others by `kubectl label namespace NAME"
            f" {REVISION_LABEL}=REVISION --overwrite` and a restart of their pods"
        )
