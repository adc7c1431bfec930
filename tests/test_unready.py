"""Why objects are not ready, in the words of a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from commands import unready
from components import cluster
from components.cluster import ClusterError, Target

AT = Target("here", "https://here")
DEPLOYMENT = "/apis/apps/v1/namespaces/shop/deployments/cart"
PODS = "/api/v1/namespaces/shop/pods?labelSelector=app=cart"
SERVICE = "/api/v1/namespaces/shop/services/cart"


def said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kind: str, answers: Mapping[str, Any]
) -> str:
    def get(_: Target, path: str) -> Any:
        if path not in answers:
            raise ClusterError(f"no {path}")
        return answers[path]

    monkeypatch.setattr(cluster, "get", get)
    resource = {"inputs": {"kind": kind, "metadata": {"namespace": "shop", "name": "cart"}}}
    unready.explain({"resources": [{"inputs": {}}, resource]}, AT)
    return capsys.readouterr().out


def deployment(**status: Any) -> dict[str, Any]:
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "cart"}}}
    return {"metadata": {"namespace": "shop"}, "spec": spec, "status": status}


def test_pods_that_cannot_be_created_are_explained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failure = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: full"}
    answers = {DEPLOYMENT: deployment(conditions=[failure]), PODS: {"items": []}}
    text = said(monkeypatch, capsys, "Deployment", answers)
    assert text == "Deployment shop/cart is not ready: exceeded quota: full\n"


def test_containers_that_do_not_start_are_explained_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
    pod = {"status": {"containerStatuses": [{"name": "cart", "state": waiting}]}}
    answers = {DEPLOYMENT: deployment(updatedReplicas=1, unavailableReplicas=1), PODS: {"items": [pod, pod]}}
    text = said(monkeypatch, capsys, "Deployment", answers)
    assert text == "Deployment shop/cart is not ready: container cart: ImagePullBackOff: no such image\n"


def test_a_load_balancer_without_an_address_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service = {"spec": {"type": "LoadBalancer"}, "status": {"loadBalancer": {}}}
    assert "nobody has given" in said(monkeypatch, capsys, "Service", {SERVICE: service})


@pytest.mark.parametrize(
    ("kind", "answers"),
    [
        ("Deployment", {DEPLOYMENT: deployment(updatedReplicas=1, availableReplicas=1)}),
        ("Service", {SERVICE: {"spec": {"type": "ClusterIP"}, "status": {"loadBalancer": {}}}}),
        ("Deployment", {}),
    ],
    ids=["available", "no load balancer", "not there"],
)
def test_what_is_ready_or_gone_is_not_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kind: str, answers: Mapping[str, Any]
) -> None:
    assert said(monkeypatch, capsys, kind, answers) == ""
