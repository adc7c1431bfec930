"""How long pods have taken to become ready."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from cluster import sidecars
from mesh.proxy.control_plane import Name

Manifest = Mapping[str, Any]


def seconds(found: Iterable[Manifest]) -> Mapping[Name, float]:
    """Seconds from the creation of a pod until it was ready, by the objects that may have created it
    (`cluster.sidecars.makers`); the longest time if there are several pods. Pods that are not ready are ignored."""
    took: dict[Name, float] = {}
    for pod in found:
        if (since := _ready_since(pod)) and not sidecars.has_ended(pod):
            time = (since - datetime.fromisoformat(pod["metadata"]["creationTimestamp"])).total_seconds()
            for maker in sidecars.makers(pod):
                took[maker] = max(time, took.get(maker, 0.0))
    return took


def _ready_since(pod: Manifest) -> datetime | None:
    for one in (pod.get("status") or {}).get("conditions") or ():
        if one["type"] == "Ready" and one["status"] == "True":
            return datetime.fromisoformat(one["lastTransitionTime"])
    return None
