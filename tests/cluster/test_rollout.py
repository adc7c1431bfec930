"""Whether a workload has rolled out, and why not."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from cluster import rollout
from cluster.client import Answer, Request
from cluster.errors import Refused

NAME = {"name": "cart", "namespace": "shop"}


def workload(kind: str = "Deployment", generation: int = 2, **status: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {**NAME, "generation": generation, "annotations": {"pulumi.com/patchFieldManager": "mesh-dev"}},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "cart"}}},
        "status": {"observedGeneration": 2, **status},
    }


def deployment(updated: int, replicas: int, available: int, **more: Any) -> dict[str, Any]:
    return workload(updatedReplicas=updated, replicas=replicas, availableReplicas=available, **more)


@pytest.mark.parametrize(
    ("found", "finished"),
    [
        (deployment(2, 2, 2), True),
        (deployment(2, 2, 2, generation=3), False),  # the change has not been seen
        (deployment(0, 2, 2), False),  # no new pod can be created
        (deployment(2, 3, 2), False),  # an old pod is still there
        (deployment(2, 2, 1), False),
        (workload("StatefulSet", updatedReplicas=2, availableReplicas=2), True),
        (workload("StatefulSet", updatedReplicas=1, availableReplicas=2), False),
        (workload("DaemonSet", updatedNumberScheduled=3, desiredNumberScheduled=3, numberAvailable=3), True),
        (workload("DaemonSet", updatedNumberScheduled=3, desiredNumberScheduled=3, numberAvailable=2), False),
    ],
)
def test_a_rollout_is_finished_when_all_pods_are_new_and_available(found: dict[str, Any], finished: bool) -> None:
    assert rollout.finished(found) == finished


class Cluster:
    """An API server that shows a workload in several states, one after another, and then in the last one."""

    def __init__(self, *states: dict[str, Any], pods: Any = ()) -> None:
        self._states, self._pods = itertools.chain(states, itertools.repeat(states[-1])), list(pods)
        self.asked: list[Request] = []

    def ask(self, request: Request) -> Answer:
        self.asked.append(request)
        if "/pods" in request.path:
            return Answer(200, {"items": self._pods})
        return Answer(200, next(self._states))


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cluster.rollout.time.sleep", lambda _: None)


def test_it_waits_for_the_new_pods_and_says_how_far_they_are() -> None:
    said: list[str] = []
    states = [deployment(0, 2, 2), deployment(1, 3, 2), deployment(1, 3, 2), deployment(2, 2, 2)]
    assert rollout.wait(Cluster(*states), states[0], 60, said.append)
    assert said == ["0 of 2 pods are new", "1 of 2 pods are new"]


def test_it_gives_up_after_the_time_limit() -> None:
    assert not rollout.wait(Cluster(deployment(0, 2, 2)), deployment(0, 2, 2), 0, lambda _: None)


def test_it_applies_as_the_providers_field_manager_and_forces_only_what_the_stack_forces() -> None:
    cluster = Cluster(workload())
    rollout.apply(cluster, workload())
    forced = workload()
    forced["metadata"]["annotations"]["pulumi.com/patchForce"] = "true"
    rollout.apply(cluster, forced)
    path = "/apis/apps/v1/namespaces/shop/deployments/cart?fieldManager=mesh-dev"
    assert [one.path for one in cluster.asked] == [path, f"{path}&force=true"]
    assert {one.content_type for one in cluster.asked} == {"application/apply-patch+yaml"}


def test_what_the_api_server_refuses_is_an_error_with_its_reason() -> None:
    class Refusing:
        def ask(self, _: Request) -> Answer:
            return Answer(409, {"message": "conflict with kubectl"})

    with pytest.raises(Refused, match="conflict with kubectl"):
        rollout.apply(Refusing(), workload())


def pod(name: str, revision: str, ready: str) -> dict[str, Any]:
    labels = {"controller-revision-hash": revision}
    return {
        "metadata": {"name": name, "namespace": "shop", "labels": labels},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


@pytest.mark.parametrize(("kind", "deleted"), [("StatefulSet", ["cart-1"]), ("Deployment", [])])
def test_pods_for_which_a_statefulset_would_wait_for_ever_are_deleted(kind: str, deleted: list[str]) -> None:
    pods = [pod("cart-0", "old", "False"), pod("cart-1", "new", "False"), pod("cart-2", "new", "True")]
    cluster = Cluster(workload(kind), pods=pods)
    rollout.drop_unready(cluster, workload(kind, updateRevision="new"))
    assert [one.path.rpartition("/")[2] for one in cluster.asked if one.method == "DELETE"] == deleted
