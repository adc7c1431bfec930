"""The injection gate asks the cluster once for workloads created at the same time, and again for later ones."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from cluster import proxy
from cluster.client import Answer, Request
from cluster.target import Target
from engine import gate
from mesh.config import loading

READY = {"status": {"availableReplicas": 1}, "webhooks": [{"clientConfig": {"caBundle": "x"}}]}


class Scene:
    """A fake cluster that counts requests, and a fake clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked, self.connected, self.now, self.answer = 0, 0, 0.0, dict[str, Any](READY)
        monkeypatch.setattr(proxy, "connect", self._connect)
        monkeypatch.setattr("engine.gate.time.monotonic", lambda: self.now)
        checks: list[Any] = []
        monkeypatch.setattr(pulumi, "ResourceHook", lambda _, check: checks.append(check))
        gate.hook(Target("here", "https://here"), loading.load({}).installation)
        self._check = checks[0]

    def _connect(self, _: Target) -> AbstractContextManager[Scene]:
        self.connected += 1
        return nullcontext(self)

    def ask(self, _: Request) -> Answer:
        self.asked += 1
        return Answer(200, self.answer)

    def workload(self) -> None:
        self._check(SimpleNamespace(name="reviews-v1"))


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(monkeypatch)


def test_workloads_that_are_created_at_the_same_time_ask_the_cluster_once(scene: Scene) -> None:
    scene.workload()
    once = scene.asked
    assert (once, scene.connected) == (2, 1)
    scene.now += gate.ANSWER_VALID_FOR / 2
    scene.workload()
    assert scene.asked == once


def test_a_later_workload_asks_again_and_finds_istiod_missing(scene: Scene) -> None:
    scene.workload()
    scene.now += 2 * gate.ANSWER_VALID_FOR
    scene.answer = {**READY, "status": {}}
    with pytest.raises(gate.GateClosed, match="no available pod"):
        scene.workload()


def test_a_negative_answer_is_not_reused(scene: Scene) -> None:
    scene.answer = {**READY, "status": {}}
    with pytest.raises(gate.GateClosed):
        scene.workload()
    scene.answer = READY
    scene.workload()
