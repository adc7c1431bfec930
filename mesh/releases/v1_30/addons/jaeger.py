"""Jaeger, as Istio 1.30's sample has it: version 2, an OpenTelemetry collector with a storage and a user interface."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mesh.api.proxy_config import ProxyTracing
from mesh.core import documents
from mesh.core.names import ROOT, ZIPKIN_PORT
from mesh.releases.addons import JAEGER_PATH, Jaeger, Process
from mesh.releases.release import Installation
from mesh.releases.v1_30.addons.pods import CONTAINER, NO_SIDECAR, user

_LABELS: Final = {"app": "jaeger"}
_USER: Final = 10001
"""The uid of the image's user."""
_OTLP: Final = {"grpc": 4317, "http": 4318}
_COLLECTOR: Final = {"jaeger-collector-http": 14268, "jaeger-collector-grpc": 14250}
_HEALTH: Final = 13133
_METRICS: Final = 8888
_STORAGE: Final = "badger_storage"
_FOLDER: Final = "/jaeger-configuration"
_FILE: Final = "config.yaml"
_PROVIDER: Final = "jaeger"
"""Name of the extension provider that is Jaeger."""


def _at(port: int) -> dict[str, str]:
    return {"endpoint": f"0.0.0.0:{port}"}


def _config(retention: str | None) -> dict[str, Any]:
    """The configuration: who receives spans, where they are stored, and who answers queries."""
    receivers = {
        "otlp": {"protocols": {protocol: _at(port) for protocol, port in _OTLP.items()}},
        "jaeger": {
            "protocols": {
                "grpc": _at(_COLLECTOR["jaeger-collector-grpc"]),
                "thrift_binary": _at(6832),
                "thrift_compact": _at(6831),
                "thrift_http": _at(_COLLECTOR["jaeger-collector-http"]),
            }
        },
        "zipkin": _at(ZIPKIN_PORT),
    }
    pipeline = {"receivers": list(receivers), "processors": ["batch"], "exporters": ["jaeger_storage_exporter"]}
    extensions = _extensions(retention)
    return {
        "service": {
            "extensions": list(extensions),
            "pipelines": {"traces": pipeline},
            "telemetry": _telemetry(),
        },
        "extensions": extensions,
        "receivers": receivers,
        "processors": {"batch": None},
        "exporters": {"jaeger_storage_exporter": {"trace_storage": _STORAGE}},
    }


def _extensions(retention: str | None) -> dict[str, Any]:
    badger = {
        "directories": {"keys": "/badger/key", "values": "/badger/data/"},
        "ephemeral": False,
        **({"ttl": {"spans": retention}} if retention else {}),
    }
    return {
        "jaeger_storage": {"backends": {_STORAGE: {"badger": badger}}},
        "jaeger_query": {"base_path": JAEGER_PATH, "storage": {"traces": _STORAGE}},
        "remote_sampling": {
            "file": {"path": None, "default_sampling_probability": 1, "reload_interval": "1s"},
            "http": _at(5778),
            "grpc": _at(5779),
        },
        "healthcheckv2": {"use_v2": True, "http": _at(_HEALTH), "grpc": None},
        "expvar": _at(27777),
        "zpages": _at(27778),
    }


def _telemetry() -> dict[str, Any]:
    """Jaeger's own telemetry: logs, and metrics for Prometheus."""
    exporter = {"prometheus": {"host": "0.0.0.0", "port": _METRICS}}
    return {
        "resource": {"service.name": "jaeger"},
        "logs": {"level": "info"},
        "metrics": {"level": "detailed", "readers": [{"pull": {"exporter": exporter}}]},
    }


def _process(retention: str | None) -> Process:
    return Process(
        arguments=("--config", f"{_FOLDER}/{_FILE}"),
        files={_FILE: documents.dump(_config(retention), sort_keys=False)},
    )


def traced(mesh: Installation, config: Mapping[str, Any]) -> dict[str, Any]:
    """The MeshConfig `config`, with Jaeger (the stack's own or an existing one) as the default provider of tracing if
    it names no tracer: without one, proxies send no spans. A Telemetry object may still choose another provider."""
    of_proxies = config.get("defaultConfig", {}).get("tracing", {})
    named = any(tracer in of_proxies for tracer in ProxyTracing.TRACERS)
    if not (mesh.traced or mesh.collector) or named or config.get("defaultProviders", {}).get("tracing"):
        return dict(config)
    service, _, port = mesh.collector.rpartition(":")
    own = f"jaeger-collector.{mesh.root}.svc.{mesh.values.global_.proxy.clusterDomain}"
    ours = {
        "name": _PROVIDER,
        "opentelemetry": {"service": service or own, "port": int(port or _OTLP["grpc"])},
    }
    providers = [one for one in config.get("extensionProviders") or () if not _replaced(mesh, one)]
    if not any(provider["name"] == _PROVIDER for provider in providers):
        providers.append(ours)
    return {
        **config,
        "extensionProviders": providers,
        "defaultProviders": {**config.get("defaultProviders", {}), "tracing": [_PROVIDER]},
    }


def _replaced(mesh: Installation, provider: Mapping[str, Any]) -> bool:
    """Whether Jaeger replaces the provider of its name. An existing Jaeger always does; the stack's own replaces that
    of profile `demo`, a Jaeger in the usual namespace, if the mesh has another namespace."""
    if provider["name"] != _PROVIDER:
        return False
    named = (provider.get("opentelemetry") or {}).get("service") or ""
    return bool(mesh.collector) or (mesh.root != ROOT and named.startswith(f"jaeger-collector.{ROOT}.svc"))


JAEGER: Final = Jaeger(
    image="docker.io/jaegertracing/jaeger:2.14.0",
    selector=_LABELS,
    labels=_LABELS,
    pod_labels={**_LABELS, **NO_SIDECAR},
    annotations={"prometheus.io/port": str(_METRICS), "prometheus.io/scrape": "true"},
    security=user(_USER),
    container_security=CONTAINER,
    token=False,
    process=_process,
    health=("/status", _HEALTH),
    query={"grpc-query": 16685},
    collector={
        **_COLLECTOR,
        "http-zipkin": ZIPKIN_PORT,
        "grpc-otel": _OTLP["grpc"],
        "http-otel": _OTLP["http"],
    },
    tracer=_OTLP["grpc"],
)
