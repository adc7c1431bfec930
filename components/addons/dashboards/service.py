"""The dashboard of one service: its clients, and the workloads that serve it."""

from __future__ import annotations

from typing import Any, Final

from components.addons.dashboards import queries
from components.addons.dashboards.panels import DATASOURCE, Dashboard, Panel, Query, Row, Variable
from components.addons.dashboards.queries import AT_DESTINATION, RECEIVED, REQUESTS, SENT, selector
from components.addons.dashboards.traffic_panels import Traffic

_OF: Final = 'destination_service=~"$service"'
_AT: Final = 'reporter="$qrep"'
_CALLERS: Final = "source_workload, source_workload_namespace"
_SERVERS: Final = "destination_workload, destination_workload_namespace"
_SMALL: Final[Any] = {"kind": "singlestat", "width": 6, "height": 4}


def _values(label: str, reporter: str, *more: str, exact: bool = False) -> str:
    """A query for the values of a label on requests and TCP connections to the service."""
    first = _OF.replace("=~", "=") if exact else _OF
    http, tcp = (
        f"sum({selector(metric, reporter, whose, *more)}) by ({label})"
        for metric, whose in ((REQUESTS, first), (SENT, _OF))
    )
    return f"query_result({http} or {tcp})"


def _pick(label: str) -> str:
    """A regular expression that extracts the label's value from the query's result."""
    return f'/.*{label}="([^"]*).*/'


def _choice(name: str, title: str, label: str, reporter: str, *more: str, exact: bool = False) -> Variable:
    query = _values(label, reporter, *more, exact=exact)
    return Variable(name=name, query=query, label=title, many=True, pick=_pick(label))


VARIABLES: Final = (
    DATASOURCE,
    Variable(name="service", query="label_values(destination_service)", label="Service"),
    Variable(name="qrep", query="label_values(reporter)", label="Reporter"),
    _choice("srcns", "Callers' namespaces", "source_workload_namespace", _AT, exact=True),
    _choice("srcwl", "Callers", "source_workload", _AT, 'source_workload_namespace=~"$srcns"'),
    _choice("dstns", "Servers' namespaces", "destination_workload_namespace", AT_DESTINATION, exact=True),
    _choice("dstwl", "Servers", "destination_workload", AT_DESTINATION, 'destination_workload_namespace=~"$dstns"'),
)


def _side(who: str, reporter: str, traffic: str, metric: str) -> list[Panel]:
    """The service as its clients' or its own proxies report it."""
    return [
        Panel(
            title=f"{who} Request Volume",
            queries=[Query(queries.rounded(queries.total(REQUESTS, reporter, _OF, over="5m")))],
            unit="ops",
            **_SMALL,
        ),
        Panel(
            title=f"{who} Success Rate (non-5xx responses)",
            queries=[Query(queries.success(reporter, _OF))],
            unit="percentunit",
            **_SMALL,
        ),
        Panel(title=f"{who} Request Duration", queries=queries.durations(reporter, _OF), unit="s", width=6, height=4),
        Panel(title=traffic, queries=[Query(queries.total(metric, _AT, _OF))], unit="Bps", **_SMALL),
    ]


SERVICE: Final = Dashboard(
    title="Istio Service Dashboard",
    uid="LJ_uJAvmk",
    about="One service, from its callers' side and from its own.",
    variables=VARIABLES,
    rows=[
        Row(
            "General",
            [
                Panel(kind="text", text="# Service `$service`", width=24, height=2),
                *_side("Client", _AT, "TCP Received Bytes", RECEIVED),
                *_side("Server", AT_DESTINATION, "TCP Sent Bytes", SENT),
            ],
        ),
        Row(
            "Client Workloads",
            [
                Panel(kind="text", text="## Who calls it", width=24, height=2),
                *Traffic(
                    reporter=_AT,
                    subject=[_OF],
                    peers=['source_workload=~"$srcwl"', 'source_workload_namespace=~"$srcns"'],
                    by=_CALLERS,
                ).panels(),
            ],
        ),
        Row(
            "Service Workloads",
            [
                Panel(kind="text", text="## Who answers for it", width=24, height=2),
                *Traffic(
                    reporter=AT_DESTINATION,
                    subject=[_OF],
                    peers=['destination_workload=~"$dstwl"', 'destination_workload_namespace=~"$dstns"'],
                    by=_SERVERS,
                    peer="Destination Workload",
                    measured_peer="Service Workload",
                ).panels(),
            ],
        ),
    ],
)
