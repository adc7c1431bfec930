"""Models what a mesh's injectors add to pods, so that both sides of a change can be compared.

istiod adds a sidecar when a pod is created. What it adds stays until the pod is replaced: image, resources and
lifecycle of the container, and in its environment the whole ProxyConfig, the trust domain and the revision. The proxy
gets everything else from istiod while it runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from mesh import releases
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.workloads import Workload
from mesh.core import kinds, pods
from mesh.core.names import (
    DEFAULT_REVISION,
    INJECT_LABEL,
    INJECTOR,
    MESH_CONFIG,
    NAMESPACE_LABEL,
    REVISION_LABEL,
)
from mesh.proxy import manual
from mesh.proxy.annotations import InjectionError
from mesh.proxy.proxy import CONTAINER
from mesh.releases.release import Release

Manifest = Mapping[str, Any]

_TEMPLATES: Final = ("templates", "defaultTemplates", "injectedAnnotations")
"""The fields of the injector's configuration that decide what is added; the others decide to which pods."""
_SIDECAR: Final = ["sidecar"]
"""The templates that the model of a release covers."""


@dataclass(frozen=True, kw_only=True)
class Injector:
    """The configuration of one control plane's injector."""

    config: Mapping[str, Any]
    """The fields `_TEMPLATES`."""
    values: Mapping[str, Any]
    mesh: Mapping[str, Any]
    """The fields of MeshConfig that templates read."""
    release: Release

    @property
    def settings(self) -> Mapping[str, Any]:
        """All settings that decide what is added. MeshConfig has the name of its config key."""
        return {**self.values, "injector": self.config, "meshConfig": self.mesh}

    def inject(self, workload: Object) -> Any:
        """The workload's manifest with its sidecar, or all settings if the model does not cover the templates."""
        if self.config.get("defaultTemplates", _SIDECAR) != _SIDECAR:
            return self.settings
        try:
            revision, release = self.values.get("revision") or "", self.release
            made = manual.inject(
                workload.body, release.injector, release.proxy_config, self.values, self.mesh, revision
            )
        except (InjectionError, KeyError, TypeError, AttributeError):  # annotations and values that Istio refuses
            return self.settings
        return made, self.config


def injectors(mesh: Mesh, release: Release) -> Mapping[str, Injector]:
    """The injectors of a mesh by revision, if their ConfigMaps are part of the stack and can be read. `release` is for
    injectors whose image tag names no release."""
    found = {}
    maps = {obj.name: obj for obj in mesh.of(kinds.CONFIG_MAP) if obj.namespace == mesh.home}
    for name, obj in maps.items():
        suffix = name.removeprefix(INJECTOR)
        if name.startswith(INJECTOR) and (injector := _read(obj, maps.get(f"{MESH_CONFIG}{suffix}"), release)):
            found[suffix.removeprefix("-") or DEFAULT_REVISION] = injector
    return found


def _read(injector: Object, mesh: Object | None, release: Release) -> Injector | None:
    try:
        data = injector.body["data"]
        config, values = yaml.load(data["config"], Loader=yaml.CSafeLoader), json.loads(data["values"])
        release = releases.of_version(str(values["global"]["tag"])) or release
        read = release.injector.reads(mesh_config(mesh))
        return Injector(
            config={name: config[name] for name in _TEMPLATES if config.get(name)},
            values=values,
            mesh={name: value for name, value in read.items() if value is not None},
            release=release,
        )
    except (KeyError, TypeError, AttributeError, ValueError, yaml.YAMLError):  # the content is not of the usual form
        return None


def mesh_config(config_map: Object | None) -> Mapping[str, Any]:
    """The MeshConfig in a ConfigMap; empty if it has none."""
    try:
        found = yaml.load(config_map.body["data"]["mesh"], Loader=yaml.CSafeLoader) if config_map else {}
    except (KeyError, TypeError, yaml.YAMLError):
        return {}
    return found if isinstance(found, Mapping) else {}


def is_injected(workload: Workload) -> bool:
    """Whether the pods get their sidecar by injection, not from their template."""
    return workload.proxy and pods.running_container(workload.pod, CONTAINER) is None


def revision(mesh: Mesh, namespace: str, labels: Mapping[str, str]) -> str:
    """The revision that injects pods with these labels, also by a tag; empty if none does."""
    return mesh.revision_of(_named(mesh.namespaces.get(namespace), labels))


def _named(namespace: Object | None, labels: Mapping[str, str]) -> str:
    """The revision or tag that a pod's namespace, or else the pod, asks for."""
    of_namespace = namespace.labels if namespace else {}
    if NAMESPACE_LABEL in of_namespace:
        return DEFAULT_REVISION if of_namespace[NAMESPACE_LABEL] == "enabled" else ""
    if REVISION_LABEL in of_namespace:
        return of_namespace[REVISION_LABEL]
    return labels.get(REVISION_LABEL) or (DEFAULT_REVISION if labels.get(INJECT_LABEL) == "true" else "")


def any_workload(namespace: str) -> Object:
    """A workload that stands for unknown workloads of a namespace."""
    template = {"metadata": {}, "spec": {"containers": [{"name": "app", "image": "app"}]}}
    meta = {"name": "any", "namespace": namespace}
    return Object.read(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": {"template": template}}
    )
