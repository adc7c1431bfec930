"""The metrics of autoscalers in their former form (`autoscaling/v2beta1`), which Istio's own settings use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_TARGETS: Final[Mapping[str, tuple[str, str]]] = {
    "targetAverageUtilization": ("Utilization", "averageUtilization"),
    "targetAverageValue": ("AverageValue", "averageValue"),
    "averageValue": ("AverageValue", "averageValue"),
    "targetValue": ("Value", "value"),
}
"""The type of target and its field, by former field."""
_METRIC: Final[Mapping[str, str]] = {"metricName": "name", "selector": "selector", "metricSelector": "selector"}
"""Fields of a metric's identifier, by former field."""
_SOURCES: Final = ("resource", "containerResource", "pods", "object", "external")


def current_metrics(spec: Any) -> Any:
    """The spec of an autoscaler with its metrics in today's form; other values unchanged."""
    metrics = spec.get("metrics") if isinstance(spec, Mapping) else None
    return {**spec, "metrics": [_current(metric) for metric in metrics]} if isinstance(metrics, list | tuple) else spec


def _current(metric: Any) -> Any:
    if not isinstance(metric, Mapping):
        return metric
    return {key: _source(key, value) if key in _SOURCES else value for key, value in metric.items()}


def _source(kind: str, source: Any) -> Any:
    """One source of a metric: what is measured, and the target."""
    if not isinstance(source, Mapping) or not any(name in source for name in (*_TARGETS, *_METRIC)):
        return source
    found = {name: value for name, value in source.items() if name not in (*_TARGETS, *_METRIC)}
    if kind == "object" and "target" in found:
        found["describedObject"] = found.pop("target")
    if identifier := {_METRIC[name]: value for name, value in source.items() if name in _METRIC}:
        found["metric"] = identifier
    for name, (kind_of_target, field) in _TARGETS.items():
        if name in source:
            found["target"] = {"type": kind_of_target, field: source[name]}
    return found
