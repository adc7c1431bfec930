"""The dashboard of one workload: its clients, and the services that it calls."""

from __future__ import annotations

from typing import Any, Final

from components.addons.dashboards import queries
from components.addons.dashboards.panels import DATASOURCE, Dashboard, Panel, Query, Row, Variable
from components.addons.dashboards.queries import AT_SOURCE, RECEIVED, REQUESTS, SENT, selector
from components.addons.dashboards.traffic_panels import Traffic

_AT: Final = 'reporter="$qrep"'


def _is(role: str) -> tuple[str, str]:
    """Label matchers for traffic in which the chosen workload is the `source` or the `destination`."""
    return f'{role}_workload_namespace=~"$namespace"', f'{role}_workload=~"$workload"'


_CALLED, _CALLING = _is("destination"), _is("source")
_WHOSE: Final = ('destination_workload="$workload"', 'destination_workload_namespace=~"$namespace"')
_SMALL: Final[Any] = {"kind": "singlestat", "width": 8, "height": 4}


def _seen(label: str, *matchers: str) -> str:
    """A query for the values of a label on requests and TCP connections."""
    http, tcp = (f"sum({selector(metric, *matchers)}) by ({label})" for metric in (REQUESTS, SENT))
    return f"{http} or {tcp}"


def _workloads(metric: str) -> str:
    """A query for the workloads of the namespace that are sources or destinations."""
    ends = [f"sum({selector(metric, f'{end}_workload_namespace=~{_NAMESPACE}')}) by ({end}_workload)" for end in _ENDS]
    return f"({' or '.join(ends)})"


_NAMESPACE: Final = '"$namespace"'
_ENDS: Final = ("destination", "source")


def _choice(name: str, title: str, label: str, *matchers: str) -> Variable:
    query = f"query_result({_seen(label, *matchers)})"
    return Variable(name=name, query=query, label=title, many=True, pick=f'/.*{label}="([^"]*).*/')


VARIABLES: Final = (
    DATASOURCE,
    Variable(
        name="namespace",
        query=f"query_result({_seen('destination_workload_namespace')})",
        label="Namespace",
        pick='/.*_namespace="([^"]*).*/',
    ),
    Variable(
        name="workload",
        query=f"query_result({_workloads(REQUESTS)} or {_workloads(SENT)})",
        label="Workload",
        pick='/.*workload="([^"]*).*/',
    ),
    Variable(name="qrep", query="label_values(reporter)", label="Reporter"),
    _choice("srcns", "Callers' namespaces", "source_workload_namespace", _AT, *_WHOSE),
    _choice("srcwl", "Callers", "source_workload", _AT, *_WHOSE, 'source_workload_namespace=~"$srcns"'),
    _choice("dstsvc", "Services that it calls", "destination_service", AT_SOURCE, *reversed(_CALLING)),
)


def _traffic(whose: tuple[str, str]) -> list[Query]:
    return [Query(" + ".join(queries.total(metric, _AT, *whose) for metric in (SENT, RECEIVED)))]


def _general() -> list[Panel]:
    volume = queries.rounded(queries.total(REQUESTS, _AT, *_CALLED, over="5m"))
    return [
        Panel(kind="text", text="# Workload `$workload` of namespace `$namespace`", width=24, height=2),
        Panel(title="Incoming Request Volume", queries=[Query(volume)], unit="ops", **_SMALL),
        Panel(
            title="Incoming Success Rate (non-5xx responses)",
            queries=[Query(queries.success(_AT, *_CALLED))],
            unit="percentunit",
            **_SMALL,
        ),
        Panel(title="Request Duration", queries=queries.durations(_AT, *reversed(_CALLED)), unit="s", height=4),
        Panel(title="TCP Server Traffic", queries=_traffic(_CALLED), unit="Bps", **{**_SMALL, "width": 12}),
        Panel(title="TCP Client Traffic", queries=_traffic(_CALLING), unit="Bps", **{**_SMALL, "width": 12}),
    ]


WORKLOAD: Final = Dashboard(
    title="Istio Workload Dashboard",
    uid="UbsSZTDik",
    about="One workload: what reaches it, and what it sends out.",
    variables=VARIABLES,
    rows=[
        Row("General", _general()),
        Row(
            "Inbound Workloads",
            [
                Panel(kind="text", text="## Who calls it", width=24, height=2),
                *Traffic(
                    reporter=_AT,
                    subject=_CALLED,
                    peers=['source_workload=~"$srcwl"', 'source_workload_namespace=~"$srcns"'],
                    by="source_workload, source_workload_namespace",
                ).panels(),
            ],
        ),
        Row(
            "Outbound Services",
            [
                Panel(kind="text", text="## Whom it calls", width=24, height=2),
                *Traffic(
                    reporter=AT_SOURCE,
                    subject=_CALLING,
                    peers=['destination_service=~"$dstsvc"'],
                    by="destination_service",
                    peer="Destination",
                    outgoing=True,
                ).panels(),
            ],
        ),
    ],
)
