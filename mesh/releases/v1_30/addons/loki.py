"""Loki, as Istio 1.30's sample has it: version 3, all its parts in one process."""

from __future__ import annotations

from typing import Any, Final

from mesh.releases.addons import LOKI_GRPC_PORT, LOKI_PORT, Loki
from mesh.releases.v1_30.addons.pods import NO_SIDECAR, READ_ONLY, user

_SELECTOR: Final = {
    "app.kubernetes.io/component": "single-binary",
    "app.kubernetes.io/instance": "loki",
    "app.kubernetes.io/name": "loki",
}
_VERSION: Final = "3.6.5"
_LABELS: Final = {**_SELECTOR, "app.kubernetes.io/version": _VERSION}
_USER: Final = 10001
"""The uid of the image's user."""
_FOLDER: Final = "/var/loki"


def _config(namespace: str, domain: str) -> dict[str, Any]:
    """The configuration: one process, which stores everything in its volume."""
    host = f"loki.{namespace}.svc.{domain}"
    return {
        "auth_enabled": False,
        "server": {
            "http_listen_port": LOKI_PORT,
            "grpc_listen_port": LOKI_GRPC_PORT,
            "http_server_read_timeout": "600s",
            "http_server_write_timeout": "600s",
        },
        "common": {
            "path_prefix": _FOLDER,
            "replication_factor": 1,
            "compactor_grpc_address": f"{host}:{LOKI_GRPC_PORT}",
            "storage": {
                "filesystem": {
                    "chunks_directory": f"{_FOLDER}/chunks",
                    "rules_directory": f"{_FOLDER}/rules",
                }
            },
        },
        "memberlist": {"join_members": [f"loki-memberlist.{namespace}.svc.{domain}"]},
        "schema_config": {
            "configs": [
                {
                    "from": "2024-04-01",
                    "store": "tsdb",
                    "object_store": "filesystem",
                    "schema": "v13",
                    "index": {"prefix": "index_", "period": "24h"},
                }
            ]
        },
        "storage_config": {
            "bloom_shipper": {"working_directory": f"{_FOLDER}/data/bloomshipper"},
            "hedging": {"at": "250ms", "max_per_second": 20, "up_to": 3},
        },
        "limits_config": {
            "max_cache_freshness_per_query": "10m",
            "query_timeout": "300s",
            "reject_old_samples": True,
            "reject_old_samples_max_age": "168h",
            "split_queries_by_interval": "15m",
            "volume_enabled": True,
        },
        "query_range": {"align_queries_with_step": True},
        "ruler": {"storage": {"type": "local"}, "wal": {"dir": f"{_FOLDER}/ruler-wal"}},
        "tracing": {"enabled": False},
        "runtime_config": {"file": "/etc/loki/runtime-config/runtime-config.yaml"},
    }


LOKI: Final = Loki(
    image=f"docker.io/grafana/loki:{_VERSION}",
    selector=_SELECTOR,
    labels=_LABELS,
    pod_labels={**_LABELS, "app.kubernetes.io/part-of": "memberlist", **NO_SIDECAR},
    annotations={"kubectl.kubernetes.io/default-container": "loki"},
    security={**user(_USER), "fsGroupChangePolicy": "OnRootMismatch"},
    container_security=READ_ONLY,
    rules_image="docker.io/kiwigrid/k8s-sidecar:1.30.9",
    config=_config,
)
