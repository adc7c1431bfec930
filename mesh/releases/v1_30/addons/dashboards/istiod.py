"""The dashboard of the control plane: istiod's resources, its pushes to proxies, and its admission webhooks."""

from __future__ import annotations

from typing import Final

from mesh.releases.common.addons.dashboards.queries import selector
from mesh.releases.dashboards import DATASOURCE, Dashboard, Panel, Query, Row, Unit
from mesh.releases.v1_30.addons.dashboards.asking import rate, summed

_APP: Final = 'app="istiod"'
_CONTAINER: Final = ('container="discovery"', 'pod=~"istiod-.*"')
_TALL: Final = 10


def _of_process(metric: str) -> str:
    return summed(selector(metric, _APP), "pod")


def _resources() -> list[Panel]:
    memory = {"Stack": "stack_inuse_bytes", "Heap (In Use)": "heap_inuse_bytes", "Heap (Allocated)": "heap_alloc_bytes"}
    allocated = {"Bytes": "alloc_bytes_total", "Objects": "mallocs_total"}
    container = summed(selector("container_memory_working_set_bytes", *_CONTAINER), "pod")
    used = [
        Query(container, "Container ({{pod}})"),
        *(Query(_of_process(f"go_memstats_{metric}"), f"{name} ({{{{pod}}}})") for name, metric in memory.items()),
    ]
    allocations = [
        Query(summed(rate(f"go_memstats_{metric}", _APP), "pod"), f"{name} ({{{{pod}}}})")
        for name, metric in allocated.items()
    ]
    cpu = summed(rate("container_cpu_usage_seconds_total", *_CONTAINER, function="irate"), "pod")
    return [
        Panel(title="Memory Usage", queries=used, unit="bytes", width=6, height=_TALL),
        Panel(title="Memory Allocations", queries=allocations, unit="Bps", width=6, height=_TALL),
        Panel(title="CPU Usage", queries=[Query(cpu, "Container ({{pod}})")], width=6, height=_TALL),
        Panel(
            title="Goroutines",
            queries=[Query(_of_process("go_goroutines"), "Goroutines ({{pod}})")],
            width=6,
            height=_TALL,
        ),
    ]


def _events() -> Panel:
    objects = [
        Query(summed(rate(f"pilot_k8s_{kind}_events"), "type,event"), "{{event}} {{type}}") for kind in ("reg", "cfg")
    ]
    pushes = Query(summed(rate("pilot_push_triggers"), "type"), "Push {{type}}")
    return Panel(title="Events", queries=[*objects, pushes], height=_TALL)


def _pushes() -> list[Panel]:
    pushed = summed(rate("pilot_xds_pushes", function="irate"), "type")
    connections = [
        Query(
            summed(selector("envoy_cluster_upstream_cx_active", 'cluster_name="xds-grpc"')),
            "Connections (client reported)",
        ),
        Query(summed("pilot_xds"), "Connections (server reported)"),
    ]
    errors = [
        Query(summed("pilot_total_xds_rejects", "type"), "Rejected Config ({{type}})"),
        Query("pilot_total_xds_internal_errors", "Internal Errors"),
    ]
    return [
        Panel(title="XDS Pushes", queries=[Query(pushed, "{{type}}")], unit="ops", stack=True, height=_TALL),
        _events(),
        Panel(title="Connections", queries=connections, height=_TALL),
        Panel(title="Push Errors", queries=errors, height=_TALL),
        _distribution("Push Time", "pilot_xds_push_time_bucket", "s"),
        _distribution("Push Size", "pilot_xds_config_size_bytes_bucket", "bytes"),
    ]


def _distribution(title: str, metric: str, unit: Unit) -> Panel:
    """A heatmap of a histogram."""
    asked = Query(f"sum({rate(metric)}) by (le)", "{{le}}")
    return Panel(title=title, kind="heatmap", queries=[asked], unit=unit, height=_TALL)


def _webhooks() -> list[Panel]:
    metrics = {
        "Validation": ("galley_validation_passed", "galley_validation_failed"),
        "Injection": ("sidecar_injection_success_total", "sidecar_injection_failure_total"),
    }
    return [
        Panel(
            title=title,
            queries=[Query(summed(rate(good)), "Success"), Query(summed(rate(bad)), "Failure")],
            width=12,
        )
        for title, (good, bad) in metrics.items()
    ]


CONTROL_PLANE: Final = Dashboard(
    title="Istio Control Plane Dashboard",
    uid="1813f692a8e4ac77155348d4c7d2fba8",
    about="istiod: what it uses, what it pushes to proxies, and what it refuses.",
    variables=[DATASOURCE],
    rows=[
        Row(
            "Deployed Versions",
            [
                Panel(
                    title="Pilot Versions",
                    queries=[Query(summed(selector("istio_build", 'component="pilot"'), "tag"), "Version ({{tag}})")],
                    width=24,
                    height=5,
                )
            ],
        ),
        Row("Resource Usage", _resources()),
        Row("Push Information", _pushes()),
        Row("Webhooks", _webhooks()),
    ],
)
