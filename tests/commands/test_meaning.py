"""What `make upgrade` says of a stack together with what others have on its cluster."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import pytest

from cluster import proxy
from cluster.client import Answer
from cluster.errors import Unreachable
from cluster.target import OFFLINE, Target
from commands import analyze, meaning
from mesh.analysis.objects import Object
from mesh.config import loading, stack_file
from mesh.core.merge import merged
from mesh.upgrade.target import choose
from tests.cluster import standing
from tests.fake_api import TARGET, FakeApi, denied, listing
from tests.mesh.upgrade.samples import for_proxies, patches
from tests.meshes import Manifest, deployment, manifest_of, routes, service, to

ROUTES = "/apis/networking.istio.io/v1alpha3/virtualservices"
FILTERS = "/apis/networking.istio.io/v1alpha3/envoyfilters"
PODS = standing.PATHS["Pod"]
DEPLOYMENTS = standing.PATHS["Deployment"]
MIRRORED = to("cart", mirror={"host": "copy"})
ELSEWHERE = "(from the cluster, not of this stack)"


class Scene:
    """A stack with objects of `mesh:objects`, and a cluster."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.own: list[Manifest] = []
        self.answers: dict[str, Answer] = {"/version": Answer(200, {"gitVersion": "v1.33.3"})}
        self.config: dict[str, Any] = {}
        self.api = FakeApi()
        monkeypatch.setattr(analyze, "made", lambda *_: [Object.read(one, "mesh:apps.shop") for one in self.own])
        monkeypatch.setattr(Target, "named", lambda _: TARGET)
        monkeypatch.setattr(proxy, "connect", lambda _: nullcontext(self.api))

    def lines(self) -> Sequence[str]:
        self.api.answers = {f"GET {path}": answer for path, answer in self.answers.items()}
        stack = loading.load(stack_file.config({"config": {f"mesh:{k}": v for k, v in self.config.items()}}))
        return list(meaning.lines("dev", stack, choose(stack.settings, "1.30")))

    def text(self) -> str:
        return " ".join(" ".join(self.lines()).split())


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(monkeypatch)


def test_objects_of_others_are_judged_and_said_to_be_theirs(scene: Scene) -> None:
    scene.answers[ROUTES] = listing(routes("theirs", MIRRORED))
    scene.answers[FILTERS] = listing(patches(for_proxies(r"^1\.10.*")))
    text = scene.text()
    assert f"VirtualService shop/theirs http[0].mirror {ELSEWHERE}" in text
    assert f"EnvoyFilter shop/extra configPatches[0].match.proxy.proxyVersion {ELSEWHERE}" in text


def test_an_object_of_the_stack_is_judged_once_as_the_stack_will_have_it(scene: Scene) -> None:
    scene.own = [routes("cart", to("cart"))]
    scene.answers[ROUTES] = listing(routes("cart", MIRRORED))
    assert "mirror-host" not in scene.text()
    scene.own, scene.answers[ROUTES] = [routes("cart", MIRRORED)], listing(routes("cart", MIRRORED))
    (where,) = [line for line in scene.lines() if "http[0].mirror" in line]
    assert where.endswith("VirtualService shop/cart http[0].mirror (from mesh:apps.shop)")


def test_stack_and_cluster_are_judged_together(scene: Scene) -> None:
    wide = routes("wide", to("cart"), hosts=["*.example.com"])
    scene.own = [routes("narrow", to("cart"), hosts=["a.example.com"])]
    scene.answers[ROUTES] = listing(wide)
    assert "VirtualService shop/narrow hosts (from mesh:apps.shop)" in scene.text()


def test_the_age_of_an_object_of_the_stack_and_labels_that_others_set_count(scene: Scene) -> None:
    wide, narrow = (
        routes(name, to("cart"), hosts=[host])
        for name, host in (("wide", "*.example.com"), ("narrow", "a.example.com"))
    )
    scene.own = [narrow]
    born = {"metadata": {"creationTimestamp": "2021-08-01T00:00:00Z"}}
    later = {"metadata": {"creationTimestamp": "2021-08-02T00:00:00Z"}}
    scene.answers[ROUTES] = listing(merged(wide, later), merged(narrow, born))
    assert "wildcard-hosts" not in scene.text()
    scene.own = [manifest_of("Namespace", "shop"), deployment("cart", {"app": "cart"})]
    assert "native-sidecars" not in scene.text()
    scene.answers[standing.PATHS["Namespace"]] = listing(standing.namespace("shop", **{"istio-injection": "enabled"}))
    assert "native-sidecars" in scene.text()


