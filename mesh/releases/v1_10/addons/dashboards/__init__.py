"""Grafana's dashboards: the six of Istio 1.10's samples, and one for Bookinfo.

Titles, uids, variables, panels and queries of the six are those of the samples."""

from __future__ import annotations

from typing import Final

from mesh.releases.common.addons.dashboards.bookinfo import BOOKINFO
from mesh.releases.common.addons.dashboards.extension import EXTENSION
from mesh.releases.common.addons.dashboards.performance import PERFORMANCE
from mesh.releases.dashboards import Dashboards
from mesh.releases.v1_10.addons.dashboards import grafana
from mesh.releases.v1_10.addons.dashboards.istiod import CONTROL_PLANE
from mesh.releases.v1_10.addons.dashboards.mesh import MESH
from mesh.releases.v1_10.addons.dashboards.service import SERVICE
from mesh.releases.v1_10.addons.dashboards.workload import WORKLOAD

DASHBOARDS: Final = Dashboards(
    folders={
        "istio": {"pilot-dashboard": CONTROL_PLANE, "istio-performance-dashboard": PERFORMANCE},
        "istio-services": {
            "istio-mesh-dashboard": MESH,
            "istio-service-dashboard": SERVICE,
            "istio-workload-dashboard": WORKLOAD,
            "istio-extension-dashboard": EXTENSION,
        },
        "bookinfo": {"bookinfo-dashboard": BOOKINFO},
    },
    document=grafana.document,
)
