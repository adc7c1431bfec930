"""The dashboard of the whole mesh: its traffic and its workloads, with sidecars or waypoints."""

from __future__ import annotations

from typing import Final

from mesh.releases.common.addons.dashboards.queries import RECEIVED, REQUESTS, SENT
from mesh.releases.dashboards import DATASOURCE, Dashboard, Panel, Query, Row, Unit
from mesh.releases.v1_30.addons.dashboards.asking import rate, summed

_CALLERS: Final = 'reporter=~"source|waypoint"'
_GOOD: Final = 'response_code!~"5.."'
_WORKLOAD: Final = "destination_workload,destination_workload_namespace"
_SERVICE: Final = f"{_WORKLOAD},destination_service"
_NAMES: Final = "{{ destination_workload}}.{{ destination_workload_namespace }}"


def _requests(*matchers: str, by: str = "") -> str:
    return summed(rate(REQUESTS, _CALLERS, *matchers), by)


def _rounded(expr: str) -> str:
    return f"round({expr}, 0.01)"


def _joined(expr: str) -> str:
    """The query with a further label that joins the workload's name and namespace."""
    return (
        f'label_join({expr}, "destination_workload_var", ".", "destination_workload", "destination_workload_namespace")'
    )


def _number(title: str, expr: str, unit: Unit = "reqps") -> Panel:
    return Panel(title=title, kind="number", queries=[Query(expr)], unit=unit, width=6, height=5)


def _traffic() -> list[Panel]:
    fails = {f"{digit}xxs": _requests(f'response_code=~"{digit}.."') for digit in (4, 5)}
    return [
        _number("Traffic Volume", _rounded(_requests())),
        _number("Success Rate", f"{_requests(_GOOD)} / {_requests()}", "percentunit"),
        *(_number(title, f"{_rounded(failed)}or vector(0)") for title, failed in fails.items()),
    ]


def _latency(part: str) -> Query:
    counted = summed(rate("istio_request_duration_milliseconds_bucket", _CALLERS), f"le,{_WORKLOAD}")
    heading = f"P{float(part) * 100:.0f} Latency"
    return Query(_joined(f"histogram_quantile({part}, {counted})"), _NAMES, heading, "ms")


def _http() -> Panel:
    columns = [
        Query(_joined(_requests(by=_SERVICE)), _NAMES, "Requests", "reqps"),
        *(_latency(part) for part in ("0.5", "0.9", "0.99")),
        Query(
            _joined(f"{_requests(_GOOD, by=_WORKLOAD)}/{_requests(by=_WORKLOAD)}"),
            _NAMES,
            "Success Rate",
            "percentunit",
        ),
    ]
    return Panel(title="HTTP/gRPC Workloads", kind="table", queries=columns, width=24, height=16)


def _tcp() -> Panel:
    columns = {"Bytes Received": RECEIVED, "Bytes Sent": SENT}
    asked = [
        Query(_joined(summed(rate(metric, _CALLERS), _SERVICE)), _NAMES, heading, "Bps")
        for heading, metric in columns.items()
    ]
    return Panel(title="TCP Workloads", kind="table", queries=asked, width=24, height=16)


MESH: Final = Dashboard(
    title="Istio Mesh Dashboard",
    uid="1a9a8ea49444aae205c7737573e894f9",
    about="All traffic of the mesh and its workloads.",
    variables=[DATASOURCE],
    rows=[
        Row("Global Traffic", [*_traffic(), _http(), _tcp()]),
        Row(
            "Istio Component Versions",
            [
                Panel(
                    title="Istio Component Versions",
                    queries=[Query(summed("istio_build", "component,tag"), "{{component}} ({{tag}})")],
                    width=24,
                )
            ],
        ),
    ],
)
