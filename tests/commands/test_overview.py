"""The control planes, tags, namespaces and gateways that `make status` shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from cluster import revisions
from commands import overview, status_text
from commands.overview import Overview
from mesh.config import loading
from mesh.config.stack import Stack
from tests.cluster.standing import OLD, REV, Manifest, cluster, deployment, injector, namespace, pod, proxy, service

ENTRY = {"1-30-3": {"release": "1.30", "profile": "minimal"}}
BEFORE, NOW = "docker.io/istio/proxyv2:1.10.3", "registry.istio.io/release/proxyv2:1.30.3"
IMAGES = {"default": BEFORE, "1-30-3": NOW}
FIRST = (
    deployment("istio-system", "istiod", "docker.io/istio/pilot:1.10.3", {"app": "istiod", REV: "default"}),
    service(**{REV: "default"}),
    injector("istio-sidecar-injector", "istiod", (REV, "default"), (OLD, "enabled")),
)
SECOND = (
    deployment("istio-system", "istiod-1-30-3", "i/pilot:1.30.3", {"app": "istiod", REV: "1-30-3"}, ready=0),
    service("istiod-1-30-3", **{REV: "1-30-3"}),
    injector("istio-sidecar-injector-1-30-3", "istiod-1-30-3", (REV, "1-30-3")),
)
CANARY = injector("istio-revision-tag-canary", "istiod-1-30-3", (REV, "canary"), tag="canary")


def stack(context: str = "here", **config: Any) -> Stack:
    return loading.load({"mesh:context": context, **{f"mesh:{key}": json.dumps(one) for key, one in config.items()}})


def seen(
    *objects: Manifest,
    chosen: Stack | None = None,
    images: Mapping[str, str] = IMAGES,
    kinds: Mapping[str, str] | None = None,
) -> Overview:
    return overview.of(chosen or stack(controlPlanes=ENTRY), revisions.read(cluster(*objects)), images, kinds or {})


def text(found: Overview, **more: Any) -> list[str]:
    """The lines after the head, without those of the mesh."""
    shown = json.loads(json.dumps(overview.as_data(found)))
    where = {"context": "here", "server": "https://here", "kubernetes": "1.33"}
    mesh = {"namespace": "istio-system", "project": "mesh", "stack": "dev"}
    shown["gateways"] = [{**one, "service": None, **more} for one in shown["gateways"]]
    data = {"cluster": where, "mesh": mesh, "workloads": [], **shown, "sandbox": {}}
    return [*status_text.lines(data)][2:]


def test_control_planes_are_those_of_the_stack_and_then_others() -> None:
    theirs = [
        deployment("istio-other", f"istiod-{name}", f"i/pilot:{version}", {"app": "istiod", REV: name})
        for name, version in (("x", "1.28.0"), ("y", "1.30.1"))
    ]
    first, second, third, fourth = seen(*FIRST, *theirs).control_planes
    assert (first.revision, first.version, first.ready, first.wanted, first.own) == ("default", "1.10.3", 1, 1, True)
    assert (first.supported_until, first.supported) == ("2022-01-07", False)
    assert (second.revision, second.version, second.installed) == ("1-30-3", "1.30.3", False)
    assert (third.revision, third.version, third.own, third.supported) == ("x", "1.28.0", False, None)
    assert (fourth.own, fourth.supported_until) == (False, second.supported_until)


def test_on_an_embedded_cluster_they_are_real_or_simulated() -> None:
    found = seen(*FIRST, *SECOND, kinds={"default": "simulated"})
    assert [one.kind for one in found.control_planes] == ["simulated", ""]


def test_a_stack_with_one_control_plane_names_no_revision() -> None:
    pods = pod("shop", "cart", proxy("istiod", BEFORE)), pod("shop", "plain")
    found = seen(*FIRST, namespace("shop", **{OLD: "enabled"}), namespace("till"), *pods, chosen=stack())
    assert text(found) == [
        "control   default  1.10.3  1/1 ready  end of life 2022-01-07",
        f"sidecars  namespace shop: 2 pods, 1 with {BEFORE}",
        "          without a sidecar: plain-5f6d8-x",
    ]


def test_pods_are_compared_with_the_control_plane_that_would_inject_them_now() -> None:
    pods = (
        pod("shop", "new", proxy("istiod-1-30-3", NOW)),
        pod("shop", "old", proxy("istiod", BEFORE)),
        pod("shop", "older", proxy("istiod", BEFORE)),
    )
    found = seen(*FIRST, *SECOND, CANARY, namespace("shop", **{REV: "canary"}), *pods)
    (shop,) = found.namespaces
    assert (shop.label, shop.tag, shop.revision) == ("istio.io/rev=canary", "canary", "1-30-3")
    assert shop.versions == {"1.10.3": 2, "1.30.3": 1}
    assert text(found)[2:] == [
        "tags      canary  1-30-3",
        f"sidecars  namespace shop, by tag canary (1-30-3): 3 pods, 1 with {NOW}",
        f"          old: 2 pods run {BEFORE}; restart them: old-5f6d8-x, older-5f6d8-x",
    ]


def test_a_sidecar_of_the_same_image_is_old_if_it_asks_another_control_plane() -> None:
    one = pod("shop", "cart", proxy("istiod", NOW))
    (shop,) = seen(*FIRST, *SECOND, namespace("shop", **{REV: "1-30-3"}), one).namespaces
    assert shop.old == {"a sidecar of revision default": ["cart-5f6d8-x"]}


def test_the_default_labels_are_those_of_the_default_tag() -> None:
    tag = injector("istio-revision-tag-default", "istiod-1-30-3", (REV, "default"), (OLD, "enabled"), tag="default")
    moved = FIRST[0], FIRST[1], injector("istio-sidecar-injector", "istiod")
    found = seen(*moved, *SECOND, tag, namespace("till", **{OLD: "enabled"}))
    assert f"sidecars  namespace till, by tag default (1-30-3): 0 pods, 0 with {NOW}" in text(found)


@pytest.mark.parametrize(
    ("labels", "line"),
    [
        ({REV: "gone"}, "namespace shop, istio.io/rev=gone, which matches no control plane: 1 pod, 1 of 1.10.3"),
        ({}, "namespace shop, without a label: 1 pod, 1 of 1.10.3"),
    ],
    ids=["unanswered", "by hand"],
)
def test_sidecars_without_an_injector_are_counted_by_their_version(labels: dict[str, str], line: str) -> None:
    found = seen(*FIRST, *SECOND, namespace("shop", **labels), pod("shop", "cart", proxy("istiod", BEFORE)))
    assert text(found)[-1] == f"sidecars  {line}"


def test_where_the_image_of_new_sidecars_is_not_known_versions_are_counted() -> None:
    found = seen(*FIRST, namespace("shop", **{OLD: "enabled"}), pod("shop", "cart", proxy("istiod", "p")), images={})
    assert text(found)[-1] == "sidecars  namespace shop, by revision default: 1 pod, 1 of an unknown version"


def gateway(name: str, revision: str, image: str) -> Manifest:
    made = deployment("istio-system", name, image, {REV: revision})
    made["spec"]["template"]["spec"]["containers"] = [proxy("x", image, "router")]
    return made


def test_gateways_are_old_while_they_are_not_of_the_version_of_their_control_plane() -> None:
    found = seen(*FIRST, *SECOND, gateway("a", "1-30-3", BEFORE), gateway("b", "default", BEFORE))
    assert [one.current for one in found.gateways] == [False, True]
    service = {"type": "NodePort", "addresses": ["10.0.0.1"], "nodePorts": {"http2": 31102}}
    assert text(found, service=service)[2:] == [
        f"gateways  a  1/1 ready  {BEFORE}  1-30-3   old: its control plane has another version  NodePort  10.0.0.1"
        "  http2 31102",
        f"          b  1/1 ready  {BEFORE}  default  NodePort  10.0.0.1  http2 31102",
    ]
