"""Waiting for new pods, and the reasons why objects are not ready."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from cluster.client import Answer, Request
from commands import unready
from tests.meshes import manifest_of

DEPLOYMENT = "/apis/apps/v1/namespaces/shop/deployments/cart"
PODS = "/api/v1/namespaces/shop/pods?labelSelector=app=cart"
SERVICE = "/api/v1/namespaces/shop/services/cart"


class Cluster:
    """An API server with an object at each of some paths."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self._answers = answers

    def ask(self, request: Request) -> Answer:
        found = self._answers.get(request.path)
        return Answer(404) if found is None else Answer(200, found)


def said(capsys: pytest.CaptureFixture[str], kind: str, answers: Mapping[str, Any]) -> str:
    unready.explain({"resources": [{"inputs": {}}, {"inputs": manifest_of(kind, "cart")}]}, Cluster(answers))
    return capsys.readouterr().out


def deployment(**status: Any) -> dict[str, Any]:
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "cart"}}}
    return {"metadata": {"namespace": "shop"}, "spec": spec, "status": status}


def test_pods_that_cannot_be_created_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    failure = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: full"}
    answers = {DEPLOYMENT: deployment(conditions=[failure]), PODS: {"items": []}}
    text = said(capsys, "Deployment", answers)
    assert text == "Deployment shop/cart is not ready: exceeded quota: full\n"


def test_containers_that_do_not_start_are_explained_once(capsys: pytest.CaptureFixture[str]) -> None:
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
    pod = {"status": {"containerStatuses": [{"name": "cart", "state": waiting}]}}
    answers = {DEPLOYMENT: deployment(updatedReplicas=1, unavailableReplicas=1), PODS: {"items": [pod, pod]}}
    text = said(capsys, "Deployment", answers)
    assert text == "Deployment shop/cart is not ready: container cart: ImagePullBackOff: no such image\n"


@pytest.mark.parametrize(
    ("policy", "available", "explained"), [("Fail", 0, True), ("Fail", 1, False), ("Ignore", 0, False)]
)
def test_a_validator_that_nobody_answers_is_explained_with_what_starts_it(
    policy: str, available: int, explained: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    service = {"namespace": "shop", "name": "cart"}
    hook = {"clientConfig": {"service": service}, "failurePolicy": policy}
    answers = {
        "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/cart": {"webhooks": [hook, hook]},
        DEPLOYMENT: deployment(**({"availableReplicas": available} if available else {})),
    }
    text = said(capsys, "ValidatingWebhookConfiguration", answers)
    assert text.count("`kubectl scale deployment/cart --namespace shop --replicas 1` starts it") == explained


def test_a_load_balancer_without_an_address_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    service = {"spec": {"type": "LoadBalancer"}, "status": {"loadBalancer": {}}}
    assert "the load balancer has no address yet" in said(capsys, "Service", {SERVICE: service})


@pytest.mark.parametrize(
    ("kind", "answers"),
    [
        ("Deployment", {DEPLOYMENT: deployment(updatedReplicas=1, availableReplicas=1)}),
        ("Service", {SERVICE: {"spec": {"type": "ClusterIP"}, "status": {"loadBalancer": {}}}}),
        ("Deployment", {}),
    ],
    ids=["available", "no load balancer", "not there"],
)
def test_ready_or_deleted_objects_are_not_listed(
    capsys: pytest.CaptureFixture[str], kind: str, answers: Mapping[str, Any]
) -> None:
    assert said(capsys, kind, answers) == ""


def rollout(name: str, generation: int, observed: int, reason: str | None) -> dict[str, Any]:
    conditions = [{"type": "Available", "reason": "MinimumReplicasAvailable"}]
    conditions += [{"type": "Progressing", "reason": reason}] if reason else []
    metadata = {"namespace": "shop", "name": name, "generation": generation}
    return {"metadata": metadata, "status": {"observedGeneration": observed, "conditions": conditions}}


DONE: Final = rollout("cart", 2, 2, "NewReplicaSetAvailable")
UNSEEN: Final = rollout("cart", 2, 1, "NewReplicaSetAvailable")
ROLLS: Final = rollout("cart", 2, 2, "ReplicaSetUpdated")
NEW: Final[dict[str, Any]] = {"metadata": {"namespace": "shop", "name": "cart", "generation": 1}}
FOREIGN: Final = rollout("till", 2, 1, None)


@pytest.mark.parametrize(
    ("looks", "came"),
    [
        ([[DONE]], True),
        ([[]], True),
        ([[FOREIGN, DONE]], True),
        ([[UNSEEN], [ROLLS], [DONE]], True),
        ([[NEW], [DONE]], True),
        ([[UNSEEN]], False),
        ([[ROLLS]], False),
    ],
    ids=["done", "gone", "another's", "rolls out", "new", "never seen", "never done"],
)
def test_up_waits_for_new_pods(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], looks: list[list[Any]], came: bool
) -> None:
    seen: list[str] = []

    class Looked:
        def ask(self, request: Request) -> Answer:
            seen.append(request.path)
            return Answer(200, {"items": looks[min(len(seen), len(looks)) - 1]})

    monkeypatch.setattr(unready, "PAUSE", 0.01)
    state = {
        "resources": [{}, {"inputs": manifest_of("Service", "front")}, {"inputs": manifest_of("Deployment", "cart")}]
    }
    assert unready.wait(state, Looked(), 5 if came else 0.05) is came
    said = capsys.readouterr().out
    assert said.count("waiting for the new pods of Deployment shop/cart\n") == (
        0 if looks[0][-1:] in ([], [DONE]) else 1
    )
    assert ("mesh:timeout): Deployment shop/cart" in said) is not came
    assert set(seen) == {"/apis/apps/v1/deployments"}
    if came:
        assert len(seen) == len(looks)


def test_a_stack_without_deployments_sends_no_request() -> None:
    class Unwanted:
        def ask(self, request: Request) -> Answer:
            pytest.fail(f"the cluster was asked for {request.path}")

    assert unready.wait({"resources": None}, Unwanted(), 1)
