"""The dashboard of ztunnel, the node proxy of ambient meshes: its resources, connections and workloads."""

from __future__ import annotations

from typing import Final

from mesh.releases.common.addons.dashboards.queries import RECEIVED, SENT, selector
from mesh.releases.dashboards import DATASOURCE, Dashboard, Panel, Query, Row
from mesh.releases.v1_30.addons.dashboards.asking import rate, summed

_PODS: Final = 'pod=~"ztunnel-.*"'
_CONTAINER: Final = ('container="istio-proxy"', _PODS)
_APP: Final = 'app="ztunnel"'


def _by_pod(metric: str, *matchers: str) -> str:
    return summed(selector(metric, *matchers), "pod")


def _rates(metric: str) -> str:
    return summed(rate(metric, _PODS), "pod")


def _process() -> list[Panel]:
    version = summed(selector("istio_build", 'component="ztunnel"'), "tag")
    cpu = summed(rate("container_cpu_usage_seconds_total", *_CONTAINER, function="irate"), "pod")
    return [
        Panel(title="Ztunnel Versions", queries=[Query(version, "Version ({{tag}})")]),
        Panel(
            title="Memory Usage",
            queries=[Query(_by_pod("container_memory_working_set_bytes", *_CONTAINER), "Container ({{pod}})")],
            unit="bytes",
        ),
        Panel(title="CPU Usage", queries=[Query(cpu, "Container ({{pod}})")]),
    ]


def _network() -> list[Panel]:
    return [
        Panel(
            title="Connections",
            queries=[
                Query(_rates("istio_tcp_connections_opened_total"), "Opened ({{pod}})"),
                Query(f"-{_rates('istio_tcp_connections_closed_total')}", "Closed ({{pod}})"),
            ],
            unit="cps",
        ),
        Panel(
            title="Bytes Transmitted",
            queries=[Query(_rates(SENT), "Sent ({{pod}})"), Query(_rates(RECEIVED), "Received ({{pod}})")],
            unit="Bps",
        ),
        Panel(
            title="DNS Request", queries=[Query(_rates("istio_dns_requests_total"), "Request ({{pod}})")], unit="qps"
        ),
    ]


def _operations() -> list[Panel]:
    pushed = summed(rate("istio_xds_message_total", _PODS, function="irate"), "url")
    return [
        Panel(
            title="XDS Connections",
            queries=[Query(_rates("istio_xds_connection_terminations_total"), "XDS Connection Terminations ({{pod}})")],
        ),
        Panel(title="XDS Pushes", queries=[Query(pushed, "{{url}}")], unit="ops", stack=True),
        Panel(
            title="Workload Manager",
            queries=[
                Query(_by_pod(f"workload_manager_{state}_proxy_count", _PODS), f"{state.title()} Proxies ({{{{pod}}}})")
                for state in ("active", "pending")
            ],
        ),
    ]


def _resources() -> Panel:
    opened, closed = (_by_pod(f"istio_tcp_connections_{what}_total", _APP) for what in ("opened", "closed"))
    asked = [
        Query(f"{opened} - {closed}", "TCP Connections ({{pod}})"),
        Query(_by_pod("process_open_fds", _APP), "Open File Descriptors ({{pod}})"),
        Query(_by_pod("istio_tcp_sockets_open", _APP), "Open Sockets ({{pod}})"),
    ]
    return Panel(title="Resource Usage", queries=asked, width=24)


ZTUNNEL: Final = Dashboard(
    title="Istio Ztunnel Dashboard",
    uid="12c58766acc81a1c835dd5059eaf2741",
    about="ztunnel, the node proxy of ambient meshes.",
    variables=[DATASOURCE],
    rows=[
        Row("Process", _process()),
        Row("Network", _network()),
        Row("Operations", _operations()),
        Row("Network Resources", [_resources()]),
    ],
)