def test_what_a_template_makes_is_not_counted_beside_it(scene: Scene) -> None:
    pod = standing.pod("shop", "cart", app="cart")
    alone = {**pod, "metadata": {**pod["metadata"], "ownerReferences": []}}
    scene.answers[standing.PATHS["Service"]] = listing(service("cart"))
    scene.answers[DEPLOYMENTS] = listing(deployment("cart", {"app": "cart"}))
    ended = {"phase": "Succeeded"}, {"completionTime": "2021-08-01T00:00:00Z"}
    for one, expected in ((pod, False), (alone, True), *(({**alone, "status": status}, False) for status in ended)):
        scene.answers[PODS] = listing(one)
        assert ("default-load-balancer" in scene.text()) is expected


def test_what_something_else_than_kubernetes_makes_counts(scene: Scene) -> None:
    owners = [{"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": "cart"}]
    scene.answers[ROUTES] = listing(merged(routes("cart", MIRRORED), {"metadata": {"ownerReferences": owners}}))
    assert "mirror-host" in scene.text()


def test_the_version_of_kubernetes_counts(scene: Scene) -> None:
    scene.answers["/version"] = Answer(200, {"gitVersion": "v1.31.2"})
    assert "Kubernetes 1.31" in scene.text()


def test_a_further_control_plane_that_the_stack_has_is_the_one_that_will_be(scene: Scene) -> None:
    scene.own = [routes("cart", MIRRORED)]
    entry: dict[str, Any] = {"release": "1.30"}
    scene.config = {"controlPlanes": {"new": entry}}
    assert "mirror-host" in scene.text()
    entry["pilot"] = {"env": {"DISABLE_SHADOW_HOST_SUFFIX": "false"}}
    assert "mirror-host" not in scene.text()


def test_old_proxies_of_others_are_named_and_those_of_the_stack_move_by_themselves(scene: Scene) -> None:
    scene.own = [deployment("cart", {"app": "cart"})]
    scene.answers[PODS] = listing(
        standing.pod("shop", "cart", standing.proxy()), standing.pod("till", "desk", standing.proxy())
    )
    text = scene.text()
    assert f"Pod till/desk-5f6d8-x {ELSEWHERE}" in text
    assert "proxies in namespace till have the image istio/proxyv2:1.10.3" in text
    assert "--namespace till" in text
    assert "shop/cart-5f6d8-x" not in text


def test_what_may_not_be_listed_is_said_in_one_line(scene: Scene) -> None:
    scene.answers |= {FILTERS: denied("envoyfilters"), PODS: denied("pods"), ROUTES: listing(routes("a", MIRRORED))}
    first, *rest = scene.lines()
    assert first == f"Not all of the cluster was checked (Pod, EnvoyFilter): {denied('pods').message}"
    assert "VirtualService shop/a" in " ".join(rest)


def test_objects_of_others_that_nobody_can_read_are_said(scene: Scene) -> None:
    scene.answers[ROUTES] = listing(routes("a", MIRRORED), merged(routes("b"), {"spec": {"http": "none"}}))
    first, *rest = scene.lines()
    assert first.startswith("Some objects of the cluster are malformed: VirtualService shop/b: http")
    assert "VirtualService shop/a" in " ".join(rest)


@pytest.mark.parametrize("offline", [True, False])
def test_a_cluster_that_cannot_be_asked_is_said_in_one_line(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, offline: bool
) -> None:
    class Silent(FakeApi):
        def ask(self, *_: Any) -> Answer:
            raise Unreachable("no\nroute")

    scene.api, scene.own = Silent(), [routes("cart", MIRRORED)]
    if offline:
        monkeypatch.setenv(OFFLINE, "1")
    first, *rest = scene.lines()
    why = f"{OFFLINE} is set, so the cluster is not asked" if offline else "the cluster does not answer: no route"
    assert first == f"The cluster was not checked: {why}"
    assert "VirtualService shop/cart" in " ".join(rest)
