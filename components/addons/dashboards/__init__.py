"""Grafana's dashboards: the six of Istio's samples, and one for Bookinfo.

Titles, uids, variables, panels and queries of the six are those of Istio's release."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from components.addons.dashboards.bookinfo import BOOKINFO
from components.addons.dashboards.extension import EXTENSION
from components.addons.dashboards.istiod import CONTROL_PLANE
from components.addons.dashboards.mesh import MESH
from components.addons.dashboards.panels import Dashboard
from components.addons.dashboards.performance import PERFORMANCE
from components.addons.dashboards.service import SERVICE
from components.addons.dashboards.workload import WORKLOAD

FOLDERS: Final[Mapping[str, Mapping[str, Dashboard]]] = {
    "istio": {"pilot-dashboard": CONTROL_PLANE, "istio-performance-dashboard": PERFORMANCE},
    "istio-services": {
        "istio-mesh-dashboard": MESH,
        "istio-service-dashboard": SERVICE,
        "istio-workload-dashboard": WORKLOAD,
        "istio-extension-dashboard": EXTENSION,
    },
    "bookinfo": {"bookinfo-dashboard": BOOKINFO},
}
"""Dashboards by folder and file name."""


def files(folder: str) -> dict[str, str]:
    """The JSON files of a folder, by file name."""
    return {f"{name}.json": json.dumps(dashboard.document()) for name, dashboard in FOLDERS[folder].items()}
