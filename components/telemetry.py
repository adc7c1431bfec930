"""The EnvoyFilters of a release for metrics and metadata exchange."""

from __future__ import annotations

import pulumi

from components import kube
from mesh.releases.release import Installation


def install(mesh: Installation, namespace: pulumi.Input[str], opts: pulumi.ResourceOptions) -> None:
    """Installs the filters that the values enable, in the root namespace, so that they apply to the whole mesh."""
    for name, envoy_filter in mesh.release.telemetry_filters(mesh):
        manifest = envoy_filter.manifest(mesh.revisioned(name), mesh.config_root, mesh.release.api, mesh.labels)
        kube.custom_resource(manifest, namespace if mesh.config_root == mesh.root else mesh.config_root, opts)
