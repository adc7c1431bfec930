"""The dashboard of one service: its variables."""

from __future__ import annotations

from typing import Final

from mesh.releases.common.addons.dashboards import queries, service
from mesh.releases.common.addons.dashboards.queries import AT_DESTINATION
from mesh.releases.dashboards import DATASOURCE, Variable

_OF: Final = 'destination_service=~"$service"'
_AT: Final = 'reporter="$qrep"'


def _choice(name: str, title: str, label: str, reporter: str, *more: str, exact: bool = False) -> Variable:
    requested = _OF.replace("=~", "=") if exact else _OF
    asked = queries.seen(label, (reporter, requested, *more), (reporter, _OF, *more))
    return queries.choice(name, title, label, asked)


SERVICE: Final = service.dashboard(
    of=_OF,
    at=_AT,
    variables=(
        DATASOURCE,
        Variable(name="service", query="label_values(destination_service)", label="Service"),
        Variable(name="qrep", query="label_values(reporter)", label="Reporter"),
        _choice("srcns", "Callers' namespaces", "source_workload_namespace", _AT, exact=True),
        _choice("srcwl", "Callers", "source_workload", _AT, 'source_workload_namespace=~"$srcns"'),
        _choice("dstns", "Servers' namespaces", "destination_workload_namespace", AT_DESTINATION, exact=True),
        _choice("dstwl", "Servers", "destination_workload", AT_DESTINATION, 'destination_workload_namespace=~"$dstns"'),
    ),
)
