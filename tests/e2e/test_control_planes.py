"""A second control plane in a stack, a move of a namespace to it, and the way back: that of 1.10 is simulated on the
embedded cluster, that of 1.30 is Istio's own. Each test continues from the previous one; test_upgrade.py goes the whole
road."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from tests.e2e import proxies
from tests.e2e.conftest import NO_CHANGES, Checkout
from tests.e2e.live import soon
from tests.meshes import deployment

NEW: Final = "1-30-3"
ENTRY: Final = {NEW: {"release": "1.30", "profile": "minimal"}}
FIRST, SECOND = "docker.io/istio/proxyv2:1.10.3", "registry.istio.io/release/proxyv2:1.30.3"
TAGGED: Final = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "tagged", "labels": {"istio.io/rev": "canary"}},
}
"""A namespace of somebody else that asks by a tag."""
QUOTA: Final = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "full", "namespace": "shop"},
    "spec": {"hard": {"pods": "3"}},
}


def route(weight: int) -> dict[str, Any]:
    return {
        "apiVersion": "networking.istio.io/v1beta1",
        "kind": "VirtualService",
        "metadata": {"name": "cart", "namespace": "shop"},
        "spec": {"hosts": ["cart"], "http": [{"route": [{"destination": {"host": "cart"}, "weight": weight}]}]},
    }


def shop(revision: str) -> dict[str, Any]:
    return {"shop": {"ownership": "create", "revision": revision}} if revision else {"shop": "create"}


def changed(checkout: Checkout) -> set[str]:
    """What the next update would do, as the preview says: operation and name."""
    steps = checkout.preview()["steps"]
    return {f"{one['op']} {one['urn'].rpartition('::')[2]}" for one in steps if one["op"] != "same"}


def pods(checkout: Checkout) -> Mapping[str, str]:
    """The revision in the annotation of each pod of the shop, by pod."""
    found = json.loads(checkout.kubectl("get", "pods", "--namespace=shop", "--output=json"))["items"]
    notes = {one["metadata"]["name"]: one["metadata"].get("annotations") or {} for one in found}
    return {name: note.get("mesh/revision", "") for name, note in notes.items()}


def by_tag(checkout: Checkout, name: str) -> str:
    """The sidecar of a new pod in the tagged namespace; empty if it is refused."""
    checkout.kubectl("run", name, "--image=web", "--namespace=tagged", code=None)
    found = proxies.images(checkout, "tagged")
    return next((image for (pod, _), image in found.items() if pod == name), "")


def test_definitions_and_a_second_control_plane_touch_nothing_else(checkout: Checkout) -> None:
    objects = [deployment(name, {"app": name}) for name in ("cart", "store", "till")]
    objects[-1]["kind"] = "StatefulSet"
    checkout.small(objects=objects, injectedNamespaces=shop(""), timeout=60)
    checkout.make("up")
    before = pods(checkout)
    assert set(proxies.images(checkout, "shop").values()) == {FIRST}
    checkout.set(controlPlanes=ENTRY, revisionTags={"canary": "default"})
    new = (NEW, "canary")
    others = {
        one for one in changed(checkout) if not one.endswith(".istio.io") and not any(name in one for name in new)
    }
    assert others == {"update istiod-istio-system"}  # the validator, which is not asked for the new versions
    checkout.make("up")
    name = "virtualservices.networking.istio.io"
    served = checkout.kubectl("get", "crd", name, "--output=jsonpath={.spec.versions[?(@.served)].name}")
    assert set(served.split()) == {"v1", "v1beta1", "v1alpha3"}
    assert pods(checkout) == before
    checkout.make("preview", NO_CHANGES)
    checkout.apply(TAGGED)
    assert by_tag(checkout, "first") == FIRST


def test_the_simulated_control_plane_validates(checkout: Checkout) -> None:
    checkout.apply(route(100))
    file = checkout.root.parent / "wrong.json"
    file.write_text(json.dumps(route(-3)))
    said = checkout.kubectl("apply", "--filename", str(file), code=None)
    assert 'admission webhook "validation.istio.io" denied the request: configuration is invalid: http[0].route' in said
    checkout.kubectl("delete", "virtualservice", "cart", "--namespace=shop")


def test_a_move_whose_pods_do_not_get_ready_is_taken_back(checkout: Checkout) -> None:
    before = pods(checkout)
    checkout.apply(QUOTA)
    checkout.set(injectedNamespaces=shop(NEW), timeout=6)
    text = checkout.make("up", code=None)
    (stuck,) = set(re.findall(r"Deployment shop/(\S+) got no ready pods within 6 s .*exceeded quota", text))
    assert "It has its old pods again" in text
    (other,) = {"cart", "store"} - {stuck}
    assert f"{other} stays where it is, since {stuck} could not be moved" in re.sub(r"shop/", "", text) or (
        f"moving shop/{other}" in text
    )
    assert all(pods(checkout)[name] == "" for name in before if name in pods(checkout) and name.startswith(stuck))
    checkout.kubectl("rollout", "status", f"deployment/{stuck}", "--namespace=shop", "--timeout=30s")


def test_the_next_update_moves_what_is_left_one_after_another(checkout: Checkout) -> None:
    checkout.kubectl("delete", "resourcequota", "full", "--namespace=shop")
    checkout.set(timeout=60, revisionTags={"canary": NEW})
    checkout.make("up")
    assert set(pods(checkout).values()) == {NEW}
    assert [*proxies.images(checkout, "shop").values()] == [SECOND] * 3
    assert soon(lambda: by_tag(checkout, "second")) == SECOND
    label = checkout.kubectl("get", "namespace", "shop", r"--output=jsonpath={.metadata.labels.istio\.io/rev}")
    assert label == NEW
    checkout.make("preview", NO_CHANGES)


def test_the_way_back_is_the_same_road(checkout: Checkout) -> None:
    checkout.set(injectedNamespaces=shop(""), revisionTags={"canary": "default"})
    checkout.make("up")
    assert set(pods(checkout).values()) == {""}
    assert set(proxies.images(checkout, "shop").values()) == {FIRST}
    assert soon(lambda: by_tag(checkout, "third")) == FIRST
    checkout.kubectl("delete", "namespace", "tagged")


def test_definitions_do_not_go_down_and_the_control_plane_does(checkout: Checkout) -> None:
    checkout.set(controlPlanes=None, revisionTags=None)
    text = checkout.make("up", code=None)
    assert '`mesh:base: { release: "1.30" }` keeps them' in text
    checkout.set(base={"release": "1.30"})
    checkout.make("up")
    services = checkout.kubectl("get", "services", "--namespace=istio-system", "--output=name").split()
    assert services == ["service/istiod"]
    checkout.make("preview", NO_CHANGES)
    checkout.make("down")
