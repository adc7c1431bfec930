"""Fields of the stack's objects that others set: what the engine ignores, and when the cluster is asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from cluster.state import StackState
from engine.outputs import known_value
from engine.sharedfields import SharedFields
from mesh.core import names

PATHS = ["spec.http[*].weight"]


def body(*weights: int, **more: Any) -> dict[str, Any]:
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "cart", "namespace": "shop"},
        "spec": {"http": [{"weight": weight} for weight in weights], **more},
    }


@dataclass
class Cluster:
    """A cluster with one object, which counts how often it is asked."""

    standing: dict[str, Any]
    asked: int = 0

    def kubectl(self, *args: str) -> str:
        assert args[:4] == ("get", "VirtualService.v1.networking.istio.io/cart", "--namespace", "shop")
        self.asked += 1
        return json.dumps(self.standing)


def recorded(before: dict[str, Any]) -> StackState:
    """The state after an object was created from a body."""
    sent, _ = SharedFields(None, StackState()).apply(before, PATHS, [])
    return StackState.of({"urn:pulumi:dev::mesh::kubernetes:a:VirtualService::shop/cart": sent})


def applied(
    now: dict[str, Any], state: StackState, cluster: Any, monkeypatch: pytest.MonkeyPatch, preview: bool = False
) -> tuple[dict[str, Any], Sequence[str] | None]:
    """The inputs of the object, and the fields to ignore."""
    monkeypatch.setattr("pulumi.runtime.is_dry_run", lambda: preview)
    inputs, opts = SharedFields(cluster, state).apply(now, PATHS, [])
    return inputs, opts.ignore_changes


def weights(inputs: dict[str, Any]) -> list[int]:
    return [one["weight"] for one in inputs["spec"]["http"]]


def test_a_new_object_gets_what_the_files_say(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, ignored = applied(body(90, 10), StackState(), Cluster({}), monkeypatch)
    assert (weights(inputs), ignored) == ([90, 10], None)
    assert inputs["metadata"]["annotations"][names.FORCE] == "true"


def test_if_nothing_else_changes_the_fields_are_ignored_and_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(body(20, 80))
    _, ignored = applied(body(50, 50), recorded(body(90, 10)), cluster, monkeypatch)
    assert ignored == ["spec.http[0].weight", "spec.http[1].weight"]
    assert cluster.asked == 0


def test_a_preview_ignores_them_also_if_something_else_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, ignored = applied(body(90, 10, hosts=["a"]), recorded(body(90, 10)), Cluster({}), monkeypatch, preview=True)
    assert (weights(inputs), ignored) == ([90, 10], ["spec.http[0].weight", "spec.http[1].weight"])


def test_an_update_of_something_else_sends_what_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(body(20, 80))
    now = body(90, 10, hosts=["a"])

    async def sent() -> Any:
        inputs, ignored = applied(now, recorded(body(90, 10)), cluster, monkeypatch)
        assert known_value(inputs["spec"]) == now["spec"]
        assert ignored is None
        return await inputs["spec"].future()

    loop = asyncio.new_event_loop()  # `asyncio.run` would leave the tests after this one without a loop
    assert loop.run_until_complete(sent()) == body(20, 80, hosts=["a"])["spec"]
    loop.close()
    assert cluster.asked == 1


def test_without_a_cluster_a_list_that_has_grown_is_shown_as_the_files_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, ignored = applied(body(90, 5, 5), recorded(body(90, 10)), None, monkeypatch, preview=True)
    assert (weights(inputs), ignored) == ([90, 5, 5], None)


def test_what_is_in_no_list_needs_no_force() -> None:
    sent, _ = SharedFields(None, StackState()).apply(body(1), ["spec.replicas"], [])
    assert names.FORCE not in sent["metadata"]["annotations"]


POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "once", "namespace": "shop"}, "spec": {"containers": []}}


def ignored(pod: dict[str, Any], by: dict[str, str]) -> Sequence[str] | None:
    """The fields to ignore of an injected Pod that the control plane without a name has injected as `POD`."""
    sent, _ = SharedFields(None, StackState()).injected(POD, {})
    live = {**sent, "spec": {"containers": [{"name": "istio-proxy"}]}}
    state = StackState.of({"urn:pulumi:dev::mesh::kubernetes:core/v1:Pod::shop/once": live})
    return SharedFields(None, state).injected(pod, by)[1].ignore_changes


def test_what_injection_changes_in_a_pod_is_ignored_until_the_pod_or_its_control_plane_changes() -> None:
    assert ignored(POD, {}) == ["spec", "metadata.annotations"]
    assert not ignored({**POD, "spec": {"containers": [{"name": "own"}]}}, {})
    assert not ignored(POD, {"mesh/revision": "1-30-3"})


def test_a_new_pod_has_nothing_to_ignore() -> None:
    sent, opts = SharedFields(None, StackState()).injected(POD, {})
    assert sent["metadata"]["annotations"].keys() == {names.DIGEST}
    assert not opts.ignore_changes
