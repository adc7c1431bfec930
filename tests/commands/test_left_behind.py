"""What `make up` says of pods that a move of their namespace has not moved."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cluster.client import Answer
from commands import left_behind
from mesh.config import loading
from mesh.config.settings import Settings
from tests.cluster.standing import OLD, REV, Manifest, cluster, injector, namespace, pod, proxy, service

ENTRY = {"1-30-3": {"release": "1.30", "profile": "minimal"}}
MESH = (
    service(**{REV: "default"}),
    service("istiod-1-30-3", **{REV: "1-30-3"}),
    injector("istio-sidecar-injector", "istiod", (REV, "default"), (OLD, "enabled")),
    injector("istio-sidecar-injector-1-30-3", "istiod-1-30-3", (REV, "1-30-3")),
    namespace("shop", **{REV: "1-30-3"}),
)
STATE = {
    "resources": [
        {"inputs": {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "cart", "namespace": "shop"}}}
    ]
}


def settings(**config: Any) -> Settings:
    given = {"mesh:context": "here", "mesh:injectedNamespaces": json.dumps({"shop": "create"})}
    return loading.load({**given, **{f"mesh:{key}": json.dumps(one) for key, one in config.items()}}).settings


SEVERAL = settings(controlPlanes=ENTRY)


def said(capsys: pytest.CaptureFixture[str], *found: Manifest, chosen: Settings = SEVERAL, **answers: Answer) -> str:
    left_behind.announce(STATE, cluster(*MESH, *found, **answers), chosen)
    return capsys.readouterr().out


def test_workloads_of_others_are_named_with_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    theirs = [pod("shop", "till", proxy()), pod("shop", "store", proxy(), kind="StatefulSet")]
    assert said(capsys, *theirs, pod("shop", "once", proxy(), kind="Job")).splitlines() == [
        "namespace shop: 3 pods that the stack does not manage stay with control plane default until restarted:",
        "  kubectl rollout restart deployment/till statefulset/store --namespace shop --context here",
        "  no workload restarts once-5f6d8-x: delete and recreate",
    ]


def test_one_pod_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, pod("shop", "till", proxy()))
    assert text.startswith(
        "namespace shop: 1 pod that the stack does not manage stays with control plane default until restarted:\n"
    )


def test_pods_of_the_stack_and_those_that_have_moved_are_not(capsys: pytest.CaptureFixture[str]) -> None:
    moved, own = pod("shop", "till", proxy("istiod-1-30-3")), pod("shop", "cart", proxy())
    assert said(capsys, moved, own, pod("bank", "teller", proxy()), pod("shop", "plain")) == ""


def test_a_stack_with_one_control_plane_does_not_ask(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, pod("shop", "till", proxy()), chosen=settings()) == ""
    tags = settings(controlPlanes=ENTRY, revisionTags={"canary": "1-30-3"})
    assert said(capsys, pod("shop", "till", proxy()), chosen=tags)


def test_what_cannot_be_read_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    forbidden = Answer(403, {"message": "pods is forbidden"})
    assert said(capsys, Pod=forbidden).startswith("pods that the stack does not manage could not be checked: ")
