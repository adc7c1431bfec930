"""Control planes of two releases on one embedded cluster: 1.10, which is simulated, and Istio's own 1.30. Each test
continues from the previous one."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from tests.e2e.conftest import Checkout
from tests.e2e.live import soon

NEW: Final = "1-30-3"
FIRST, SECOND = "docker.io/istio/proxyv2:1.10.3", "registry.istio.io/release/proxyv2:1.30.3"


def app(namespace: str) -> dict[str, Any]:
    labels = {"app": "web"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"selector": {"matchLabels": labels}, "template": pod},
    }


def route(weight: int) -> dict[str, Any]:
    destination = {"destination": {"host": "web"}, "weight": weight}
    return {
        "apiVersion": "networking.istio.io/v1beta1",
        "kind": "VirtualService",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"hosts": ["web"], "http": [{"route": [destination]}]},
    }


def proxies(checkout: Checkout, namespace: str) -> dict[str, str]:
    """The image of each pod's sidecar, empty without one."""
    found = json.loads(checkout.kubectl("get", "pods", f"--namespace={namespace}", "--output=json"))["items"]
    return {
        pod["metadata"]["name"]: "".join(
            one["image"]
            for one in (*pod["spec"]["containers"], *pod["spec"].get("initContainers", ()))
            if one["name"] == "istio-proxy"
        )
        for pod in found
    }


def refused_pods(checkout: Checkout) -> str:
    """What the API server has said of pods that it did not create."""
    return checkout.kubectl(
        "get", "events", "--all-namespaces", "--field-selector=reason=FailedCreate", "--output=name"
    )


def injected(checkout: Checkout, name: str) -> str:
    """The sidecar of a new pod in the namespace with the label of the tag; empty if it is refused."""
    checkout.kubectl("run", name, "--image=web", "--namespace=tagged", code=None)
    return proxies(checkout, "tagged").get(name, "")


@pytest.fixture(scope="module")
def before(checkout: Checkout) -> set[str]:
    """The objects on the cluster before the installation."""
    checkout.make("sandbox")
    return checkout.objects()


@pytest.mark.usefixtures("before")
def test_a_control_plane_without_a_program_is_simulated_and_injects(checkout: Checkout) -> None:
    checkout.small(objects=[app("shop")], injectedNamespaces={"shop": "create"}, timeout=60)
    checkout.make("up")
    assert set(proxies(checkout, "shop").values()) == {FIRST}
    text = checkout.make("status")
    assert "simulated, it injects and validates as its release does" in text
    assert f"sidecars  namespace shop: 1 pod, 1 with {FIRST}" in text


def test_the_second_control_plane_is_real_and_the_pods_of_the_first_stay(checkout: Checkout) -> None:
    old = proxies(checkout, "shop")
    checkout.set(
        controlPlanes={NEW: {"release": "1.30", "profile": "minimal"}},
        objects=[app("shop"), app("fresh")],
        injectedNamespaces={"shop": "create", "fresh": {"ownership": "create", "revision": NEW}},
        revisionTags={"canary": "default"},
    )
    checkout.make("up")
    assert proxies(checkout, "shop") == old
    assert set(proxies(checkout, "fresh").values()) == {SECOND}
    assert refused_pods(checkout) == "", "both are injected at the first attempt"
    text = checkout.make("status")
    assert f"revision {NEW}: process" in text
    assert "built from Istio's sources" in text
    assert "revision default: process" in text


def test_the_simulated_one_validates(checkout: Checkout) -> None:
    checkout.apply(route(100))
    file = checkout.root.parent / "wrong.json"
    file.write_text(json.dumps(route(-3)))
    said = checkout.kubectl("apply", "--filename", str(file), code=None)
    assert 'admission webhook "validation.istio.io" denied the request: configuration is invalid: http[0].route' in said
    checkout.kubectl("delete", "virtualservice", "web", "--namespace=shop")


def test_a_tag_leads_to_either_control_plane_and_back(checkout: Checkout) -> None:
    labels = {"istio.io/rev": "canary"}
    checkout.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "tagged", "labels": labels}})
    assert injected(checkout, "first") == FIRST
    for name, revision, image in (("second", NEW, SECOND), ("third", "default", FIRST)):
        checkout.set(revisionTags={"canary": revision})
        checkout.make("up")
        soon(lambda name=name, image=image: injected(checkout, name) == image)  # type: ignore[misc]
    checkout.kubectl("delete", "namespace", "tagged")


def test_down_leaves_nothing_of_either(checkout: Checkout, before: set[str]) -> None:
    checkout.make("down")
    assert checkout.objects() == before
