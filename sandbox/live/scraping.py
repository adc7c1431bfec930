"""A Prometheus configuration that scrapes the live pilot and proxies.

A stock Envoy lacks Istio's stats extension. Its own metrics of inbound requests have the same values under other names,
so Prometheus renames them to the names that Istio's dashboards query.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from sandbox.live.pilot import MONITORING_PORT
from sandbox.live.plan import ADMIN_PORT, Plan, Proxy, Workload

INTERVAL: Final = "2s"
"""Scrape interval. It is short, since there are few targets and changes should be visible soon."""
CLUSTER: Final = "cluster_name"
"""Label with the called cluster in the metrics of Istio's proxies."""
_LABEL: Final = re.compile(r"[A-Za-z_]\w*")
"""Pattern of the label names that Prometheus accepts."""
_INBOUND: Final = r"inbound\|.*"
_NAMES: Final = {
    "envoy_cluster_upstream_rq": "istio_requests_total",
    "envoy_cluster_upstream_rq_time_(bucket|count|sum)": "istio_request_duration_milliseconds_$1",
}
_LABELS: Final = {
    "app": "destination_service_name",
    "version": "destination_version",
    "namespace": "destination_service_namespace",
    "envoy_response_code": "response_code",
}


def config(plan: Plan) -> str:
    """The configuration file, as JSON, which is valid YAML."""
    pilot = {"targets": [f"{plan.pilot}:{MONITORING_PORT}"], "labels": {"app": "istiod"}}
    jobs = [
        {"job_name": "istiod", "static_configs": [pilot]},
        {
            "job_name": "proxies",
            "metrics_path": "/stats/prometheus",
            "static_configs": [_target(proxy) for proxy in plan.proxies],
            "metric_relabel_configs": list(_renamed()),
        },
    ]
    return json.dumps(
        {"global": {"scrape_interval": INTERVAL, "scrape_timeout": INTERVAL}, "scrape_configs": jobs}, indent=1
    )


def _target(proxy: Proxy) -> dict[str, Any]:
    own = {name: value for name, value in proxy.labels.items() if _LABEL.fullmatch(name)}
    if isinstance(proxy, Workload):
        own |= {"app": proxy.service, "version": proxy.version}
    return {
        "targets": [f"{proxy.address}:{ADMIN_PORT}"],
        "labels": {**own, "namespace": proxy.namespace, "pod": proxy.name},
    }


def _renamed() -> Iterator[dict[str, Any]]:
    for envoys, istios in _NAMES.items():
        yield _step(["__name__", CLUSTER], f"{envoys};{_INBOUND}", "__name__", istios)
    for label, target in _LABELS.items():
        yield _step(["__name__", label], "istio_.*;(.+)", target, "$1")
    yield _step(["__name__"], "istio_.*", "reporter", "destination")


def _step(sources: list[str], regex: str, target: str, value: str) -> dict[str, Any]:
    return {"source_labels": sources, "regex": regex, "target_label": target, "replacement": value}
