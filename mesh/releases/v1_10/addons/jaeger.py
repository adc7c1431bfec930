"""Jaeger, as Istio 1.10's sample has it: version 1, all in one."""

from __future__ import annotations

from typing import Final

from mesh.core.names import ZIPKIN_PORT
from mesh.releases.addons import JAEGER_PATH, Jaeger, Process
from mesh.releases.v1_10.addons.pods import NO_SIDECAR

_ADMIN: Final = 14269
"""Port of health checks and metrics."""
_LABELS: Final = {"app": "jaeger"}
_SETTINGS: Final = {
    "BADGER_EPHEMERAL": "false",
    "SPAN_STORAGE_TYPE": "badger",
    "BADGER_DIRECTORY_VALUE": "/badger/data",
    "BADGER_DIRECTORY_KEY": "/badger/key",
    "COLLECTOR_ZIPKIN_HTTP_PORT": str(ZIPKIN_PORT),
    "MEMORY_MAX_TRACES": "50000",
    "QUERY_BASE_PATH": JAEGER_PATH,
}


def _process(retention: str | None) -> Process:
    kept = {"BADGER_SPAN_STORE_TTL": retention} if retention else {}
    return Process(environment={**_SETTINGS, **kept})


JAEGER: Final = Jaeger(
    image="docker.io/jaegertracing/all-in-one:1.20",
    selector=_LABELS,
    labels=_LABELS,
    pod_labels=_LABELS,
    annotations={**NO_SIDECAR, "prometheus.io/port": str(_ADMIN), "prometheus.io/scrape": "true"},
    process=_process,
    health=("/", _ADMIN),
    query={},
    collector={"jaeger-collector-http": 14268, "jaeger-collector-grpc": 14250},
)
