"""The webhooks that inject sidecars, and the labels with which namespaces and pods ask for injection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from cluster import leftovers
from mesh.core import kinds
from mesh.core.kinds import GroupKind
from mesh.core.names import DEFAULT_REVISION, INJECT_LABEL, NAMESPACE_LABEL, REVISION_LABEL, TAG_LABEL

Manifest = Mapping[str, Any]


class Label(NamedTuple):
    """A label with its value."""

    key: str
    value: str

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


_OF_NAMESPACES: Final = (NAMESPACE_LABEL, REVISION_LABEL)
"""Labels of a namespace that ask for injection. Istio reads the second one only if the first one is missing."""
_OF_PODS: Final = (REVISION_LABEL, INJECT_LABEL)
"""Labels of a pod that ask for injection, in a namespace without such labels."""


@dataclass(frozen=True)
class Injector:
    """A webhook configuration that injects sidecars, of a control plane or of a revision tag."""

    name: str
    revision: str
    """The revision of the control plane that it calls."""
    tag: str
    """The revision tag that it belongs to; empty if it belongs to a control plane."""
    service: str
    """The Service that injects, as `namespace/name`, or a URL."""
    namespaces: frozenset[Label]
    """The labels of namespaces that it answers."""
    pods: frozenset[Label]
    """The labels of pods that it answers in namespaces without a label."""

    @property
    def title(self) -> str:
        """Its name in messages."""
        return f"tag {self.tag}" if self.tag else f"revision {self.revision}"

    @classmethod
    def of(cls, configuration: Manifest) -> Injector:
        """The injector in a MutatingWebhookConfiguration of Istio."""
        meta, hooks = configuration["metadata"], configuration.get("webhooks") or ()
        labels = meta.get("labels") or {}
        return cls(
            meta["name"],
            labels.get(REVISION_LABEL, DEFAULT_REVISION),
            labels.get(TAG_LABEL, ""),
            next(map(_service, hooks), ""),
            frozenset(one for hook in hooks for one in _answered(hook, "namespaceSelector", _OF_NAMESPACES)),
            frozenset(one for hook in hooks for one in _answered(hook, "objectSelector", _OF_PODS)),
        )


def of(manifests: Iterable[Manifest]) -> Iterator[Injector]:
    """The injectors among objects of any kind."""
    return among(one for one in manifests if GroupKind.of(one) == kinds.MUTATING_WEBHOOK)


def among(configurations: Iterable[Manifest]) -> Iterator[Injector]:
    """Istio's injectors among MutatingWebhookConfigurations. Other webhooks may select by the same labels."""
    return (Injector.of(one) for one in configurations if leftovers.is_istios(one))


def asked_by_namespace(labels: Mapping[str, str]) -> Label | None:
    """The label by which a namespace asks for injection; None if it does not."""
    for key in _OF_NAMESPACES:
        if key in labels:
            return Label(key, labels[key]) if (key, labels[key]) != (NAMESPACE_LABEL, "disabled") else None
    return None


def asked_by_pod(labels: Mapping[str, str], namespace: Mapping[str, str]) -> Label | None:
    """The label by which a pod asks for injection. None if it does not, or if its namespace decides, whose labels are
    `namespace`."""
    if any(key in namespace for key in _OF_NAMESPACES) or labels.get(INJECT_LABEL) == "false":
        return None
    if REVISION_LABEL in labels:
        return Label(REVISION_LABEL, labels[REVISION_LABEL])
    return Label(INJECT_LABEL, "true") if labels.get(INJECT_LABEL) == "true" else None


def _answered(hook: Manifest, selector: str, keys: Iterable[str]) -> Iterator[Label]:
    for one in (hook.get(selector) or {}).get("matchExpressions") or ():
        if one["key"] in keys and one["operator"] == "In":
            yield from (Label(one["key"], value) for value in one.get("values") or ())


def _service(hook: Manifest) -> str:
    config = hook.get("clientConfig") or {}
    service = config.get("service")
    return f"{service.get('namespace')}/{service['name']}" if service else str(config.get("url"))
