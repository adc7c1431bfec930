"""The dashboard of one workload."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from mesh.releases.common.addons.dashboards import queries, workload
from mesh.releases.common.addons.dashboards.queries import RECEIVED, SENT
from mesh.releases.v1_30.addons.dashboards.asking import AT, REPORTERS, measured

_SECURITIES: Final = [
    (f'destination_principal{matches}"spiffe.*"', end)
    for matches, (_, end) in zip(("=~", "!~"), queries.SECURITIES, strict=True)
]
_OUTGOING: Final = replace(workload.OUTGOING, securities=_SECURITIES, sent=RECEIVED, received=SENT)
"""Metrics count from the server's side: what the workload sends is what the service receives."""

WORKLOAD: Final = measured(workload.dashboard(reporters=REPORTERS, at=AT, outgoing=_OUTGOING))
