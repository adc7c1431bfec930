"""Prometheus, as Istio 1.30's sample has it: version 3, its jobs and permissions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh.releases.addons import Prometheus, Reloader
from mesh.releases.common.addons.prometheus import (
    API_SERVER,
    ITSELF,
    META,
    PUSHGATEWAY,
    at_both_speeds,
    copy,
    keep,
    mapped,
    of_cluster,
    probed,
)
from mesh.releases.prometheus import FOLDER, PORT, Config, Relabel, ScrapeConfig
from mesh.releases.v1_30.addons.pods import NO_SIDECAR, READ_ONLY, user

_VERSION: Final = "v3.10.0"
_READ: Final = "get list watch"
_SELECTOR: Final = {
    "app.kubernetes.io/component": "server",
    "app.kubernetes.io/instance": "prometheus",
    "app.kubernetes.io/name": "prometheus",
}
_LABELS: Final = {
    **_SELECTOR,
    "app.kubernetes.io/part-of": "prometheus",
    "app.kubernetes.io/version": _VERSION,
}
_USER: Final = 65534
"""The uid of both images' user, `nobody`."""
_RELOADER_PORT: Final = 8080


def _of_nodes(job: str, *relabel: Relabel, path: str | None = None) -> ScrapeConfig:
    return of_cluster(job, "node", mapped("node_label"), *relabel, path=path)


def _annotated(kind: str, slow: bool, *addresses: Relabel) -> Iterator[Relabel]:
    """Keeps targets with the annotation `prometheus.io/scrape`, or with `prometheus.io/scrape_slow`, and takes scheme,
    path, parameters and, by `addresses`, the port from annotations."""
    asked = f"{kind}_annotation_prometheus_io_"
    if slow:
        yield keep(True, f"{asked}scrape_slow")
    else:
        yield keep(True, f"{asked}scrape")
        yield keep(True, f"{asked}scrape_slow", action="drop")
    yield copy(f"{asked}scheme", "__scheme__", "(https?)")
    yield copy(f"{asked}path", "__metrics_path__", "(.+)")
    yield from addresses
    yield mapped(f"{asked}param", "__param_$1")
    yield mapped(f"{kind}_label")
    yield copy("namespace", "namespace")


def _address(regex: str, replacement: str, *labels: str) -> Relabel:
    return Relabel(
        action="replace", source_labels=labels, regex=regex, replacement=replacement, target_label="__address__"
    )


def _of_service_endpoints(slow: bool) -> tuple[Relabel, ...]:
    port = f"{META}service_annotation_prometheus_io_port"
    return (
        *_annotated("service", slow, _address(r"(.+?)(?::\d+)?;(\d+)", "$1:$2", "__address__", port)),
        copy("service_name", "service"),
        copy("pod_node_name", "node"),
    )


def _of_pods(slow: bool) -> tuple[Relabel, ...]:
    of_pod = (f"{META}pod_annotation_prometheus_io_port", f"{META}pod_ip")
    version_6 = _address(r"(\d+);(([A-Fa-f0-9]{1,4}::?){1,7}[A-Fa-f0-9]{1,4})", "[$2]:$1", *of_pod)
    version_4 = _address(r"(\d+);((([0-9]+?)(\.|$)){4})", "$2:$1", *of_pod)
    return (
        *_annotated("pod", slow, version_6, version_4),
        copy("pod_name", "pod"),
        keep("Pending|Succeeded|Failed|Completed", "pod_phase", action="drop"),
        copy("pod_node_name", "node"),
    )


_CONFIG: Final = Config(
    scrape_configs=(
        ITSELF,
        of_cluster("kubernetes-api-servers", "endpoints", API_SERVER, verify=True),
        _of_nodes("kubernetes-nodes"),
        _of_nodes(
            "kubernetes-nodes-cadvisor",
            copy("__metrics_path__", "metrics_path", action=None),
            path="/metrics/cadvisor",
        ),
        *at_both_speeds(
            "kubernetes-service-endpoints",
            "endpoints",
            _of_service_endpoints(False),
            _of_service_endpoints(True),
            honor_labels=True,
        ),
        PUSHGATEWAY,
        probed("namespace", "service", honor_labels=True),
        *at_both_speeds("kubernetes-pods", "pod", _of_pods(False), _of_pods(True), honor_labels=True),
    )
)
"""Scrapes Prometheus itself, the API server, the nodes, and pods and Services with `prometheus.io` annotations."""

PROMETHEUS: Final = Prometheus(
    image=f"docker.io/prom/prometheus:{_VERSION}",
    selector=_SELECTOR,
    labels=_LABELS,
    pod_labels={**_LABELS, **NO_SIDECAR},
    annotations={},
    security=user(_USER),
    container_security=READ_ONLY,
    config=_CONFIG,
    rules=(
        ("core", "nodes nodes/metrics services endpoints pods ingresses configmaps", _READ),
        ("networking.k8s.io", "ingresses/status ingresses", _READ),
        ("discovery.k8s.io", "endpointslices", _READ),
    ),
    reloader=Reloader(
        image="ghcr.io/prometheus-operator/prometheus-config-reloader:v0.89.0",
        arguments=(
            f"--watched-dir={FOLDER}",
            f"--listen-address=0.0.0.0:{_RELOADER_PORT}",
            f"--reload-url=http://127.0.0.1:{PORT}/-/reload",
        ),
        port=_RELOADER_PORT,
    ),
    alone=True,
)
