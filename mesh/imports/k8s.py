"""What a component of an IstioOperator has below `k8s`, in the form of the settings of a workload."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from mesh.imports.source import Data, Left, Overlay, as_map

_METRICS: Final = ("cpu", "memory")
"""Resources for whose use an autoscaler has a target among the settings."""
_GIVEN: Final = "scaleTargetRef"
"""What an autoscaler needs, and always has here."""


def settings(k8s: Data, path: str, left: list[Left]) -> dict[str, Any]:
    """The part of a workload's settings that `k8s` is; `left` gets what has no form among them. Overlays are not part
    of it."""
    found = {key: value for key, value in k8s.items() if key not in ("env", "hpaSpec", "strategy", "overlays")}
    found |= _env(k8s.get("env") or [])
    if hpa := as_map(k8s.get("hpaSpec")):
        found["hpaSpec"] = {key: value for key, value in hpa.items() if key not in ("metrics", _GIVEN)}
        found |= _targets(hpa.get("metrics") or [], f"{path}.hpaSpec.metrics", left)
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


def _targets(metrics: Sequence[Data], path: str, left: list[Left]) -> Data:
    found: dict[str, Any] = {}
    for i, metric in enumerate(metrics):
        resource = as_map(metric.get("resource"))
        percent = resource.get("targetAverageUtilization") or as_map(resource.get("target")).get("averageUtilization")
        if resource.get("name") in _METRICS and percent:
            found[resource["name"]] = {"targetAverageUtilization": percent}
        else:
            left.append(Left(path=f"{path}[{i}]", why="an autoscaler here has targets for CPU and memory alone"))
    return found


def overlays(listed: Any, path: str) -> list[Overlay]:
    """The overlays of a component, each of which patches an object."""
    return [Overlay(path=f"{path}[{i}]", body=as_map(one)) for i, one in enumerate(listed or [])]
