"""How long pods have needed to get ready."""

from __future__ import annotations

from typing import Any

from cluster import readiness
from tests.cluster.standing import pod


def made(owner: str, second: int | None, **meta: Any) -> dict[str, Any]:
    """A pod that was ready at a second of its first minute; never with None."""
    found = pod("shop", owner)
    found["metadata"] |= {"creationTimestamp": "2026-01-01T00:00:00Z", **meta}
    at = {"type": "Ready", "status": "True", "lastTransitionTime": f"2026-01-01T00:00:{second or 0:02}Z"}
    found["status"] = {"conditions": [{"type": "Initialized", "status": "True"}, *([at] if second is not None else [])]}
    return found


def test_the_slowest_pod_of_a_workload_counts() -> None:
    took = readiness.seconds([made("cart", 3), made("cart", 12), made("till", 4)])
    assert took["shop", "cart"] == 12.0
    assert took["shop", "till"] == 4.0


def test_pods_that_are_not_ready_or_go_tell_nothing() -> None:
    assert readiness.seconds([made("cart", None), made("till", 3, deletionTimestamp="2026-01-01T00:01:00Z")]) == {}
