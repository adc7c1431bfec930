"""The ConfigMaps that istiod reads (mesh configuration, and injection templates and values), and manual injection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi_kubernetes.core.v1 import ConfigMap

from components import kube
from mesh import proxy
from mesh.core import documents
from mesh.core.names import INJECTOR, MESH_CONFIG
from mesh.proxy import injection
from mesh.releases.release import Installation


def config_maps(mesh: Installation, namespace: pulumi.Input[str], opts: pulumi.ResourceOptions) -> list[ConfigMap]:
    """Both ConfigMaps, as far as the values enable them."""
    values, contents = mesh.values, {}
    if values.pilot.configMap:
        text = documents.dump(mesh.release.mesh_config(mesh), sort_keys=True)
        contents[MESH_CONFIG] = {"mesh": text, "meshNetworks": "networks: {}\n"}
    if not values.global_.omitSidecarInjectorConfigMap:
        contents[INJECTOR] = injection.config_map_data(
            mesh.release.injection_templates(), mesh.release.injection_values(mesh)
        )
    names = {mesh.revisioned(name): data for name, data in contents.items()}
    return [
        ConfigMap(name, metadata=kube.metadata(name, namespace, mesh.labels), data=data, opts=opts)
        for name, data in names.items()
    ]


def checksum(mesh: Installation) -> str:
    """A checksum of templates, injection values and mesh configuration: it changes when injected sidecars change."""
    release = mesh.release
    injector, values = release.injector, release.injection_values(mesh)
    read = injector.reads(release.mesh_config(mesh))
    return injection.checksum(release.injection_templates(), injection.decisive(values, injector.variables), read)


def with_sidecar(mesh: Installation, workload: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest of a workload with the sidecar that this control plane would inject into its pods.

    Raises InjectionError if the workload cannot be injected."""
    release = mesh.release
    values, config = release.injection_values(mesh), release.mesh_config(mesh)
    return proxy.inject(workload, release.injector, release.proxy_config, values, config, mesh.values.revision)
