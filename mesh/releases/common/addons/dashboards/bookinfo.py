"""The dashboard of Bookinfo: traffic, errors, latency and saturation by service and version, to watch a canary."""

from __future__ import annotations

from typing import Final

from mesh.releases.common.addons.dashboards import queries
from mesh.releases.common.addons.dashboards.queries import AT_DESTINATION, REQUESTS, selector, total
from mesh.releases.dashboards import DATASOURCE, Dashboard, Panel, Query, Row, Variable

_NAMESPACE: Final = 'destination_service_namespace=~"$namespace"'
_CHOSEN: Final = (
    AT_DESTINATION,
    _NAMESPACE,
    'destination_service_name=~"$service"',
    'destination_version=~"$version"',
)
_BY: Final = "destination_service_name, destination_version"
_NAMES: Final = "{{destination_service_name}} {{destination_version}}"
_SERVED: Final = total(REQUESTS, *_CHOSEN, by=_BY, rate="rate")
_CONTAINERS: Final = ('namespace=~"$namespace"', 'pod=~"($service)-($version)-.*"', 'container!="POD"', 'container!=""')
_HALF: Final = 12


def _values(label: str, *matchers: str) -> str:
    return f"label_values({selector(REQUESTS, *matchers)}, {label})"


def _failed() -> str:
    """The share of requests with a 5xx response; 0 if there are requests and none fails."""
    bad = total(REQUESTS, *_CHOSEN, 'response_code=~"5.*"', by=_BY, rate="rate")
    return f"({bad} or {_SERVED} * 0) / {_SERVED}"


def _share() -> str:
    """The share of a service's requests that each version serves: the actual traffic split of a canary."""
    everyone = total(REQUESTS, *_CHOSEN[:3], by="destination_service_name", rate="rate")
    return f"{_SERVED} / on (destination_service_name) group_left {everyone}"


def _latency(part: str) -> Panel:
    expr = queries.quantile(part, "istio_request_duration_milliseconds", *_CHOSEN, by=f"{_BY}, le", rate="rate")
    return Panel(title=f"Latency {queries.percent(part)}", queries=[Query(f"{expr} / 1000", _NAMES)], unit="s")


_CPU: Final = total("container_cpu_usage_seconds_total", *_CONTAINERS, by="pod, container", rate="rate")
_MEMORY: Final = f"sum({selector('container_memory_working_set_bytes', *_CONTAINERS)}) by (pod, container)"


_INTRODUCTION: Final = """\
What the proxies of Bookinfo's pods report, for each service and version. Choose one service to watch its canary: the
share of requests tells whether the weights of its routes have arrived, errors and latency whether to go on.
"""

BOOKINFO: Final = Dashboard(
    title="Bookinfo",
    uid="mesh-bookinfo",
    about="Traffic, errors, latency and saturation of Bookinfo by service and version.",
    variables=[
        DATASOURCE,
        Variable(name="namespace", query=_values("destination_service_namespace", AT_DESTINATION), label="Namespace"),
        Variable(
            name="service",
            query=_values("destination_service_name", AT_DESTINATION, _NAMESPACE),
            label="Service",
            many=True,
        ),
        Variable(name="version", query=_values("destination_version", *_CHOSEN[:3]), label="Version", many=True),
    ],
    rows=[
        Row(None, [Panel(kind="text", text=_INTRODUCTION, width=24, height=3)]),
        Row(
            "Traffic",
            [
                Panel(
                    title="Requests",
                    queries=[Query(_SERVED, _NAMES)],
                    unit="reqps",
                    width=_HALF,
                ),
                Panel(
                    title="Share of its service's requests",
                    queries=[Query(_share(), _NAMES)],
                    unit="percentunit",
                    width=_HALF,
                ),
            ],
        ),
        Row(
            "Errors",
            [
                Panel(
                    title="Failed requests (5xx)", queries=[Query(_failed(), _NAMES)], unit="percentunit", width=_HALF
                ),
                Panel(
                    title="Requests by response code",
                    queries=[
                        Query(
                            total(REQUESTS, *_CHOSEN, by=f"{_BY}, response_code", rate="rate"),
                            f"{_NAMES}: {{{{response_code}}}}",
                        )
                    ],
                    unit="reqps",
                    width=_HALF,
                    stack=True,
                ),
            ],
        ),
        Row("Latency", [_latency(part) for part in ("0.50", "0.95", "0.99")]),
        Row(
            "Saturation",
            [
                Panel(
                    title="CPU of containers",
                    queries=[Query(_CPU, "{{pod}} {{container}}")],
                    width=_HALF,
                ),
                Panel(
                    title="Memory of containers",
                    queries=[Query(_MEMORY, "{{pod}} {{container}}")],
                    unit="bytes",
                    width=_HALF,
                ),
            ],
        ),
    ],
)
