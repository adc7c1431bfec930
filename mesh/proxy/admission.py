"""Automatic injection: the answer of the injector's webhook when the API server asks about a new pod."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mesh.core.selectors import selects
from mesh.proxy.annotations import UnsupportedError
from mesh.proxy.injector import Injector
from mesh.proxy.manual import inject

Manifest = Mapping[str, Any]

IGNORED: Final = ("kube-system", "kube-public", "kube-node-lease", "local-path-storage")
"""Namespaces without injection, whatever their labels."""
HASH_LABEL: Final = "pod-template-hash"
"""Label of the pods of a Deployment, with the end of the name of their ReplicaSet."""


@dataclass(frozen=True, kw_only=True)
class Configured:
    """The configuration of a control plane's injector."""

    injector: Injector
    """The injector of the release."""
    proxy_config: Mapping[str, Any]
    """The defaults of the release's ProxyConfig."""
    config: Mapping[str, Any]
    """Key `config` of ConfigMap `istio-sidecar-injector`, parsed."""
    values: Mapping[str, Any]
    """Key `values` of the same ConfigMap, parsed."""
    mesh: Mapping[str, Any]
    """The MeshConfig."""
    revision: str
    """Empty for the control plane without a name."""

    def patch(self, pod: Manifest, namespace: str) -> list[dict[str, Any]]:
        """The JSON patch (RFC 6902) that gives a new pod of the namespace its sidecar; empty if it gets none.

        Raises InjectionError for pods that Istio refuses, and UnsupportedError for pods that only Istio can inject.
        """
        if not self._required(pod, namespace):
            return []
        if [*(self.config.get("defaultTemplates") or ["sidecar"])] != ["sidecar"]:
            raise UnsupportedError("defaultTemplates: only the template sidecar is supported")
        found = inject(
            {**pod, "apiVersion": "v1", "kind": "Pod"},
            self.injector,
            self.proxy_config,
            self.values,
            self.mesh,
            self.revision,
            owner(pod, namespace, self.injector),
        )
        found["metadata"].setdefault("annotations", {}).update(self.config.get("injectedAnnotations") or {})
        return [
            *_replaced("/metadata", pod["metadata"], found["metadata"]),
            *_replaced("/spec", pod["spec"], found["spec"]),
        ]

    def _required(self, pod: Manifest, namespace: str) -> bool:
        """Whether the injector injects a pod for which its webhook is called."""
        if pod["spec"].get("hostNetwork") or namespace in IGNORED:
            return False
        labels = pod["metadata"].get("labels") or {}
        said = self.injector.asks(pod["metadata"].get("annotations") or {}, labels)
        if said is not None:
            return said
        for key, answer in (("neverInjectSelector", False), ("alwaysInjectSelector", True)):
            if any(selector and selects(selector, labels) for selector in self.config.get(key) or ()):
                return answer
        return bool(self.config.get("policy") == "enabled")


def owner(pod: Manifest, namespace: str, injector: Injector) -> dict[str, Any]:
    """apiVersion, kind and metadata of the workload that a new pod belongs to, as the injector guesses them from the
    pod; the pod's own if it belongs to no workload."""
    metadata = pod["metadata"]
    version, kind, name = "v1", "Pod", metadata.get("name", "")
    controller = next((one for one in metadata.get("ownerReferences") or () if one.get("controller")), None)
    if controller and metadata.get("generateName"):
        version, kind, name = controller["apiVersion"], controller["kind"], controller["name"]
        digest = (metadata.get("labels") or {}).get(HASH_LABEL)
        scheduled = injector.scheduled.fullmatch(name)
        if kind == "ReplicaSet" and digest and name.endswith(digest):
            kind, name = "Deployment", name.removesuffix(f"-{digest}")
        elif kind == "Job" and scheduled:
            version, kind, name = injector.cron_jobs, "CronJob", scheduled[1]
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": namespace}}


def _replaced(path: str, before: Manifest, after: Manifest) -> Iterator[dict[str, Any]]:
    """The operations that set each field that has changed."""
    for name, value in after.items():
        if before.get(name) != value:
            yield {"op": "add", "path": f"{path}/{name}", "value": value}
