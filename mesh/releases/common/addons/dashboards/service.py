"""The dashboard of one service: its clients, and the workloads that serve it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from mesh.releases.common.addons.dashboards import queries
from mesh.releases.common.addons.dashboards.queries import AT_DESTINATION, RECEIVED, REQUESTS, SENT
from mesh.releases.common.addons.dashboards.traffic import Traffic
from mesh.releases.dashboards import Dashboard, Panel, Query, Row, Variable

_CALLERS: Final = "source_workload, source_workload_namespace"
_SERVERS: Final = "destination_workload, destination_workload_namespace"
_SMALL: Final[Any] = {"kind": "number", "width": 6, "height": 4}


def dashboard(*, of: str, at: str, idle: str = "", variables: Sequence[Variable]) -> Dashboard:
    """The dashboard. Label matchers: `of` for the service, `at` for the chosen reporters of its callers. `idle` ends
    the divisor of a success rate."""

    def side(who: str, reporter: str, traffic: str, metric: str) -> list[Panel]:
        """The service as its clients' or its own proxies report it."""
        return [
            Panel(
                title=f"{who} Request Volume",
                queries=[Query(queries.rounded(queries.total(REQUESTS, reporter, of, over="5m")))],
                unit="ops",
                **_SMALL,
            ),
            Panel(
                title=f"{who} Success Rate (non-5xx responses)",
                queries=[Query(queries.success(reporter, of, idle=idle))],
                unit="percentunit",
                **_SMALL,
            ),
            Panel(
                title=f"{who} Request Duration", queries=queries.durations(reporter, of), unit="s", width=6, height=4
            ),
            Panel(title=traffic, queries=[Query(queries.total(metric, at, of))], unit="Bps", **_SMALL),
        ]

    return Dashboard(
        title="Istio Service Dashboard",
        uid="LJ_uJAvmk",
        about="One service, from its callers' side and from its own.",
        variables=variables,
        rows=[
            Row(
                "General",
                [
                    Panel(kind="text", text="# Service `$service`", width=24, height=2),
                    *side("Client", at, "TCP Received Bytes", RECEIVED),
                    *side("Server", AT_DESTINATION, "TCP Sent Bytes", SENT),
                ],
            ),
            _clients(of, at),
            _servers(of),
        ],
    )


def _clients(of: str, at: str) -> Row:
    traffic = Traffic(
        reporter=at,
        subject=[of],
        peers=['source_workload=~"$srcwl"', 'source_workload_namespace=~"$srcns"'],
        by=_CALLERS,
    )
    return Row("Client Workloads", [Panel(kind="text", text="## Who calls it", width=24, height=2), *traffic.panels()])


def _servers(of: str) -> Row:
    traffic = Traffic(
        reporter=AT_DESTINATION,
        subject=[of],
        peers=['destination_workload=~"$dstwl"', 'destination_workload_namespace=~"$dstns"'],
        by=_SERVERS,
        peer="Destination Workload",
        measured_peer="Service Workload",
    )
    return Row(
        "Service Workloads", [Panel(kind="text", text="## Who answers for it", width=24, height=2), *traffic.panels()]
    )
