"""The control planes, tags and sidecars that `make status` shows."""

from __future__ import annotations

import json
from typing import Any

from cluster.client import Answer
from commands import status_control_planes as control_planes
from mesh.config import loading
from mesh.config.stack import Stack
from tests.fake_api import FakeApi, listing, namespace

ROOT = "/namespaces/istio-system"
WEBHOOKS = "GET /apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
ENTRY = {"1-30-3": {"release": "1.30", "profile": "minimal"}}
OLD, NEW = "docker.io/istio/proxyv2:1.10.3", "registry.istio.io/release/proxyv2:1.30.3"


def stack(context: str = "here", **config: Any) -> Stack:
    return loading.load({"mesh:context": context, **{f"mesh:{key}": json.dumps(one) for key, one in config.items()}})


def deployment(ready: int, wanted: int) -> Answer:
    return Answer(200, {"spec": {"replicas": wanted}, "status": {"readyReplicas": ready}})


def injector(hub: str, tag: str) -> Answer:
    values = {"global": {"hub": hub, "tag": tag, "proxy": {"image": "proxyv2"}}}
    return Answer(200, {"data": {"values": json.dumps(values)}})


def pod(name: str, image: str = "") -> dict[str, Any]:
    proxies = [{"name": "istio-proxy", "image": image}] if image else []
    return {"metadata": {"name": name}, "spec": {"containers": [{"name": "app", "image": "app"}, *proxies]}}


class Labelled(FakeApi):
    """An API server that understands the label selectors of namespaces."""

    def ask(self, request: Any) -> Answer:
        path, _, query = request.path.partition("?labelSelector=")
        if path == "/api/v1/namespaces" and query:
            key = query.replace("%3D", "=").replace("%2F", "/").partition("=")[0]
            there = self.answers["GET /api/v1/namespaces"].body["items"]
            return listing(*(one for one in there if key in one["metadata"]["labels"]))
        return super().ask(request)


def test_a_stack_with_one_control_plane_has_no_rows() -> None:
    assert list(control_planes.rows(FakeApi(), stack())) == []


def test_each_of_several_control_planes_has_its_release_pods_and_support() -> None:
    path = "GET /apis/apps/v1/namespaces/istio-system/deployments/istiod"
    api = FakeApi({path: deployment(1, 2)})
    first, second = control_planes.rows(api, stack("mesh-dev", controlPlanes=ENTRY))
    assert first == ["default", "1.10.3", "1/2 ready", "end of life 2022-01-07", "simulated"]
    assert second[:3] == ["1-30-3", "1.30.3", "not installed"]
    assert second[4] == "real"
    assert {row[4] for row in control_planes.rows(api, stack(controlPlanes=ENTRY))} == {""}


def test_tags_are_read_from_their_webhooks() -> None:
    labels = {"istio.io/rev": "1-30-3", "istio.io/tag": "canary"}
    api = FakeApi(
        {WEBHOOKS: listing({"metadata": {"labels": labels}}, {"metadata": {"labels": {"istio.io/rev": "a"}}})}
    )
    assert control_planes.tags(api) == {"canary": "1-30-3"}


def sidecars(chosen: Stack, known: dict[str, str]) -> list[str]:
    api = Labelled(
        {
            f"GET /api/v1{ROOT}/configmaps/istio-sidecar-injector": injector("docker.io/istio", "1.10.3"),
            f"GET /api/v1{ROOT}/configmaps/istio-sidecar-injector-1-30-3": injector(
                "registry.istio.io/release", "1.30.3"
            ),
            "GET /api/v1/namespaces": listing(
                namespace("shop", **{"istio.io/rev": "canary"}),
                namespace("till", **{"istio-injection": "enabled"}),
                namespace("far", **{"istio.io/rev": "of-others"}),
                namespace("plain"),
            ),
            "GET /api/v1/namespaces/shop/pods": listing(pod("a", NEW), pod("b", OLD), pod("c")),
            "GET /api/v1/namespaces/till/pods": listing(pod("d", OLD)),
        }
    )
    return list(control_planes.sidecars(api, chosen, known))


def test_pods_are_compared_with_the_control_plane_that_would_inject_them_now() -> None:
    assert sidecars(stack(controlPlanes=ENTRY), {"canary": "1-30-3"}) == [
        f"sidecars  namespace shop: 1-30-3 by tag canary: 3 pods, 1 with {NEW}",
        f"          old: b runs {OLD}; restart it",
        "          without a sidecar: c",
        f"sidecars  namespace till: default: 1 pod, 1 with {OLD}",
    ]


def test_the_default_labels_are_those_of_the_default_tag() -> None:
    found = sidecars(stack(controlPlanes=ENTRY), {"default": "1-30-3"})
    assert f"sidecars  namespace till: 1-30-3 by tag default: 1 pod, 0 with {NEW}" in found


def test_a_stack_with_one_control_plane_names_no_revision() -> None:
    assert sidecars(stack(), {}) == [f"sidecars  namespace till: 1 pod, 1 with {OLD}"]
