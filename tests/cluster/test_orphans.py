"""Pods that an update would leave without a control plane."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from cluster import orphans, sidecars
from cluster.orphans import Objects
from cluster.state import StackState

PODS = "GET /api/v1/pods"
OLD, NEW = "istiod.istio-system.svc:15012", "istiod-canary.istio-system.svc:15012"


def control_plane(name: str = "istiod", port: int = 15012) -> dict[str, Any]:
    meta = {"name": name, "namespace": "istio-system"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"ports": [{"port": port}]}}


def namespace(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def workload(name: str, env: Mapping[str, str] = {}, annotations: Mapping[str, str] = {}) -> dict[str, Any]:
    variables = [{"name": key, "value": value} for key, value in env.items()]
    containers = [{"name": "app", "image": "app", "env": variables}]
    template = {
        "metadata": {"labels": {"app": name}, "annotations": dict(annotations)},
        "spec": {"containers": containers},
    }
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": {"template": template}}


def pod(owner: str, where: str = "default", env: Mapping[str, str] | None = None, **more: Any) -> dict[str, Any]:
    """A pod of a Deployment with an injected sidecar, as istiod and the API server leave it."""
    given = {"CA_ADDR": OLD} if env is None else env
    proxy = {"name": "istio-proxy", "env": [{"name": key, "value": value} for key, value in given.items()]}
    owners = [{"kind": "ReplicaSet", "name": f"{owner}-5f6d8"}]
    meta = {
        "name": f"{owner}-5f6d8-x",
        "namespace": where,
        "labels": {"app": owner, "pod-template-hash": "5f6d8", "istio.io/rev": "default"},
        "annotations": {"prometheus.io/port": "15020", "sidecar.istio.io/status": "{}"},
        "ownerReferences": owners,
    }
    return {"metadata": meta, "spec": {"containers": [proxy, {"name": "app", "image": "app"}]}, **more}


def problem(before: list[dict[str, Any]], after: list[dict[str, Any]], *running: dict[str, Any]) -> str:
    return orphans.problem(Objects.of(before), Objects.of(after), sidecars.among(running))


def test_a_changed_revision_is_refused_while_pods_ask_the_old_control_plane() -> None:
    stack = [workload("reviews-v1")]
    said = problem([control_plane(), *stack], [control_plane("istiod-canary"), *stack], pod("reviews-v1"))
    assert said.startswith(
        "1 pod would keep a sidecar without a control plane, since the update deletes the Service istio-system/istiod:"
        " default/reviews-v1-5f6d8-x. "
    )
    assert "Keep the old control plane while they move: add the new one to mesh:controlPlanes" in said
    assert "does not manage" not in said
    assert said.endswith("docs/upgrade.md")


def test_pods_of_others_are_to_be_restarted_on_the_new_control_plane() -> None:
    said = problem([control_plane()], [control_plane("istiod-canary")], pod("cart", "shop"))
    assert "shop/cart-5f6d8-x. " in said
    way = "mesh:injectedNamespaces.NAME.revision and mesh:gateways.NAME.revision, and restart the pods that this stack"
    assert f"{way} does not manage; then remove the old one" in said


def test_a_control_plane_that_goes_without_another_is_refused_with_the_way_to_take_sidecars_out() -> None:
    said = problem([control_plane()], [], pod("cart", "shop"))
    assert "kubectl label namespace NAME istio-injection- istio.io/rev-" in said
    assert "upgrade.md" not in said


@pytest.mark.parametrize(
    "env",
    [
        {"CA_ADDR": "ca.cert-manager.svc:443", "PROXY_CONFIG": json.dumps({"discoveryAddress": OLD})},
        {"CA_ADDR": "ca.cert-manager.svc:443", "PROXY_CONFIG": "{}"},
        {"CA_ADDR": "istiod.istio-system.svc.cluster.local:15012", "PROXY_CONFIG": "not json"},
        {},
    ],
    ids=["configured by it", "configured by the default", "signed by it", "unknown"],
)
def test_a_sidecar_needs_who_signs_and_who_configures_it(env: Mapping[str, str]) -> None:
    assert problem([control_plane()], [control_plane("istiod-canary")], pod("cart", "shop", env))


@pytest.mark.parametrize(
    "running",
    [
        pod("cart", "shop", {"CA_ADDR": NEW, "PROXY_CONFIG": json.dumps({"discoveryAddress": NEW})}),
        pod("cart", "shop", status={"phase": "Succeeded"}),
        pod("cart", "gone"),
        pod("removed"),
        {"metadata": {"name": "plain", "namespace": "shop"}, "spec": {"containers": [{"name": "app"}]}},
    ],
    ids=["another control plane", "ended", "its namespace goes", "its workload goes", "no sidecar"],
)
def test_pods_that_lose_nothing_do_not_matter(running: dict[str, Any]) -> None:
    before = [control_plane(), namespace("gone"), workload("removed")]
    assert problem(before, [control_plane("istiod-canary")], running) == ""


@pytest.mark.parametrize(
    ("template", "left"),
    [
        (workload("reviews-v1"), True),
        (workload("reviews-v1", annotations={"prometheus.io/port": "9080"}), True),
        (workload("reviews-v1", annotations={"mesh/injection-checksum": "new"}), False),
        (workload("reviews-v1", {"NEW": "x"}), False),
    ],
    ids=["unchanged", "annotation that injection overrides", "restarted", "changed"],
)
def test_pods_that_the_update_restarts_itself_do_not_matter(template: dict[str, Any], left: bool) -> None:
    after = [control_plane("istiod-canary"), template]
    assert bool(problem([control_plane(), workload("reviews-v1")], after, pod("reviews-v1"))) is left


@pytest.mark.parametrize(("image", "left"), [("proxy:1", True), ("proxy:2", False)])
def test_a_native_sidecar_of_a_template_counts_among_its_containers(image: str, left: bool) -> None:
    proxy = {"name": "istio-proxy", "image": image, "restartPolicy": "Always"}
    after = workload("reviews-v1")
    after["spec"]["template"]["spec"]["initContainers"] = [proxy]
    running = pod("reviews-v1")
    spec = running["spec"]
    old = next(one for one in spec["containers"] if one["name"] == "istio-proxy")
    spec["containers"].remove(old)
    spec["initContainers"] = [{**old, **proxy, "image": "proxy:1"}]
    objects = [control_plane(), workload("reviews-v1")], [control_plane("istiod-canary"), after]
    assert bool(problem(*objects, running)) is left


def test_other_services_may_go() -> None:
    assert problem([control_plane(), control_plane("grafana", 3000)], [control_plane()], pod("cart", "shop")) == ""


def test_the_state_tells_the_stacks_own_objects_from_patches_of_others() -> None:
    prefix = "urn:pulumi:dev::mesh::mesh:istio:X$kubernetes:core/v1:"
    state = StackState.of(
        {
            f"{prefix}Service::istiod": control_plane(),
            f"{prefix}Namespace::istio-system": namespace("istio-system"),
            f"{prefix}NamespacePatch::default": namespace("default"),
            "urn:pulumi:dev::mesh::pulumi:providers:kubernetes::cluster": {"context": "here"},
        }
    )
    found = orphans.recorded(state)
    assert [*found.control_planes, *found.namespaces] == [("istio-system", "istiod"), "istio-system"]
