"""What an update of a whole stack means for the pods that run: those of Bookinfo are injected, gateways are not."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from cluster import orphans
from cluster.orphans import Objects
from commands import render
from components import meshconfig
from mesh.config import loading
from mesh.config.settings import Settings
from tests.fake_api import FakeApi, listing

Manifest = Mapping[str, Any]

STACK = {
    "mesh:profile": "demo",
    "mesh:gatewayServiceType": "LoadBalancer",
    "mesh:injectedNamespaces": {"default": "existing"},
    "mesh:bookinfo": {"namespace": "default"},
    "mesh:context": "here",
}


def manifests(**changed: Any) -> tuple[Sequence[Manifest], Settings]:
    given = {**STACK, **{f"mesh:{key}": value for key, value in changed.items()}}
    config = {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items() if value}
    compiled = loading.load(config)
    return list(render.manifests(render.record("dev", config, compiled))), compiled.settings


def running(objects: Sequence[Manifest], settings: Settings) -> list[Manifest]:
    """The pods of the stack's Deployments, injected as istiod would."""
    found = []
    for one in objects:
        if one["kind"] == "Deployment":
            name, place = one["metadata"]["name"], one["metadata"]["namespace"]
            whole = meshconfig.with_sidecar(settings.installation, one) if place == "default" else one
            template = whole["spec"]["template"]
            owners = [{"kind": "ReplicaSet", "name": f"{name}-1"}]
            meta = {"name": f"{name}-1-x", "namespace": place, "ownerReferences": owners}
            found.append({**template, "metadata": {**template["metadata"], **meta}})
    return found


@pytest.fixture(scope="module")
def before() -> tuple[Sequence[Manifest], list[Manifest]]:
    objects, settings = manifests()
    return objects, running(objects, settings)


def problem(before: tuple[Sequence[Manifest], list[Manifest]], **changed: Any) -> str:
    objects, there = before
    api = FakeApi({"GET /api/v1/pods": listing(*there)})
    return orphans.problem(Objects.of(objects), Objects.of(manifests(**changed)[0]), api)


def test_a_revision_on_a_running_stack_leaves_the_injected_pods_behind_and_no_gateway(
    before: tuple[Sequence[Manifest], list[Manifest]],
) -> None:
    said = problem(before, revision="canary")
    assert said.startswith("6 pods would keep a sidecar without a control plane, since the Service istio-system/istiod")
    assert "productpage-v1" in said
    assert "gateway" not in said.partition(". ")[0]


@pytest.mark.parametrize(
    "changed",
    [
        {"revision": "canary", "restartOnInjectionChange": True},
        {"meshConfig": {"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}}},
        {"tag": "1.10.6"},
        {"profile": "default"},
    ],
    ids=lambda changed: ", ".join(changed),
)
def test_an_update_that_leaves_a_control_plane_to_every_pod_is_not_refused(
    before: tuple[Sequence[Manifest], list[Manifest]], changed: dict[str, Any]
) -> None:
    assert problem(before, **changed) == ""


def test_a_stack_without_its_control_plane_takes_its_own_pods_along_but_not_those_of_others(
    before: tuple[Sequence[Manifest], list[Manifest]],
) -> None:
    gateways = {name: {"enabled": False} for name in ("istio-ingressgateway", "istio-egressgateway")}
    gone = {"pilot": {"enabled": False}, "bookinfo": None, "injectedNamespaces": None, "gateways": gateways}
    gone["gatewayServiceType"] = None
    objects, there = before
    assert problem(before, **gone) == ""
    reviews = next(pod for pod in there if pod["metadata"]["name"].startswith("reviews-v1"))
    theirs = {**reviews, "metadata": {**reviews["metadata"], "name": "cart", "namespace": "shop"}}
    assert "1 pod would keep a sidecar" in problem((objects, [*there, theirs]), **gone)
    del gone["gateways"]
    said = problem(before, **gone)
    assert "2 pods would keep" in said
    assert said.endswith("Take those of this stack out of it, too: `enabled: false` of their entry in mesh:gateways")
