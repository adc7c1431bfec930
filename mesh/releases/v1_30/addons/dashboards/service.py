"""The dashboard of one service: its variables."""

from __future__ import annotations

from typing import Final

from mesh.releases.common.addons.dashboards import queries, service
from mesh.releases.common.addons.dashboards.queries import AT_DESTINATION
from mesh.releases.dashboards import DATASOURCE, Variable
from mesh.releases.v1_30.addons.dashboards.asking import AT, REPORTERS, measured

_OF: Final = 'destination_service="$service"'


def _choice(name: str, title: str, label: str, reporter: str, *more: str) -> Variable:
    return queries.choice(name, title, label, queries.seen(label, (reporter, _OF, *more)))


SERVICE: Final = measured(
    service.dashboard(
        of=_OF,
        at=AT,
        idle=queries.OR_ONE,
        variables=(
            DATASOURCE,
            Variable(
                name="service",
                query=f"query_result({queries.seen('destination_service')})",
                label="Service",
                pick=queries.pick("destination_service"),
            ),
            REPORTERS,
            _choice("srccluster", "Callers' clusters", "source_cluster", AT),
            _choice("srcns", "Callers' namespaces", "source_workload_namespace", AT),
            _choice("srcwl", "Callers", "source_workload", AT, 'source_workload_namespace=~"$srcns"'),
            _choice("dstcluster", "Servers' clusters", "destination_cluster", AT_DESTINATION),
            _choice("dstns", "Servers' namespaces", "destination_workload_namespace", AT_DESTINATION),
            _choice(
                "dstwl",
                "Servers",
                "destination_workload",
                AT_DESTINATION,
                'destination_cluster=~"$dstcluster"',
                'destination_workload_namespace=~"$dstns"',
            ),
        ),
    )
)
