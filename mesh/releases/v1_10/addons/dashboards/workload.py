"""The dashboard of one workload."""

from __future__ import annotations

from typing import Final

from mesh.releases.common.addons.dashboards import workload
from mesh.releases.dashboards import Variable

WORKLOAD: Final = workload.dashboard(
    reporters=Variable(name="qrep", query="label_values(reporter)", label="Reporter"),
    at='reporter="$qrep"',
    outgoing=workload.OUTGOING,
)
