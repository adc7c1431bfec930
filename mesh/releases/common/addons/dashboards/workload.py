"""The dashboard of one workload: its clients, and the services that it calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from mesh.releases.common.addons.dashboards import queries
from mesh.releases.common.addons.dashboards.queries import AT_SOURCE, RECEIVED, REQUESTS, SENT, selector
from mesh.releases.common.addons.dashboards.traffic import Traffic
from mesh.releases.dashboards import DATASOURCE, Dashboard, Panel, Query, Row, Variable


def _is(role: str) -> tuple[str, str]:
    """Label matchers for traffic in which the chosen workload is the `source` or the `destination`."""
    return f'{role}_workload_namespace=~"$namespace"', f'{role}_workload=~"$workload"'


_CALLED, _CALLING = _is("destination"), _is("source")
_WHOSE: Final = ('destination_workload="$workload"', 'destination_workload_namespace=~"$namespace"')
_NAMESPACE: Final = '"$namespace"'
_ENDS: Final = ("destination", "source")
_SMALL: Final[Any] = {"kind": "number", "width": 8, "height": 4}


OUTGOING: Final = Traffic(
    reporter=AT_SOURCE,
    subject=_CALLING,
    peers=['destination_service=~"$dstsvc"'],
    by="destination_service",
    peer="Destination",
    outgoing=True,
)
"""What the workload sends to others."""


def _workloads(metric: str) -> str:
    """A query for the workloads of the namespace that are sources or destinations."""
    ends = [f"sum({selector(metric, f'{end}_workload_namespace=~{_NAMESPACE}')}) by ({end}_workload)" for end in _ENDS]
    return f"({' or '.join(ends)})"


def _choice(name: str, title: str, label: str, *matchers: str) -> Variable:
    return queries.choice(name, title, label, queries.seen(label, matchers))


def variables(reporters: Variable, at: str) -> tuple[Variable, ...]:
    """The variables, `reporters` among them, which `at` matches."""
    return (
        DATASOURCE,
        Variable(
            name="namespace",
            query=f"query_result({queries.seen('destination_workload_namespace')})",
            label="Namespace",
            pick=queries.pick("_namespace"),
        ),
        Variable(
            name="workload",
            query=f"query_result({_workloads(REQUESTS)} or {_workloads(SENT)})",
            label="Workload",
            pick=queries.pick("workload"),
        ),
        reporters,
        _choice("srcns", "Callers' namespaces", "source_workload_namespace", at, *_WHOSE),
        _choice("srcwl", "Callers", "source_workload", at, *_WHOSE, 'source_workload_namespace=~"$srcns"'),
        _choice("dstsvc", "Services that it calls", "destination_service", AT_SOURCE, *reversed(_CALLING)),
    )


def dashboard(*, reporters: Variable, at: str, outgoing: Traffic) -> Dashboard:
    """The dashboard. `at` is a label matcher for the chosen `reporters`."""
    return Dashboard(
        title="Istio Workload Dashboard",
        uid="UbsSZTDik",
        about="One workload: what reaches it, and what it sends out.",
        variables=variables(reporters, at),
        rows=[Row("General", _general(at)), _inbound(at), _outbound(outgoing)],
    )


def _general(at: str) -> Sequence[Panel]:
    def traffic(whose: tuple[str, str]) -> list[Query]:
        return [Query(" + ".join(queries.total(metric, at, *whose) for metric in (SENT, RECEIVED)))]

    volume = queries.rounded(queries.total(REQUESTS, at, *_CALLED, over="5m"))
    return [
        Panel(kind="text", text="# Workload `$workload` of namespace `$namespace`", width=24, height=2),
        Panel(title="Incoming Request Volume", queries=[Query(volume)], unit="ops", **_SMALL),
        Panel(
            title="Incoming Success Rate (non-5xx responses)",
            queries=[Query(queries.success(at, *_CALLED))],
            unit="percentunit",
            **_SMALL,
        ),
        Panel(title="Request Duration", queries=queries.durations(at, *reversed(_CALLED)), unit="s", height=4),
        Panel(title="TCP Server Traffic", queries=traffic(_CALLED), unit="Bps", **{**_SMALL, "width": 12}),
        Panel(title="TCP Client Traffic", queries=traffic(_CALLING), unit="Bps", **{**_SMALL, "width": 12}),
    ]


def _inbound(at: str) -> Row:
    traffic = Traffic(
        reporter=at,
        subject=_CALLED,
        peers=['source_workload=~"$srcwl"', 'source_workload_namespace=~"$srcns"'],
        by="source_workload, source_workload_namespace",
    )
    return Row("Inbound Workloads", [Panel(kind="text", text="## Who calls it", width=24, height=2), *traffic.panels()])


def _outbound(traffic: Traffic) -> Row:
    return Row(
        "Outbound Services", [Panel(kind="text", text="## Whom it calls", width=24, height=2), *traffic.panels()]
    )
