"""The keys below `k8s` in a component of an IstioOperator, as settings of a workload."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from mesh.imports.source import Data, Overlay, as_map

_CPU: Final = "cpu"
_GIVEN: Final = "scaleTargetRef"
"""A field that an autoscaler needs, and that a stack always sets."""


def settings(k8s: Data) -> dict[str, Any]:
    """The settings of a workload that correspond to `k8s`. Overlays are not among them."""
    found = {key: value for key, value in k8s.items() if key not in ("env", "hpaSpec", "strategy", "overlays")}
    found |= _env(k8s.get("env") or [])
    if hpa := as_map(k8s.get("hpaSpec")):
        targets = _targets(hpa.get("metrics") or [])
        dropped = (_GIVEN,) if targets is None else (_GIVEN, "metrics")
        found["hpaSpec"] = {key: value for key, value in hpa.items() if key not in dropped}
        found |= targets or {}
    if strategy := as_map(k8s.get("strategy")):
        found["strategy"] = {k: v for k, v in strategy.items() if (k, v) != ("type", "RollingUpdate")}
    return found


def _env(listed: Sequence[Data]) -> Data:
    """Variables with a value as a map, and those with a source as they are."""
    found: dict[str, Any] = {}
    if values := {str(one["name"]): one.get("value", "") for one in listed if "valueFrom" not in one}:
        found["env"] = values
    if sources := [dict(one) for one in listed if "valueFrom" in one]:
        found["envVarFrom"] = sources
    return found


def _targets(metrics: Sequence[Data]) -> Data | None:
    """The targets of an autoscaler for the use of CPU, if it has no other metrics; None if it has."""
    found: dict[str, Any] = {}
    for metric in metrics:
        resource = as_map(metric.get("resource"))
        percent = resource.get("targetAverageUtilization") or as_map(resource.get("target")).get("averageUtilization")
        if resource.get("name") != _CPU or not percent:
            return None
        found[_CPU] = {"targetAverageUtilization": percent}
    return found


def overlays(listed: Any, path: str) -> list[Overlay]:
    """The overlays of a component, each of which patches an object."""
    return [Overlay(path=f"{path}[{i}]", body=as_map(one)) for i, one in enumerate(listed or [])]
