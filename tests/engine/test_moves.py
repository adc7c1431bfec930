"""Moves of workloads to another control plane: one at a time, and back if the new pods do not get ready."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from cluster import proxy, rollout
from cluster.errors import Refused
from cluster.target import Target
from engine.moves import Moves, NotMoved


def workload(revision: str = "", name: str = "cart", labels: Any = None, **template: Any) -> dict[str, Any]:
    notes = {"mesh/revision": revision} if revision else {}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop", "labels": labels},
        "spec": {"template": {"metadata": {"annotations": notes}, **template}},
    }


class Scene:
    """The hook of an update, on a cluster whose rollouts finish or not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.log: list[str] = []
        self.finishes: Callable[[str], bool] = lambda _: True
        self.refuses = ""
        hooks: list[Any] = []
        monkeypatch.setattr(pulumi, "ResourceHook", lambda _, check: hooks.append(check))
        monkeypatch.setattr(pulumi.log, "info", lambda *_, **__: None)
        monkeypatch.setattr(proxy, "connect", lambda _: nullcontext(self))
        monkeypatch.setattr(rollout, "apply", self._apply)
        monkeypatch.setattr(rollout, "wait", self._wait)
        monkeypatch.setattr(rollout, "reasons", lambda *_: iter(["exceeded quota"]))
        monkeypatch.setattr(rollout, "drop_unready", lambda *_: None)
        monkeypatch.setattr("engine.moves.client.get", lambda *_: {})
        self.found: Any = None
        monkeypatch.setattr("engine.moves.client.find", lambda *_: self.found)
        Moves(Target("here", "https://here"), 30)
        (self._hook,) = hooks

    def _text(self, what: str, manifest: Any) -> str:
        notes = manifest["spec"]["template"]["metadata"]["annotations"]
        return f"{what} {manifest['metadata']['name']} {notes.get('mesh/revision', '-')}"

    def _apply(self, _: Any, manifest: Any) -> None:
        if self.refuses:
            raise Refused(self.refuses)
        self.log.append(self._text("apply", manifest))

    def _wait(self, _: Any, manifest: Any, limit: float, __: Any) -> bool:
        assert limit == 30
        self.log.append(self._text("wait", manifest))
        return self.finishes(self.log[-1])

    def update(self, *pairs: tuple[Any, Any]) -> list[str]:
        """Updates workloads at the same time; returns the errors, or empty texts."""

        async def all_of_them() -> list[Any]:
            given = [SimpleNamespace(name=(o or n)["metadata"]["name"], old_inputs=o, new_inputs=n) for o, n in pairs]
            return await asyncio.gather(*map(self._hook, given), return_exceptions=True)

        loop = asyncio.new_event_loop()
        found = loop.run_until_complete(all_of_them())
        loop.close()
        assert all(isinstance(one, NotMoved | None) for one in found), found
        return [str(one or "") for one in found]


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(monkeypatch)


def test_workloads_are_moved_one_after_another(scene: Scene) -> None:
    pairs = [(workload(name=name), workload("b", name)) for name in ("cart", "store", "till")]
    assert scene.update(*pairs) == ["", "", ""]
    assert scene.log == [f"{what} {name} b" for name in ("cart", "store", "till") for what in ("apply", "wait")]


@pytest.mark.parametrize(
    ("old", "new", "moves"),
    [
        (workload(), workload("b"), True),
        (workload("b"), workload(), True),
        (workload("a"), workload("b"), True),
        (workload(labels={"istio.io/rev": "default"}), workload(labels={"istio.io/rev": "b"}), True),  # a gateway
        (workload("b"), workload("b", spec={"containers": []}), False),
        (workload(), workload(spec={"containers": []}), False),
        (None, workload("b"), False),
    ],
)
def test_only_a_change_of_the_control_plane_is_a_move(scene: Scene, old: Any, new: Any, moves: bool) -> None:
    assert scene.update((old, new)) == [""]
    assert bool(scene.log) == moves


def test_what_a_killed_update_has_moved_without_a_record_is_moved_back(scene: Scene) -> None:
    scene.found = workload("b")
    assert scene.update((workload("a"), workload("a"))) == [""]
    assert scene.log == ["apply cart a", "wait cart a"]


def test_what_does_not_get_ready_where_it_is_recorded_is_not_taken_back_to_there(scene: Scene) -> None:
    scene.found, scene.finishes = workload("b"), lambda _: False
    (text,) = scene.update((workload("a"), workload("a")))
    assert text.endswith("exceeded quota. Fix it and run `up` again, or change the revision of its namespace back")
    assert scene.log == ["apply cart a", "wait cart a"]


def test_what_has_no_rollout_is_not_moved(scene: Scene) -> None:
    job = {**workload(), "kind": "Job", "apiVersion": "batch/v1"}
    assert scene.update((job, job)) == [""]
    assert scene.log == []


def test_a_workload_whose_new_pods_do_not_get_ready_goes_back_and_the_others_stay(scene: Scene) -> None:
    scene.finishes = lambda text: text != "wait cart b"
    first, second = scene.update((workload("a"), workload("b")), (workload("a", "store"), workload("b", "store")))
    assert first.startswith(
        "Deployment shop/cart got no ready pods within 30 s (mesh:timeout): exceeded quota. It has its old pods again,"
        " and the workloads after it were not changed."
    )
    assert second == "store stays where it is, since cart could not be moved"
    assert scene.log == ["apply cart b", "wait cart b", "apply cart a", "wait cart a"]


def test_it_says_if_the_pods_are_not_ready_after_going_back_either(scene: Scene) -> None:
    scene.finishes = lambda _: False
    (text,) = scene.update((workload("a"), workload("b")))
    assert "Its old pod template is restored, but its pods are not ready yet." in text


def test_what_the_api_server_refuses_is_said(scene: Scene) -> None:
    scene.refuses = "conflict with kubectl"
    (text,) = scene.update((workload("a"), workload("b")))
    assert text == "Deployment shop/cart could not be moved: the cluster refuses: conflict with kubectl"


def test_secrets_of_a_workload_are_applied_as_they_are(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    applied: list[Any] = []
    monkeypatch.setattr(rollout, "apply", lambda _, manifest: applied.append(manifest))

    class Hidden(pulumi.Output[str]):
        def __init__(self) -> None:
            pass

        async def future(self, *_: Any, **__: Any) -> str:
            return "s3cret"

    scene.update((workload("a"), workload("b", spec={"containers": [{"env": [{"value": Hidden()}]}]})))
    assert applied[0]["spec"]["template"]["spec"]["containers"][0]["env"] == [{"value": "s3cret"}]
