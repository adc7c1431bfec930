"""The performance dashboard: CPU and memory of proxies and of istiod, in relation to traffic."""

from __future__ import annotations

from typing import Final

from mesh.core.names import ROOT
from mesh.releases.common.addons.dashboards import queries
from mesh.releases.common.addons.dashboards.extension import CPU, MEMORY
from mesh.releases.common.addons.dashboards.queries import AT_SOURCE, REQUESTS, selector, total
from mesh.releases.dashboards import Dashboard, Panel, Query, Row

_GATEWAY: Final = "istio-ingressgateway"
_PODS: Final = f'pod=~"{_GATEWAY}-.*"'
_PROXY: Final = 'container="istio-proxy"'
_OUTSIDE: Final = f'namespace!="{ROOT}"'
_FROM_GATEWAY: Final = f'source_workload="{_GATEWAY}"'
_FROM_OUTSIDE: Final = f'source_workload_namespace!="{ROOT}"'
_CPU: Final = "container_cpu_usage_seconds_total"
_MEMORY: Final = "container_memory_working_set_bytes"
_ISTIOD: Final = ('container=~"discovery|istio-proxy"', 'pod=~"istiod-.*"')
_APP: Final = 'app="istiod"'
_HALF: Final = 12

PROCESS_MEMORY: Final = tuple(
    Query(selector(metric, _APP), legend)
    for metric, legend in {
        "process_virtual_memory_bytes": "Virtual Memory",
        "process_resident_memory_bytes": "Resident Memory",
        "go_memstats_heap_sys_bytes": "heap sys",
        "go_memstats_heap_alloc_bytes": "heap alloc",
        "go_memstats_alloc_bytes": "Alloc",
        "go_memstats_heap_inuse_bytes": "Heap in-use",
        "go_memstats_stack_inuse_bytes": "Stack in-use",
    }.items()
)
"""Memory of istiod, as the process itself reports it."""
VERSIONS: Final = Panel(
    title="Istio Components by Version",
    queries=[Query("sum(istio_build) by (component, tag)", "{{ component }}: {{ tag }}")],
    width=24,
)


def _for_each_thousand() -> list[Query]:
    """CPU for each thousand requests a second."""
    served = queries.rounded(total(REQUESTS, _FROM_GATEWAY, AT_SOURCE))
    gateway = f"({total(_CPU, _PODS, _PROXY)} / ({served}/1000))"
    everything = queries.rounded(total(REQUESTS))
    busy = f"({total(REQUESTS, _FROM_GATEWAY)} >bool 10)"
    return [
        Query(gateway, _GATEWAY),
        Query(f"({total(_CPU, _OUTSIDE, _PROXY)}/ ({everything}/1000))/ {busy}", "istio-proxy"),
    ]


def _each_one() -> list[Query]:
    """Average memory of a pod."""
    gateway, proxies = selector(_MEMORY, _PODS), selector(_MEMORY, _OUTSIDE, _PROXY)
    counted = selector(_MEMORY, _PODS, 'container!="POD"')
    return [
        Query(f"sum({gateway}) / count({counted})", f"per {_GATEWAY}"),
        Query(f"sum({proxies}) / count({proxies})", "per istio proxy"),
    ]


def _bytes() -> list[Query]:
    outside = [total(f"istio_{what}_bytes_sum", _FROM_OUTSIDE, AT_SOURCE) for what in ("response", "request")]
    return [
        Query(total("istio_response_bytes_sum", _FROM_GATEWAY, AT_SOURCE), _GATEWAY),
        Query(" + ".join(outside), "istio-proxy"),
    ]


def _istiod() -> list[Panel]:
    memory, cpu = selector(_MEMORY, *_ISTIOD), total(_CPU, *_ISTIOD, rate="rate")
    return [
        Panel(
            title="Memory",
            queries=[*PROCESS_MEMORY, Query(f"sum({memory})", "Total (k8s)"), Query(memory, "{{ container }} (k8s)")],
            unit="bytes",
            width=6,
        ),
        Panel(
            title="vCPU",
            queries=[
                Query(cpu, "Total (k8s)"),
                Query(f"{cpu} by (container)", "{{ container }} (k8s)"),
                Query(f"irate(process_cpu_seconds_total{{{_APP}}}[1m])", "pilot (self-reported)"),
            ],
            width=6,
        ),
        Panel(
            title="Disk",
            queries=[
                Query(selector("process_open_fds", _APP), "Open FDs (pilot)"),
                Query(selector("container_fs_usage_bytes", *_ISTIOD), "{{ container }}"),
            ],
            width=6,
        ),
        Panel(title="Goroutines", queries=[Query(selector("go_goroutines", _APP), "Number of Goroutines")], width=6),
    ]


_README: Final = """\
Processor time is shown for each thousand requests a second, so that runs with different loads can be compared. It
counts only while the ingress gateway serves more than ten requests a second: below that, the quotient says nothing.
Figures of containers come from the kubelets; where Prometheus may not ask them, these lines stay empty.
"""

PERFORMANCE: Final = Dashboard(
    title="Istio Performance Dashboard",
    uid="vu8e0VWZk",
    about="What proxies and istiod use, beside the traffic that they carry.",
    rows=[
        Row(
            "Performance Dashboard Notes",
            [Panel(title="Performance Dashboard README", kind="text", text=_README, width=24, height=4)],
        ),
        Row(
            "vCPU Usage",
            [
                Panel(title="vCPU / 1k rps", queries=_for_each_thousand(), width=_HALF),
                Panel(
                    title="vCPU",
                    queries=[
                        Query(total(_CPU, _PODS, _PROXY, rate="rate"), _GATEWAY),
                        Query(total(_CPU, _OUTSIDE, _PROXY, rate="rate"), "istio-proxy"),
                    ],
                    width=_HALF,
                ),
            ],
        ),
        Row(
            "Memory and Data Rates",
            [
                Panel(title="Memory Usage", queries=_each_one(), unit="bytes", width=_HALF),
                Panel(title="Bytes transferred / sec", queries=_bytes(), unit="Bps", width=_HALF),
            ],
        ),
        Row("Istio Component Versions", [VERSIONS]),
        Row(
            "Proxy Resource Usage",
            [
                MEMORY,
                CPU,
                Panel(
                    title="Disk",
                    queries=[Query(f"sum({selector('container_fs_usage_bytes', _PROXY)})", "Total (k8s)")],
                    unit="bytes",
                ),
            ],
        ),
        Row("Istiod Resource Usage", _istiod()),
    ],
)
