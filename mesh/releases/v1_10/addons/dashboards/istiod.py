"""The dashboard of the control plane: istiod's resources, its pushes to proxies, and its admission webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mesh.releases.common.addons.dashboards.performance import PROCESS_MEMORY
from mesh.releases.common.addons.dashboards.queries import selector
from mesh.releases.dashboards import DATASOURCE, Dashboard, Panel, Query, Row

_APP: Final = 'app="istiod"'
_PODS: Final = 'pod=~"istiod-.*|istio-pilot-.*"'
_XDS: Final = 'cluster_name="xds-grpc"'
_HALF: Final = 12


def _rate(metric: str, *matchers: str, function: str = "rate") -> str:
    return f"{function}({selector(metric, *matchers)}[1m])"


def _sums(rates: Mapping[str, str]) -> list[Query]:
    """A sum for each legend."""
    return [Query(f"sum({expr})", legend) for legend, expr in rates.items()]


def _resources() -> list[Panel]:
    memory, disk, cpu = (
        "container_memory_working_set_bytes",
        "container_fs_usage_bytes",
        "container_cpu_usage_seconds_total",
    )
    of_memory = {"Discovery (container)": "discovery", "Sidecar (container)": "istio-proxy"}
    rates = [_rate(cpu, f'container="{name}"', _PODS, function="irate") for name in of_memory.values()]
    own, sidecar = (f"sum({rate})" for rate in rates)
    return [
        Panel(
            title="Memory",
            queries=[
                *PROCESS_MEMORY,
                *(Query(selector(memory, f'container=~"{name}"', _PODS), legend) for legend, name in of_memory.items()),
            ],
            unit="bytes",
            width=6,
        ),
        Panel(
            title="CPU",
            queries=[
                Query(own, "Discovery (container)"),
                Query(_rate("process_cpu_seconds_total", _APP, function="irate"), "Discovery (process)"),
                Query(sidecar, "Sidecar (container)"),
            ],
            width=6,
        ),
        Panel(
            title="Disk",
            queries=[
                Query(selector(disk, f'container="{name}"', _PODS), legend)
                for legend, name in {"Discovery": "discovery", "Sidecar": "istio-proxy"}.items()
            ],
            unit="bytes",
            width=6,
        ),
        Panel(title="Goroutines", queries=[Query(selector("go_goroutines", _APP), "Number of Goroutines")], width=6),
    ]


def _pushes() -> Panel:
    kinds = {"cds": "Cluster", "eds": "Endpoints", "lds": "Listeners", "rds": "Routes", "sds": "Secrets"}
    asked = _sums(
        {
            legend: _rate("pilot_xds_pushes", f'type="{kind}"', function="irate")
            for kind, legend in {**kinds, "nds": "Nametables"}.items()
        }
    )
    return Panel(title="Pilot Pushes", queries=asked, unit="ops", stack=True)


def _errors() -> Panel:
    rejected = {kind: selector(f"pilot_xds_{kind}_reject", _APP) for kind in ("cds", "eds", "rds", "lds")}
    counted = [
        Query(f"sum({metric}) or (absent({metric}) - 1)", f"Rejected {kind.upper()} Configs")
        for kind, metric in rejected.items()
    ]
    timeouts = _rate("pilot_xds_write_timeout", _APP)
    rates = _sums(
        {
            "Write Timeouts": timeouts,
            "Internal Errors": _rate("pilot_total_xds_internal_errors", _APP),
            "Config Rejection Rate": _rate("pilot_total_xds_rejects", _APP),
            "Push Context Errors": _rate("pilot_xds_push_context_errors", _APP),
            "Push Timeouts": timeouts,
        }
    )
    return Panel(title="Pilot Errors", queries=[*counted, *rates])


def _push_time() -> Panel:
    seconds = f"sum({_rate('pilot_proxy_convergence_time_bucket')}) by (le)"
    parts = {"0.5": "p50", "0.9": "p90", "0.99": "p99", "0.999": "p99.9"}
    asked = [Query(f"histogram_quantile({part}, {seconds})", legend) for part, legend in parts.items()]
    return Panel(title="Proxy Push Time", queries=asked, unit="s")


def _conflicts() -> Panel:
    outbound = "pilot_conflict_outbound_listener"
    metrics = {
        "pilot_conflict_inbound_listener": "Inbound Listeners",
        f"{outbound}_http_over_current_tcp": "Outbound Listeners (http over current tcp)",
        f"{outbound}_tcp_over_current_tcp": "Outbound Listeners (tcp over current tcp)",
        f"{outbound}_tcp_over_current_http": "Outbound Listeners (tcp over current http)",
    }
    asked = [Query(selector(metric, _APP), legend) for metric, legend in metrics.items()]
    return Panel(title="Conflicts", queries=asked, width=_HALF)


def _monitoring() -> Panel:
    asked = [
        Query(f"avg({selector('pilot_virt_services', _APP)})", "Virtual Services"),
        Query(f"avg({selector('pilot_services', _APP)})", "Services"),
        Query(f"sum({selector('pilot_xds', _APP)}) by (pod)", "Connected Endpoints {{pod}}"),
    ]
    return Panel(title="ADS Monitoring", queries=asked, width=_HALF)


def _envoys() -> list[Panel]:
    details = {
        "XDS Connections": _rate("envoy_cluster_upstream_cx_total", _XDS, function="irate"),
        "XDS Connection Failures": _rate("envoy_cluster_upstream_cx_connect_fail", _XDS, function="irate"),
        "Envoy Restarts": _rate("envoy_server_hot_restart_epoch", function="increase"),
    }
    got, sent = (_rate(f"envoy_cluster_upstream_cx_{way}_bytes_total", _XDS) for way in ("rx", "tx"))
    sizes = {
        "XDS Response Bytes Max": f"max({got})",
        "XDS Response Bytes Average": f"quantile(0.5, {got})",
        "XDS Request Bytes Max": f"max({sent})",
        "XDS Request Bytes Average": f"quantile(.5, {sent})",
    }
    active = _sums({"XDS Active Connections": selector("envoy_cluster_upstream_cx_active", _XDS)})
    return [
        Panel(title="Envoy Details", queries=_sums(details)),
        Panel(title="XDS Active Connections", queries=active),
        Panel(title="XDS Requests Size", queries=[Query(expr, name) for name, expr in sizes.items()], unit="Bps"),
    ]


def _webhooks() -> list[Panel]:
    validated = {
        "Validations (Success)": "galley_validation_passed",
        "Validation (Failure)": "galley_validation_failed",
    }
    injected = {
        "Injections (Success)": "sidecar_injection_success_total",
        "Injections (Failure)": "sidecar_injection_failure_total",
    }
    both = {"Configuration Validation": validated, "Sidecar Injection": injected}
    return [
        Panel(title=title, queries=_sums({name: _rate(metric) for name, metric in lines.items()}), width=_HALF)
        for title, lines in both.items()
    ]


CONTROL_PLANE: Final = Dashboard(
    title="Istio Control Plane Dashboard",
    uid="3--MLVZZk",
    about="istiod: what it uses, what it pushes to proxies, and what it refuses.",
    variables=[DATASOURCE],
    rows=[
        Row(
            "Deployed Versions",
            [
                Panel(
                    title="Pilot Versions",
                    queries=[Query('sum(istio_build{component="pilot"}) by (tag)', "{{ tag }}")],
                    width=24,
                    height=5,
                )
            ],
        ),
        Row("Resource Usage", _resources()),
        Row("Pilot Push Information", [_pushes(), _errors(), _push_time(), _conflicts(), _monitoring()]),
        Row("Envoy Information", _envoys()),
        Row("Webhooks", _webhooks()),
    ],
)
