"""Prometheus' scraping of an injected pod, redirected to the agent, which merges the application's metrics with the
proxy's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from mesh.proxy.annotations import BOOLEANS
from mesh.proxy.text import go_json

MERGE: Final = "prometheus.istio.io/merge-metrics"
_SCRAPING: Final = ("scrape", "path", "port")
_ANY: Final = "prometheus_io_"
"""The prefix of Prometheus' annotations after Prometheus has normalized their names."""


def merge(pod: Mapping[str, Any], proxy: dict[str, Any], port: int) -> None:
    """Points Prometheus at the agent's `port`, unless the pod's annotations already do.

    The agent finds the application's metrics by environment variable `ISTIO_PROMETHEUS_ANNOTATIONS`.
    """
    annotations = pod["metadata"]["annotations"]
    own = {name: annotations.get(f"prometheus.io/{name}", "") for name in _SCRAPING}
    _merge(annotations, own, proxy, port)


def merge_any_spelling(pod: Mapping[str, Any], proxy: dict[str, Any], port: int) -> None:
    """Like `merge`, for annotations in any spelling that Prometheus accepts, such as `prometheus-io/port`. A pod that
    turns scraping off stays as it is."""
    annotations = pod["metadata"]["annotations"]
    spelled = {name: re.sub(r"[^a-zA-Z0-9_]", "_", name) for name in sorted(annotations)}
    found = {one: name for name, one in spelled.items() if one in {_ANY + field for field in _SCRAPING}}
    own = {field: annotations.get(found.get(_ANY + field, ""), "") for field in _SCRAPING}
    if own["scrape"] in BOOLEANS[len(BOOLEANS) // 2 :]:
        return
    if _merge(annotations, own, proxy, port):
        written = {f"prometheus.io/{field}" for field in _SCRAPING}
        for name in [name for name, one in spelled.items() if one in found and name not in written]:
            del annotations[name]


def _merge(annotations: dict[str, str], own: Mapping[str, str], proxy: dict[str, Any], port: int) -> bool:
    """Points Prometheus at the agent, and returns whether it was not before. `own` are the pod's annotations by their
    last part."""
    if own["port"] == str(port):
        return False
    if any(own.values()):
        proxy["env"].append({"name": "ISTIO_PROMETHEUS_ANNOTATIONS", "value": go_json(own)})
    merged = {"scrape": "true", "path": "/stats/prometheus", "port": str(port)}
    annotations.update({f"prometheus.io/{name}": value for name, value in merged.items()})
    return True
