"""What stands on a cluster: control planes, tags, namespaces, pods and gateways."""

from __future__ import annotations

import pytest

from cluster import revisions
from cluster.client import Answer
from cluster.errors import Refused
from cluster.injectors import Label
from cluster.revisions import Deployed
from tests.cluster.standing import (
    INJECT,
    OLD,
    PATHS,
    REV,
    cluster,
    deployment,
    injector,
    namespace,
    pod,
    proxy,
    service,
)
from tests.fake_api import denied

ISTIOD = {"app": "istiod"}
MESH = (
    deployment("istio-system", "istiod", "istio/pilot:1.10.3", {**ISTIOD, REV: "default"}),
    deployment("istio-system", "istiod-b", "istio/pilot:1.30.3-distroless", {**ISTIOD, REV: "b"}, ready=0),
    service(**{REV: "default"}),
    service("istiod-b", **{REV: "b"}),
    service("istiod-revision-tag-canary", **{REV: "b", "istio.io/tag": "canary"}),
    injector("istio-sidecar-injector", "istiod", (REV, "default"), (OLD, "enabled"), pods=((INJECT, "true"),)),
    injector("istio-sidecar-injector-b", "istiod-b", (REV, "b")),
    injector("istio-revision-tag-canary", "istiod-b", (REV, "canary"), tag="canary"),
)


def test_control_planes_have_their_revision_version_and_ready_pods() -> None:
    found = revisions.read(cluster(*MESH, deployment("default", "cart", "cart:1"))).control_planes
    assert [(one.revision, one.version, one.ready, one.wanted) for one in found] == [
        ("default", "1.10.3", 1, 1),
        ("b", "1.30.3", 0, 1),
    ]


def test_services_and_tags_lead_to_revisions() -> None:
    found = revisions.read(cluster(*MESH))
    assert {name: revision for (_, name), revision in found.services.items()} == {
        "istiod": "default",
        "istiod-b": "b",
        "istiod-revision-tag-canary": "b",
    }
    assert found.tags == {"canary": "b"}


@pytest.mark.parametrize(
    ("labels", "label", "revision"),
    [
        ({OLD: "enabled"}, Label(OLD, "enabled"), "default"),
        ({REV: "canary"}, Label(REV, "canary"), "b"),
        ({OLD: "enabled", REV: "canary"}, Label(OLD, "enabled"), "default"),
        ({REV: "gone"}, Label(REV, "gone"), ""),
        ({OLD: "disabled", REV: "canary"}, None, ""),
        ({}, None, ""),
    ],
    ids=["default", "tag", "both", "nothing answers", "disabled", "none"],
)
def test_a_namespace_has_its_label_as_it_is_written_and_what_it_leads_to(
    labels: dict[str, str], label: Label | None, revision: str
) -> None:
    found = revisions.read(cluster(*MESH, namespace("shop", **labels))).namespaces["shop"]
    assert (found.label, found.revision) == (label, revision)


def test_the_webhook_of_somebody_else_with_the_same_label_injects_no_sidecar() -> None:
    theirs = injector("policy", "policies", (REV, "vendor"))
    theirs["webhooks"][0]["name"] = "policy.example"
    found = revisions.read(cluster(*MESH, theirs, namespace("shop", **{REV: "vendor"})))
    assert found.namespaces["shop"].revision == ""


def test_pods_have_the_control_plane_that_they_ask_and_ended_ones_do_not_count() -> None:
    done = {**pod("shop", "done", proxy("istiod-b")), "status": {"phase": "Succeeded"}}
    pods = pod("shop", "cart", proxy("istiod-b", "istio/proxyv2:1.30.3")), pod("shop", "plain"), done
    found = revisions.read(cluster(*MESH, *pods))
    (one,) = found.sidecars["shop"]
    assert (found.asked_by(one), revisions.version(one.image), len(found.pods)) == ("b", "1.30.3", 2)


def test_gateways_are_told_from_workloads_whose_sidecar_is_added_by_hand() -> None:
    by_hand = deployment("shop", "cart", "cart:1")
    by_hand["spec"]["template"]["spec"]["containers"].append(proxy())
    own = deployment("istio-system", "in", "istio/proxyv2:1.10.3", {REV: "default"})
    own["spec"]["template"]["spec"]["containers"] = [proxy("istiod", "istio/proxyv2:1.10.3", "router")]
    injected = deployment("edge", "out", "auto")
    injected["spec"]["template"]["spec"]["containers"] = [{"name": "istio-proxy", "image": "auto"}]
    running = pod("edge", "out", proxy("istiod-b", "istio/proxyv2:1.30.3", "router"))
    del running["spec"]["containers"][0]
    found = revisions.read(cluster(*MESH, by_hand, own, injected, running))
    assert found.gateways == [
        Deployed(("istio-system", "in"), "default", "istio/proxyv2:1.10.3", 1, 1),
        Deployed(("edge", "out"), "", "istio/proxyv2:1.30.3", 1, 1),
    ]
    assert "edge" not in found.sidecars


def test_a_new_pod_has_the_labels_of_its_template_and_not_those_that_injection_added() -> None:
    cart = deployment("shop", "cart", "cart:1", {"app": "cart"})
    of_template = pod("shop", "cart", proxy(), app="cart", **{REV: "default"})
    alone = pod("shop", "store", proxy(), kind="StatefulSet", app="store", **{REV: "default"})
    alone["metadata"]["annotations"] = {"sidecar.istio.io/status": "{}"}
    tagged = pod("shop", "till", proxy(), kind="StatefulSet", **{REV: "canary"})
    tagged["metadata"]["annotations"] = {"sidecar.istio.io/status": "{}"}
    found = revisions.read(cluster(*MESH, cart))
    assert [found.labels_of_new_pod(one) for one in (of_template, alone, tagged)] == [
        {"app": "cart"},
        {"app": "store"},
        {REV: "canary"},
    ]


def test_it_takes_one_request_for_each_kind() -> None:
    api = cluster(*MESH)
    revisions.read(api)
    assert sorted(one.path.partition("?")[0] for one in api.asked) == sorted(PATHS.values())


def test_what_may_not_be_listed_is_said() -> None:
    with pytest.raises(Refused, match="deployments is forbidden"):
        revisions.read(cluster(Deployment=denied("deployments")))
    with pytest.raises(Refused, match="pods is forbidden"):
        revisions.read(cluster(Pod=denied("pods"), Service=Answer(200)))


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("docker.io/istio/pilot:1.10.3", "1.10.3"),
        ("registry.example:5000/istio/proxyv2:v1.30-debug", "1.30"),
        ("registry.example:5000/istio/proxyv2:1.30.3@sha256:abc", "1.30.3"),
        ("istio/proxyv2@sha256:1.2", ""),
        ("registry.example:5000/istio/proxyv2", ""),
        ("istio/proxyv2:prod-7", ""),
        ("auto", ""),
    ],
)
def test_the_version_of_an_image_is_that_of_its_tag(image: str, version: str) -> None:
    assert revisions.version(image) == version
