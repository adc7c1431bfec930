"""The filters of a release through which proxies measure and tell who called whom."""

from __future__ import annotations

import pulumi

from components import kube
from mesh.releases.release import Installation


def install(mesh: Installation, namespace: pulumi.Input[str], opts: pulumi.ResourceOptions) -> None:
    """The filters that the values ask for, in Istio's namespace, so that they hold for the whole mesh."""
    for name, envoy_filter in mesh.release.telemetry_filters(mesh):
        manifest = envoy_filter.manifest(mesh.revisioned(name), mesh.root, mesh.release.api, mesh.labels)
        kube.custom(manifest, namespace, opts)
