"""The dashboards of the mesh, in ConfigMaps for a Grafana that exists already."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as k8s

from components import kube
from mesh.config import existing
from mesh.releases.addons import Grafana


class Dashboards(pulumi.ComponentResource):
    """A ConfigMap for each folder of dashboards, with labels by which Grafana's sidecar container finds it."""

    def __init__(
        self,
        name: str,
        sample: Grafana,
        root: str,
        settings: existing.Dashboards,
        namespace: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`sample` has the dashboards; `root` is Istio's namespace, `namespace` that of the ConfigMaps, known when it
        exists."""
        super().__init__("mesh:addons:Dashboards", name, None, opts)
        for folder in sample.dashboards.folders:
            own = config_map(folder)
            k8s.core.v1.ConfigMap(
                own,
                metadata=kube.metadata(own, namespace, settings.labels, settings.annotations),
                data=sample.dashboards.files(folder, root),
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})


def config_map(folder: str) -> str:
    """Name of the ConfigMap with a folder's dashboards."""
    return f"{folder}-grafana-dashboards"
