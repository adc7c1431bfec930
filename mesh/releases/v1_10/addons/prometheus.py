"""Prometheus, as Istio 1.10's sample has it: its jobs and permissions."""

from __future__ import annotations

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
from mesh.releases.prometheus import FOLDER, PORT, Config, Relabel
from mesh.releases.v1_10.addons.pods import NO_SIDECAR

_READ: Final = "get list watch"
_LABELS: Final = {"app": "prometheus", "component": "server"}
_USER: Final = 65534
"""The uid of the image's user, `nobody`."""


def _through_api_server(path: str) -> tuple[Relabel, ...]:
    """Scrapes a node through the API server's proxy, since pods may not reach the kubelet."""
    return (
        mapped("node_label"),
        Relabel(target_label="__address__", replacement="kubernetes.default.svc:443"),
        Relabel(
            source_labels=(f"{META}node_name",),
            regex="(.+)",
            target_label="__metrics_path__",
            replacement=f"/api/v1/nodes/$1/proxy{path}",
        ),
    )


def _annotated(kind: str, slow: str) -> tuple[Relabel, ...]:
    """Keeps targets with the annotation `prometheus.io/scrape`, and takes scheme, path and port from annotations."""
    asked = f"{kind}_annotation_prometheus_io_"
    return (
        keep(True, f"{asked}scrape{slow}"),
        copy(f"{asked}scheme", "__scheme__", "(https?)"),
        copy(f"{asked}path", "__metrics_path__", "(.+)"),
        Relabel(
            action="replace",
            source_labels=("__address__", f"{META}{asked}port"),
            regex=r"([^:]+)(?::\d+)?;(\d+)",
            replacement="$1:$2",
            target_label="__address__",
        ),
        mapped(f"{kind}_label"),
        copy("namespace", "kubernetes_namespace"),
    )


def _of_service_endpoints(slow: str) -> tuple[Relabel, ...]:
    return (
        *_annotated("service", slow),
        copy("service_name", "kubernetes_name"),
        copy("pod_node_name", "kubernetes_node"),
    )


def _of_pods(slow: str) -> tuple[Relabel, ...]:
    over = keep("Pending|Succeeded|Failed", "pod_phase", action="drop")
    return (*_annotated("pod", slow), copy("pod_name", "kubernetes_pod_name"), over)


_CONFIG: Final = Config(
    scrape_configs=(
        ITSELF,
        of_cluster("kubernetes-apiservers", "endpoints", API_SERVER),
        of_cluster("kubernetes-nodes", "node", *_through_api_server("/metrics")),
        of_cluster("kubernetes-nodes-cadvisor", "node", *_through_api_server("/metrics/cadvisor")),
        *at_both_speeds(
            "kubernetes-service-endpoints", "endpoints", _of_service_endpoints(""), _of_service_endpoints("_slow")
        ),
        PUSHGATEWAY,
        probed("kubernetes_namespace", "kubernetes_name"),
        *at_both_speeds("kubernetes-pods", "pod", _of_pods(""), _of_pods("_slow")),
    )
)
"""Scrapes Prometheus itself, the API server, the nodes, and pods and Services with `prometheus.io` annotations."""

PROMETHEUS: Final = Prometheus(
    image="prom/prometheus:v2.24.0",
    selector=_LABELS,
    labels=_LABELS,
    pod_labels=_LABELS,
    annotations=NO_SIDECAR,
    security={"runAsUser": _USER, "runAsGroup": _USER, "runAsNonRoot": True, "fsGroup": _USER},
    config=_CONFIG,
    rules=(
        ("core", "nodes nodes/proxy nodes/metrics services endpoints pods ingresses configmaps", _READ),
        ("extensions networking.k8s.io", "ingresses/status ingresses", _READ),
    ),
    reloader=Reloader(
        image="jimmidyson/configmap-reload:v0.5.0",
        arguments=(f"--volume-dir={FOLDER}", f"--webhook-url=http://127.0.0.1:{PORT}/-/reload"),
    ),
    alone=False,
)
