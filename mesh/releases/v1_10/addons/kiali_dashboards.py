"""Kiali's MonitoringDashboards: for Envoy, for Kiali, and for the usual application runtimes.

Kiali shows one for a workload that has its metric. Names and metrics are those of the release's sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

By = Mapping[str, str]

_JVM: Final = {"Area": "area", "Space": "id"}
_POD: Final = {"Pod": "pod_name"}
_POOL: Final = {"Pool": "id"}
_FUNCTION: Final = {"Function": "function", "Package": "package"}
_ADDRESS: Final = {"Eventbus address": "address"}
_NAME: Final = {"Name": "name"}
_THREADS: Final = {"Name": "pool_name", "Type": "pool_type"}
_CALL: Final = {"Path": "path", "Method": "method"}
_SPACE: Final = {"Space": "space"}


def _chart(
    name: str,
    metric: str,
    spans: int,
    unit: str | None = None,
    *,
    kind: Literal["raw", "rate", "histogram"] = "raw",
    least: int | None = None,
    by: By | None = None,
) -> dict[str, Any]:
    """A chart, `spans` of 12 columns wide. `by` are labels by which it can be grouped, by the name that is shown."""
    chart = {"name": name, "metricName": metric, "spans": spans, "unit": unit, "dataType": kind, "min": least}
    if by:
        chart["aggregations"] = [{"displayName": shown, "label": label} for shown, label in by.items()]
    return {"chart": {key: value for key, value in chart.items() if value is not None}}


def _include(dashboard: str) -> dict[str, Any]:
    """All charts of another dashboard."""
    return {"include": dashboard}


def _dashboard(
    title: str, *items: dict[str, Any], runtime: str | None = None, found_by: str | None = None
) -> dict[str, Any]:
    """A dashboard; Kiali shows it for workloads with the metric `found_by`."""
    dashboard = {"title": title, "runtime": runtime, "discoverOn": found_by, "items": list(items)}
    return {key: value for key, value in dashboard.items() if value is not None}


_MEMORY: Final = (
    _chart("Memory used", "jvm_memory_used_bytes", 4, "bytes", by=_JVM),
    _chart("Memory committed", "jvm_memory_committed_bytes", 4, "bytes", by=_JVM),
    _chart("Memory max", "jvm_memory_max_bytes", 4, "bytes", by=_JVM),
)
"""Memory of a Java virtual machine, with the metric names that both versions of Micrometer use."""


def _vertx(side: str, counted_by: By) -> Iterator[dict[str, Any]]:
    """The charts of Vert.x's HTTP client or server."""
    of = f"vertx_http_{side.lower()}"
    yield _chart(f"{side} response time", f"{of}_responseTime_seconds", 6, "seconds", kind="histogram", by=_CALL)
    yield _chart(f"{side} request count rate", f"{of}_requestCount_total", 6, "ops", kind="rate", by=counted_by)
    yield _chart(f"{side} active connections", f"{of}_connections", 6)
    yield _chart(f"{side} active websockets", f"{of}_wsConnections", 6)
    yield _chart(f"{side} bytes sent", f"{of}_bytesSent", 6, "bytes", kind="histogram")
    yield _chart(f"{side} bytes received", f"{of}_bytesReceived", 6, "bytes", kind="histogram")


DASHBOARDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "envoy": _dashboard(
        "Envoy Metrics",
        _chart("Pods uptime", "envoy_server_uptime", 4),
        _chart("Allocated memory", "envoy_server_memory_allocated", 4, "bytes", least=0),
        _chart("Heap size", "envoy_server_memory_heap_size", 4, "bytes", least=0),
        _chart("Upstream active connections", "envoy_cluster_upstream_cx_active", 6),
        _chart("Upstream total requests", "envoy_cluster_upstream_rq_total", 6, "rps", kind="rate"),
        _chart("Downstream active connections", "envoy_listener_downstream_cx_active", 6),
        _chart("Downstream HTTP requests", "envoy_listener_http_downstream_rq", 6, "rps", kind="rate"),
        found_by="envoy_server_uptime",
    ),
    "go": _dashboard(
        "Go Metrics",
        _chart("CPU ratio", "process_cpu_seconds_total", 6, kind="rate", by=_POD),
        _chart("RSS Memory", "process_resident_memory_bytes", 6, "bytes", by=_POD),
        _chart("Goroutines", "go_goroutines", 6, by=_POD),
        _chart("Heap allocation rate", "go_memstats_alloc_bytes_total", 6, "bytes/s", kind="rate", by=_POD),
        _chart("GC rate", "go_gc_duration_seconds_count", 6, kind="rate", by=_POD),
        _chart("Next GC", "go_memstats_next_gc_bytes", 6, "bytes", by=_POD),
        runtime="Go",
        found_by="go_info",
    ),
    "kiali": _dashboard(
        "Kiali Internal Metrics",
        _chart(
            "API processing duration",
            "kiali_api_processing_duration_seconds",
            6,
            "seconds",
            kind="histogram",
            by={"Route": "route"},
        ),
        _chart(
            "Functions processing duration",
            "kiali_go_function_processing_duration_seconds",
            6,
            "seconds",
            kind="histogram",
            by=_FUNCTION,
        ),
        _chart("Failures", "kiali_go_function_failures_total", 12, by=_FUNCTION),
    ),
    "micrometer-1.0.6-jvm-pool": _dashboard(
        "JVM Pool Metrics",
        _chart("Pool buffer memory used", "jvm_buffer_memory_used_bytes", 4, "bytes", by=_POOL),
        _chart("Pool buffer capacity", "jvm_buffer_total_capacity_bytes", 4, "bytes", by=_POOL),
        _chart("Pool buffer count", "jvm_buffer_count", 4, "bytes", by=_POOL),
        runtime="JVM",
        found_by="jvm_buffer_total_capacity_bytes",
    ),
    "micrometer-1.0.6-jvm": _dashboard(
        "JVM Metrics",
        _chart("Total live threads", "jvm_threads_live", 4),
        _chart("Daemon threads", "jvm_threads_daemon", 4),
        _chart("Loaded classes", "jvm_classes_loaded", 4),
        *_MEMORY,
        runtime="JVM",
        found_by="jvm_threads_live",
    ),
    "micrometer-1.1-jvm": _dashboard(
        "JVM Metrics",
        *_MEMORY,
        _chart("Total live threads", "jvm_threads_live_threads", 4),
        _chart("Daemon threads", "jvm_threads_daemon_threads", 4),
        _chart("Threads states", "jvm_threads_states_threads", 4, by={"State": "state"}),
        runtime="JVM",
        found_by="jvm_threads_live_threads",
    ),
    "microprofile-1.1": _dashboard(
        "MicroProfile Metrics",
        _chart("Current loaded classes", "base:classloader_current_loaded_class_count", 6),
        _chart("Unloaded classes", "base:classloader_total_unloaded_class_count", 6),
        _chart("Thread count", "base:thread_count", 4),
        _chart("Thread max count", "base:thread_max_count", 4),
        _chart("Thread daemon count", "base:thread_daemon_count", 4),
        _chart("Committed heap", "base:memory_committed_heap_bytes", 4, "bytes"),
        _chart("Max heap", "base:memory_max_heap_bytes", 4, "bytes"),
        _chart("Used heap", "base:memory_used_heap_bytes", 4, "bytes"),
        runtime="MicroProfile",
        found_by="base:thread_count",
    ),
    "microprofile-x.y": _dashboard(
        "MicroProfile Metrics",
        _chart("Young GC time", "base:gc_young_generation_scavenger_time_seconds", 3, "seconds"),
        _chart("Young GC count", "base:gc_young_generation_scavenger_count", 3),
        _chart("Total GC time", "base:gc_complete_scavenger_time_seconds", 3, "seconds"),
        _chart("Total GC count", "base:gc_complete_scavenger_count", 3),
        runtime="MicroProfile",
        found_by="base:gc_complete_scavenger_count",
    ),
    "nodejs": _dashboard(
        "Node.js Metrics",
        _chart("Active handles", "nodejs_active_handles_total", 4),
        _chart("Active requests", "nodejs_active_requests_total", 4),
        _chart("Event loop lag", "nodejs_eventloop_lag_seconds", 4, "seconds"),
        _chart("Total heap size", "nodejs_heap_space_size_total_bytes", 12, "bytes", by=_SPACE),
        _chart("Used heap size", "nodejs_heap_space_size_used_bytes", 6, "bytes", by=_SPACE),
        _chart("Available heap size", "nodejs_heap_space_size_available_bytes", 6, "bytes", by=_SPACE),
        runtime="Node.js",
        found_by="nodejs_active_handles_total",
    ),
    "quarkus": _dashboard(
        "Quarkus Metrics",
        _chart("Thread count", "vendor:thread_count", 4),
        _chart("Used heap", "vendor:memory_heap_usage_bytes", 4, "bytes"),
        _chart("Used non-heap", "vendor:memory_non_heap_usage_bytes", 4, "bytes"),
        _include("microprofile-x.y"),
        runtime="Quarkus",
    ),
    "springboot-jvm-pool": _dashboard(
        "JVM Pool Metrics",
        _include("micrometer-1.0.6-jvm-pool"),
        runtime="Spring Boot",
    ),
    "springboot-jvm": _dashboard(
        "JVM Metrics",
        _include("micrometer-1.0.6-jvm"),
        runtime="Spring Boot",
    ),
    "springboot-tomcat": _dashboard(
        "Tomcat Metrics",
        _include("tomcat"),
        runtime="Spring Boot",
    ),
    "thorntail": _dashboard(
        "Thorntail Metrics",
        _include("microprofile-1.1"),
        _chart("Loaded modules", "vendor:loaded_modules", 6),
        runtime="Thorntail",
        found_by="vendor:loaded_modules",
    ),
    "tomcat": _dashboard(
        "Tomcat Metrics",
        _chart("Sessions created", "tomcat_sessions_created_total", 4),
        _chart("Active sessions", "tomcat_sessions_active_current", 4),
        _chart("Sessions rejected", "tomcat_sessions_rejected_total", 4),
        _chart("Bytes sent", "tomcat_global_sent_bytes_total", 6, "bitrate", kind="rate", by=_NAME),
        _chart("Bytes received", "tomcat_global_received_bytes_total", 6, "bitrate", kind="rate", by=_NAME),
        _chart("Global errors", "tomcat_global_error_total", 6, by=_NAME),
        _chart("Servlet errors", "tomcat_servlet_error_total", 6, by=_NAME),
        runtime="Tomcat",
        found_by="tomcat_sessions_created_total",
    ),
    "vertx-client": _dashboard(
        "Vert.x Client Metrics",
        *_vertx("Client", _CALL),
        runtime="Vert.x",
        found_by="vertx_http_client_connections",
    ),
    "vertx-eventbus": _dashboard(
        "Vert.x Eventbus Metrics",
        _chart("Event bus handlers", "vertx_eventbus_handlers", 6, by=_ADDRESS),
        _chart("Event bus pending messages", "vertx_eventbus_pending", 6, by=_ADDRESS),
        _chart(
            "Event bus processing time",
            "vertx_eventbus_processingTime_seconds",
            6,
            "seconds",
            kind="histogram",
            by=_ADDRESS,
        ),
        _chart("Event bus bytes read", "vertx_eventbus_bytesRead", 6, "bytes", kind="histogram", by=_ADDRESS),
        _chart("Event bus bytes written", "vertx_eventbus_bytesWritten", 6, "bytes", kind="histogram", by=_ADDRESS),
        runtime="Vert.x",
        found_by="vertx_eventbus_handlers",
    ),
    "vertx-jvm": _dashboard(
        "JVM Metrics",
        _include("micrometer-1.1-jvm"),
        runtime="Vert.x",
    ),
    "vertx-pool": _dashboard(
        "Vert.x Pools Metrics",
        _chart("Usage duration", "vertx_pool_usage_seconds", 6, "seconds", kind="histogram", by=_THREADS),
        _chart("Usage ratio", "vertx_pool_ratio", 6, by=_THREADS),
        _chart("Queue size", "vertx_pool_queue_size", 6, by=_THREADS),
        _chart("Time in queue", "vertx_pool_queue_delay_seconds", 6, "seconds", kind="histogram", by=_THREADS),
        _chart("Resources used", "vertx_pool_inUse", 6, by=_THREADS),
        runtime="Vert.x",
        found_by="vertx_pool_ratio",
    ),
    "vertx-server": _dashboard(
        "Vert.x Server Metrics",
        *_vertx("Server", {"Error code": "code", **_CALL}),
        runtime="Vert.x",
        found_by="vertx_http_server_connections",
    ),
}
"""The `spec` of each MonitoringDashboard, by name."""
