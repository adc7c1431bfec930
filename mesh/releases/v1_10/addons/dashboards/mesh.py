"""The dashboard of the whole mesh: its traffic, its success rate, and the number of its configuration objects."""

from __future__ import annotations

from typing import Final

from mesh.releases.common.addons.dashboards import queries
from mesh.releases.common.addons.dashboards.performance import VERSIONS
from mesh.releases.common.addons.dashboards.queries import AT_SOURCE, RECEIVED, REQUESTS, SENT
from mesh.releases.dashboards import DATASOURCE, Dashboard, Panel, Query, Row, Unit

_WORKLOAD: Final = "destination_workload, destination_workload_namespace"
_SERVICE: Final = f"{_WORKLOAD}, destination_service"
_NAMES: Final = queries.names(_WORKLOAD)

CONFIGURATION: Final = {
    "Virtual Services": "VirtualService",
    "Destination Rules": "DestinationRule",
    "Gateways": "Gateway",
    "Workload Entries": "WorkloadEntry",
    "Service Entries": "ServiceEntry",
    "PeerAuthentication Policies": "PeerAuthentication",
    "RequestAuthentication Policies": "RequestAuthentication",
    "Authorization Policies": "AuthorizationPolicy",
}
"""Kinds whose objects are counted, by panel title."""


def _joined(expr: str) -> str:
    """The query with a further label that joins the workload's name and namespace."""
    return (
        f'label_join({expr}, "destination_workload_var", ".", "destination_workload", "destination_workload_namespace")'
    )


def _latency(part: str) -> Query:
    expr = queries.duration(part, AT_SOURCE, by=f"le, {_WORKLOAD}", rate="rate")
    return Query(_joined(expr), _NAMES, queries.percent(part), "s")


def _traffic() -> list[Panel]:
    fails = {f"{digit}xxs": f'response_code=~"{digit}.*"' for digit in (4, 5)}
    good = queries.success(AT_SOURCE, over="1m", rate="rate")
    volume = queries.rounded(queries.total(REQUESTS, AT_SOURCE))
    return [
        _number("Global Request Volume", volume, "ops"),
        _number("Global Success Rate (non-5xx responses)", good, "percentunit"),
        *(_number(title, queries.total(REQUESTS, AT_SOURCE, code), "ops") for title, code in fails.items()),
    ]


def _number(title: str, expr: str, unit: Unit = "none") -> Panel:
    return Panel(title=title, kind="number", queries=[Query(expr)], unit=unit, width=6, height=3)


def _http() -> Panel:
    answered = queries.total(REQUESTS, AT_SOURCE, 'response_code="200"', by=_SERVICE, rate="rate")
    good = queries.success(AT_SOURCE, by=_WORKLOAD, over="1m", rate="rate")
    columns = [
        Query(_joined(answered), _NAMES, "Requests", "ops"),
        *(_latency(part) for part in ("0.50", "0.90", "0.99")),
        Query(_joined(f"({good})"), _NAMES, "Success Rate", "percentunit"),
    ]
    return Panel(title="HTTP/GRPC Workloads", kind="table", queries=columns, width=24, height=10)


def _tcp() -> Panel:
    columns = {"Bytes Received": RECEIVED, "Bytes Sent": SENT}
    asked = [
        Query(_joined(queries.total(m, AT_SOURCE, by=_SERVICE, rate="rate")), "{{ destination_workload }}", name, "Bps")
        for name, m in columns.items()
    ]
    return Panel(title="TCP Workloads", kind="table", queries=asked, width=24, height=8)


MESH: Final = Dashboard(
    title="Istio Mesh Dashboard",
    uid="G8wLrJIZk",
    about="All traffic of the mesh, its workloads and its configuration.",
    variables=[DATASOURCE],
    rows=[
        Row(
            None,
            [
                Panel(kind="text", text="# The mesh\nWhat proxies report where requests start.", width=24, height=3),
                *_traffic(),
                *(_number(title, queries.count(kind)) for title, kind in CONFIGURATION.items()),
                _http(),
                _tcp(),
                VERSIONS,
            ],
        )
    ],
)
