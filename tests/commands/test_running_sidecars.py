"""What an update of a whole stack means for the pods that run: those of Bookinfo are injected, gateways are not."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

import cluster.sidecars
from cluster import orphans
from cluster.orphans import Objects
from commands import render, sources
from engine.recorder import Resource
from mesh.config import loading
from mesh.config.settings import Settings
from mesh.releases import manual
from mesh.review.review import Review, Source
from mesh.review.risks import sidecars

pytestmark = pytest.mark.slow

Manifest = Mapping[str, Any]

STACK = {
    "mesh:profile": "demo",
    "mesh:gatewayServiceType": "LoadBalancer",
    "mesh:injectedNamespaces": {"default": "existing"},
    "mesh:bookinfo": {"namespace": "default"},
    "mesh:context": "here",
}


def registered(**changed: Any) -> tuple[list[Resource], Settings]:
    given = {**STACK, **{f"mesh:{key}": value for key, value in changed.items()}}
    config = {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items() if value}
    compiled = loading.load(config)
    return render.record("dev", config, compiled), compiled.settings


def manifests(**changed: Any) -> tuple[Sequence[Manifest], Settings]:
    resources, settings = registered(**changed)
    return list(render.manifests(resources)), settings


def risks(old: dict[str, Any], new: dict[str, Any]) -> dict[tuple[str, str], str]:
    """The weight and reason of each risk of an update for running sidecars, by its name and object."""
    (before, _), (after, settings) = registered(**old), registered(**new)
    old_side, new_side = sources.registered(before), sources.registered(after)
    review = Review.of("dev", Source(kind="cluster", text=""), old_side, new_side, settings.mesh_names)
    names = [kind.name for kind in sidecars.RISKS]
    return {
        (risk.name, risk.object.name): f"{risk.weight}: {risk.reason}" for risk in review.risks if risk.name in names
    }


def running(objects: Sequence[Manifest], settings: Settings) -> list[Manifest]:
    """The pods of the stack's Deployments, injected as istiod would."""
    found: list[Manifest] = []
    for one in objects:
        if one["kind"] == "Deployment":
            name, place = one["metadata"]["name"], one["metadata"]["namespace"]
            whole = manual.with_sidecar(settings.installation, one) if place == "default" else one
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
    return orphans.problem(Objects.of(objects), Objects.of(manifests(**changed)[0]), cluster.sidecars.among(there))


def test_a_revision_on_a_running_stack_leaves_the_injected_pods_behind_and_no_gateway(
    before: tuple[Sequence[Manifest], list[Manifest]],
) -> None:
    said = problem(before, revision="canary")
    assert said.startswith(
        "6 pods would keep a sidecar without a control plane, since the update deletes the Service istio-system/istiod"
    )
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
    assert said.endswith(
        "Remove the gateways of this stack, too: set `enabled: false` in their entries of mesh:gateways"
    )


REMOVED, STAY = "control plane removed", "old sidecars stay"
HOLD = {"meshConfig": {"defaultConfig": {"holdApplicationUntilProxyStarts": True}}}
CUSTOM = {"injectedNamespaces": {"default": "existing", "shop": "existing"}}


def test_a_report_says_that_pods_lose_their_control_plane_as_a_high_risk() -> None:
    (reason,) = risks({}, {"revision": "canary"}).values()
    assert reason.startswith("high: 6 pods would keep a sidecar that connects to it; `up` refuses. ")
    assert "Keep the old control plane beside the new one (mesh:controlPlanes)" in reason
    assert risks({}, {"revision": "canary", "restartOnInjectionChange": True}) == {}


def test_a_report_names_namespaces_whose_pods_the_stack_does_not_know() -> None:
    reason = risks(CUSTOM, {**CUSTOM, "revision": "canary"})[REMOVED, "istiod"]
    assert reason.startswith("high: 6 pods and unknown pods in namespace shop would keep a sidecar that connects to it")
    assert "Keep the old control plane beside the new one (mesh:controlPlanes)" in reason
    assert "its pods: the old sidecar stays until a restart" in risks(CUSTOM, {**CUSTOM, **HOLD})[STAY, "shop"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (HOLD, "meshConfig.defaultConfig.holdApplicationUntilProxyStarts"),
        ({"global": {"proxy": {"holdApplicationUntilProxyStarts": True}}}, "global.proxy.holdApplication"),
        ({"global": {"proxy": {"resources": {"requests": {"cpu": "20m"}}}}}, "global.proxy.resources.requests.cpu"),
        ({"global": {"logging": {"level": "default:debug"}}}, "global.logging.level"),
        ({"meshConfig": {"trustDomain": "a.example"}}, "meshConfig.trustDomain"),
        ({"meshConfig": {"enablePrometheusMerge": False}}, "meshConfig.enablePrometheusMerge"),
        ({"meshConfig": {"defaultConfig": {"concurrency": 4}}}, "meshConfig.defaultConfig.concurrency"),
        ({"tag": "1.10.6"}, "global.tag"),
        ({"hub": "registry.example/istio"}, "global.hub"),
        ({"cni": {"enabled": True}}, "istio_cni.enabled"),
        ({"sidecarInjectorWebhook": {"injectedAnnotations": {"a/b": "c"}}}, "injectedAnnotations"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_report_counts_the_pods_that_keep_the_old_sidecar(changed: dict[str, Any], said: str) -> None:
    reason = risks({}, changed)[STAY, "default"]
    assert reason.startswith("medium: 6 pods: the old sidecar stays until a restart (changed ")
    assert said in reason
    assert "`kubectl rollout restart deployment --namespace default`, or mesh:restartOnInjectionChange: true" in reason


@pytest.mark.parametrize(
    "changed",
    [
        {"meshConfig": {"accessLogFile": "/dev/stdout"}},
        {"meshConfig": {"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}}},
        {"pilot": {"env": {"PILOT_TRACE_SAMPLING": "50"}}},
        {"sidecarInjectorWebhook": {"enableNamespacesByDefault": True}},
        {"security": {"mtls": {"mesh": "STRICT"}}},
        {**HOLD, "restartOnInjectionChange": True},
        {"injectedNamespaces": {"default": {"ownership": "existing", "injection": "manual"}}},
    ],
    ids=str,
)
def test_what_istiod_tells_running_proxies_or_pulumi_restarts_itself_is_no_risk(changed: dict[str, Any]) -> None:
    assert risks({}, changed) == {}


def test_gateways_keep_what_they_read_at_their_start() -> None:
    found = risks({}, {"meshConfig": {"defaultConfig": {"concurrency": 4}}})
    assert found[STAY, "istio-ingressgateway"] == (
        "medium: 1 pod: the old configuration stays until a restart (changed meshConfig.defaultConfig.concurrency)."
        " `kubectl rollout restart deployment istio-ingressgateway --namespace istio-system` gives the new one"
    )
    assert (STAY, "istio-ingressgateway") not in risks({}, HOLD)  # only injection reads it
    assert (STAY, "istio-ingressgateway") not in risks({}, {"tag": "1.10.6"})  # restarts itself
