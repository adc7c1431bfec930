"""Grafana's dashboards: the seven of Istio 1.30's samples, and one for Bookinfo.

Titles, variables, panels and queries of the seven are those of the samples, and the uids where those have one."""

from __future__ import annotations

from typing import Final

from mesh.releases.common.addons.dashboards.bookinfo import BOOKINFO
from mesh.releases.common.addons.dashboards.extension import EXTENSION
from mesh.releases.common.addons.dashboards.performance import PERFORMANCE
from mesh.releases.dashboards import Dashboards
from mesh.releases.v1_30.addons.dashboards import grafana
from mesh.releases.v1_30.addons.dashboards.asking import measured
from mesh.releases.v1_30.addons.dashboards.istiod import CONTROL_PLANE
from mesh.releases.v1_30.addons.dashboards.mesh import MESH
from mesh.releases.v1_30.addons.dashboards.service import SERVICE
from mesh.releases.v1_30.addons.dashboards.workload import WORKLOAD
from mesh.releases.v1_30.addons.dashboards.ztunnel import ZTUNNEL

DASHBOARDS: Final = Dashboards(
    folders={
        "istio": {
            "pilot-dashboard": CONTROL_PLANE,
            "istio-performance-dashboard": measured(PERFORMANCE),
            "ztunnel-dashboard": ZTUNNEL,
        },
        "istio-services": {
            "istio-mesh-dashboard": MESH,
            "istio-service-dashboard": SERVICE,
            "istio-workload-dashboard": WORKLOAD,
            "istio-extension-dashboard": measured(EXTENSION),
        },
        "bookinfo": {"bookinfo-dashboard": measured(BOOKINFO)},
    },
    document=grafana.document,
)
