"""The dashboard of Wasm extensions: their VMs, the loading of remote modules, and the resources of proxies."""

from __future__ import annotations

from typing import Final

from mesh.releases.dashboards import Dashboard, Panel, Query, Row

_PROXIES: Final = 'container="istio-proxy"'


def _averages(prefix: str, names: dict[str, str]) -> list[Query]:
    return [Query(f"avg({prefix}{name})", legend) for name, legend in names.items()]


def _machines(what: str) -> list[Query]:
    names = {f"null_{what}": "native", f"v8_{what}": "v8"}
    return _averages("envoy_wasm_envoy_wasm_runtime_", names)


MEMORY: Final = Panel(
    title="Memory",
    queries=[Query(f"sum(container_memory_working_set_bytes{{{_PROXIES}}})", "Total (k8s)")],
    unit="bytes",
)
CPU: Final = Panel(
    title="vCPU",
    queries=[Query(f"sum(rate(container_cpu_usage_seconds_total{{{_PROXIES}}}[1m]))", "Total (k8s)")],
)

EXTENSION: Final = Dashboard(
    title="Istio Wasm Extension Dashboard",
    uid="7PAV7ctGz",
    about="Extensions of proxies in WebAssembly.",
    rows=[
        Row(
            "Wasm VMs",
            [
                Panel(title="Active", queries=_machines("active"), width=12),
                Panel(title="Created", queries=_machines("created"), width=12),
            ],
        ),
        Row(
            "Wasm Module Remote Load",
            [
                Panel(title="Cache Entry", queries=_averages("envoy_wasm_remote_load_cache_", {"entries": "entries"})),
                Panel(
                    title="Cache Visit",
                    queries=_averages(
                        "envoy_wasm_remote_load_cache_",
                        {"hits": "hits", "misses": "misses", "negative_hits": "negative hits"},
                    ),
                ),
                Panel(
                    title="Remote Fetch",
                    queries=_averages(
                        "envoy_wasm_remote_load_fetch_", {"failures": "failures", "successes": "successes"}
                    ),
                ),
            ],
        ),
        Row("Proxy Resource Usage", [MEMORY, CPU]),
    ],
)
