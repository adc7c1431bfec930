"""Workloads: Pods and the objects that create them, looked up by the labels of the pods."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mesh.analysis.objects import Object
from mesh.core import kinds, pods
from mesh.core.names import INJECT_LABEL, NAMESPACE_LABEL, REVISION_LABEL
from mesh.proxy.proxy import CONTAINER

SYSTEM: Final = ("kube-system", "kube-public", "kube-node-lease", "local-path-storage")
"""Namespaces in which pods without an injection label are never injected."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Workload:
    """A Pod, or the pods of a Deployment, StatefulSet, DaemonSet or the like."""

    object: Object
    labels: Mapping[str, str]
    """The labels of the pods."""
    annotations: Mapping[str, str]
    """The annotations of the pods."""
    pod: Mapping[str, Any]
    """The spec of the pods."""
    proxy: bool
    """Whether the pods have the `istio-proxy` container, or will get it by injection."""
    injected: bool = False
    """Whether the webhook injects the pods, which may already have an `istio-proxy` container."""
    missed: bool = False
    """Whether it is a running pod without the sidecar that its namespace asks for."""

    @property
    def namespace(self) -> str:
        return self.object.namespace

    @property
    def account(self) -> str:
        """The name of the pods' service account."""
        return self.pod.get("serviceAccountName") or "default"

    @property
    def identity(self) -> str:
        """The pods' identity in the mesh, without the trust domain: `ns/<namespace>/sa/<account>`."""
        return f"ns/{self.namespace}/sa/{self.account}"

    @property
    def container_ports(self) -> Mapping[str, int]:
        """The TCP ports of the containers without the sidecar, by name, or by number if they have no name."""
        return {
            port.get("name") or str(port["containerPort"]): port["containerPort"]
            for container in pods.running_containers(self.pod)
            if container.name != CONTAINER or self.gateway
            for port in container.body.get("ports") or ()
            if port.get("protocol", "TCP") == "TCP"
        }

    def port_number(self, target: int | str) -> int | None:
        """The number of the port that a Service targets by number or name; None if no container names it."""
        return target if isinstance(target, int) else self.container_ports.get(target)

    @property
    def gateway(self) -> bool:
        """Whether the proxy is the only container of the pods."""
        return [container.name for container in pods.running_containers(self.pod)] == [CONTAINER]


def from_object(obj: Object, namespaces: Mapping[str, Object], unlabelled: bool = False) -> Workload | None:
    """Reads a workload; None if the object is not a Pod and has no pod template. `unlabelled`: whether pods of
    namespaces without an injection label are injected."""
    path, pod = pods.pod_spec(obj.kind, obj.body)
    if not path:
        return None
    meta = pods.template(obj.kind, obj.body).get("metadata") or {}
    labels, annotations = meta.get("labels") or {}, meta.get("annotations") or {}
    everywhere = unlabelled and obj.namespace not in SYSTEM
    asked = _injected(labels, annotations, pod, namespaces.get(obj.namespace), everywhere)
    running = obj.kind == kinds.POD and bool(pod.get("nodeName") or obj.body.get("status"))
    injected = asked and not running  # a running pod is not injected any more
    return Workload(
        object=obj,
        labels=labels,
        annotations=annotations,
        pod=pod,
        proxy=_has_proxy(pod) or injected,
        injected=injected,
        missed=running and asked and not _has_proxy(pod),
    )


def injects_by_default(namespace: Object | None) -> bool:
    """Whether the labels of a namespace ask for injection. Pods may opt out."""
    labels = namespace.labels if namespace else {}
    if NAMESPACE_LABEL in labels:
        return labels[NAMESPACE_LABEL] == "enabled"
    return REVISION_LABEL in labels


def _has_proxy(pod: Mapping[str, Any]) -> bool:
    """Whether the pods' spec already has the proxy's container."""
    return pods.running_container(pod, CONTAINER) is not None


def _injected(
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    pod: Mapping[str, Any],
    namespace: Object | None,
    everywhere: bool,
) -> bool:
    """Whether the webhook injects the pods, by its rules: the namespace's labels, and the pods' labels or annotation.
    `everywhere`: whether it also injects in namespaces without a label."""
    if pod.get("hostNetwork"):
        return False
    if namespace and namespace.labels.get(NAMESPACE_LABEL) == "disabled":
        return False
    asked = injects_by_default(namespace) or REVISION_LABEL in labels or everywhere
    said = labels.get(INJECT_LABEL, annotations.get(INJECT_LABEL))
    if said is None:
        return asked
    return said.lower() != "false" if asked else labels.get(INJECT_LABEL) == "true"


class Workloads:
    """All workloads of a mesh, looked up by name or by labels."""

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
        """The workload of the object with this name; the last one if objects of several kinds have it."""
        return self._by_name.get((namespace, name))

    def select(self, labels: Mapping[str, str], namespace: str | None = None) -> Sequence[Workload]:
        """The workloads whose pods have all of the labels, in one namespace or in all. No labels select them all."""
        if not labels:
            return self.all if namespace is None else self._in.get(namespace, ())
        lists: list[Sequence[Workload]] = [
            self._by_label.get(pair, ()) if namespace is None else self._by_place.get((namespace, *pair), ())
            for pair in labels.items()
        ]
        return [w for w in min(lists, key=len) if labels.items() <= w.labels.items()]
