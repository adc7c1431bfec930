"""What runs: pods and what makes pods, found by their labels, and whether they have a sidecar."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mesh.analysis.objects import Object
from mesh.core import kinds, pods
from mesh.core.names import INJECT_LABEL, NAMESPACE_LABEL, REVISION_LABEL

PROXY: Final = "istio-proxy"
"""Name of the container that a sidecar, or a gateway, is."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Workload:
    """Pods that are alike."""

    object: Object
    labels: Mapping[str, str]
    """The pods' own."""
    annotations: Mapping[str, str]
    pod: Mapping[str, Any]
    """The pods' spec."""
    proxy: bool
    """Whether its pods have, or will get, Istio's proxy."""

    @property
    def namespace(self) -> str:
        return self.object.namespace

    @property
    def account(self) -> str:
        """The service account."""
        return self.pod.get("serviceAccountName") or "default"

    @property
    def gateway(self) -> bool:
        """Whether the pods are nothing but a proxy."""
        return [container.name for container in pods.running_containers(self.pod)] == [PROXY]


def read(thing: Object, namespaces: Mapping[str, Object]) -> Workload | None:
    """The workload that an object is; None if it makes no pods."""
    path, pod = pods.pod_spec(thing.kind, thing.body)
    if not path:
        return None
    whole = thing.body if thing.kind == kinds.POD else thing.spec.get("template") or {}
    meta = whole.get("metadata") or {}
    labels, annotations = meta.get("labels") or {}, meta.get("annotations") or {}
    proxy = _has_proxy(pod) or _injected(labels, annotations, pod, namespaces.get(thing.namespace))
    return Workload(object=thing, labels=labels, annotations=annotations, pod=pod, proxy=proxy)


def injects(namespace: Object | None) -> bool:
    """Whether pods of the namespace get a sidecar unless they say otherwise."""
    labels = namespace.labels if namespace else {}
    if NAMESPACE_LABEL in labels:
        return labels[NAMESPACE_LABEL] == "enabled"
    return REVISION_LABEL in labels


def _has_proxy(pod: Mapping[str, Any]) -> bool:
    """Whether a pod's spec has the proxy already."""
    return any(container.name == PROXY for container in pods.running_containers(pod))


def _injected(
    labels: Mapping[str, str], annotations: Mapping[str, str], pod: Mapping[str, Any], namespace: Object | None
) -> bool:
    if pod.get("hostNetwork"):
        return False
    if namespace and namespace.labels.get(NAMESPACE_LABEL) == "disabled":
        return False
    said = labels.get(INJECT_LABEL, annotations.get(INJECT_LABEL))
    if said is None:
        return injects(namespace)
    return said.lower() != "false" if injects(namespace) else labels.get(INJECT_LABEL) == "true"


class Workloads:
    """All workloads, by their labels."""

    def __init__(self, found: Iterable[Workload]) -> None:
        self.all: Sequence[Workload] = list(found)
        self._by_name = {(w.namespace, w.object.name): w for w in self.all}
        self._in: dict[str, list[Workload]] = defaultdict(list)
        self._by_label: dict[tuple[str, str], list[Workload]] = defaultdict(list)
        self._by_place: dict[tuple[str, str, str], list[Workload]] = defaultdict(list)
        for workload in self.all:
            self._in[workload.namespace].append(workload)
            for key, value in workload.labels.items():
                self._by_label[key, value].append(workload)
                self._by_place[workload.namespace, key, value].append(workload)

    def named(self, namespace: str, name: str) -> Workload | None:
        """The one that an object of this name makes; the last, if several kinds have the name."""
        return self._by_name.get((namespace, name))

    def select(self, labels: Mapping[str, str], namespace: str | None = None) -> Sequence[Workload]:
        """Those that have all of the labels, in one namespace or in all; without labels, every one."""
        if not labels:
            return self.all if namespace is None else self._in.get(namespace, ())
        lists: list[Sequence[Workload]] = [
            self._by_label.get(pair, ()) if namespace is None else self._by_place.get((namespace, *pair), ())
            for pair in labels.items()
        ]
        return [w for w in min(lists, key=len) if labels.items() <= w.labels.items()]
