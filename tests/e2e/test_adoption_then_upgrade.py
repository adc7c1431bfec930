"""An Istio that others installed with kubectl is adopted, and goes the road to 1.30 like any other, with pods of the
stack and of somebody else. Each test continues from the previous one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from commands.parity.intended import DEFAULT_TAG
from mesh import releases
from tests.e2e import proxies
from tests.e2e.conftest import ANSWERS, DEFAULT_RELEASE, NO_CHANGES, Checkout
from tests.e2e.test_adoption import installed, rendered
from tests.meshes import deployment
from tests.parity import istio, ours

pytestmark = [DEFAULT_RELEASE, pytest.mark.long]
NEXT: Final = ("upgrade", "TO=1.30", "APPLY=1")
FIRST, SECOND = f"{ours.HUB}/proxyv2:1.10.3", f"{ours.HUB}/proxyv2:1.30.3"
SHOP: Final = "--namespace=shop"
THEIRS: Final = "deployment/till"
"""What the stack does not have."""


def names(objects: set[str]) -> set[tuple[str, ...]]:
    """Kind, namespace and name of objects. When Istio's own are adopted, they get other labels, and istiod's pod is
    replaced (docs/adoption.md)."""
    found = {tuple(line.split()[:3]) for line in objects}
    return {one for one in found if one[0] not in ("Pod", "ReplicaSet")}


def take(checkout: Checkout, step: str) -> str:
    """Takes the next step, which is to be this one; returns what the update says."""
    assert f"next step: {step}\n" in checkout.make(*NEXT)
    return checkout.make("up")


@pytest.fixture(scope="module")
def foreign(checkout: Checkout, before: set[str]) -> set[str]:
    """The objects on the cluster after somebody has installed Istio 1.10.3 and an app: what Istio itself produces if it
    is at hand, else what the stack would."""
    assert before
    namespace = {"name": "shop", "labels": {"istio-injection": "enabled"}}
    checkout.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": namespace})
    checkout.small(
        hub=ours.HUB,
        injectedNamespaces={"shop": "existing"},
        objects=[deployment("cart", {"app": "cart"}), deployment("store", {"app": "store"})],
    )
    folder = istio.folder(releases.get(checkout.as_cloned.settings.release))
    if folder:
        install_reference(checkout, folder)
        checkout.apply(deployment("cart", {"app": "cart"}), deployment("store", {"app": "store"}))
    else:
        checkout.install(checkout.rendered(checkout.stack))
    checkout.apply(deployment("till", {"app": "till"}))
    checkout.kubectl("wait", "--for=condition=Available", "deployment", "--all", "--all-namespaces", "--timeout=60s")
    return checkout.objects()


def install_reference(checkout: Checkout, folder: Path) -> None:
    """Applies Istio's own objects of the profile `minimal`."""
    definitions = list(installed(checkout, folder / "crds.yaml"))
    checkout.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "istio-system"}}, *definitions)
    checkout.kubectl("wait", "--for=condition=Established", "customresourcedefinitions", "--all", "--timeout=60s")
    tag = [manifest for (_, name), manifest in rendered(checkout).items() if name in DEFAULT_TAG]
    checkout.apply(*tag, *installed(checkout, folder / "profiles" / "minimal.yaml"))
    checkout.kubectl("wait", *ANSWERS, "--timeout=60s")


def test_an_istio_of_others_is_adopted_and_no_pod_of_the_mesh_restarts(checkout: Checkout, foreign: set[str]) -> None:
    pods = proxies.images(checkout, "shop")
    assert list(pods.values()) == [FIRST] * 3
    assert "adopted: " in checkout.make("adopt")
    assert proxies.images(checkout, "shop") == pods
    assert names(checkout.objects()) == names(foreign)


def test_the_new_control_plane_comes_beside_the_adopted_one(checkout: Checkout) -> None:
    pods = proxies.images(checkout, "shop")
    take(checkout, "definitions")
    take(checkout, "control plane")
    assert proxies.images(checkout, "shop") == pods


def test_the_adopted_workloads_move_and_those_of_others_are_named(checkout: Checkout) -> None:
    text = take(checkout, "canary namespace")
    assert f"kubectl rollout restart {THEIRS} {SHOP.replace('=', ' ')} --context mesh-dev" in text
    assert Counter(proxies.images(checkout, "shop").values()) == {SECOND: 2, FIRST: 1}
    take(checkout, "default tag")


def test_the_adopted_control_plane_goes_when_nobody_asks_it(checkout: Checkout) -> None:
    assert "next step: old control plane\n" in checkout.make(*NEXT)
    assert "shop/till-" in checkout.make("up", code=2), "it asks the old control plane"
    checkout.kubectl("get", "deployment/istiod", "--namespace=istio-system")
    checkout.kubectl("rollout", "restart", THEIRS, SHOP)
    checkout.kubectl("rollout", "status", THEIRS, SHOP, "--timeout=60s")
    pods = proxies.images(checkout, "shop")
    checkout.make("up")
    assert proxies.images(checkout, "shop") == pods
    assert list(pods.values()) == [SECOND] * 3
    left = checkout.kubectl("get", "deployments", "--namespace=istio-system", "--output=name").split()
    assert left == ["deployment.apps/istiod-1-30-3"]
    checkout.make("preview", NO_CHANGES)


def test_down_waits_for_the_pods_of_others_and_leaves_no_istio(checkout: Checkout, before: set[str]) -> None:
    assert "shop/till-" in checkout.make("down", code=2)
    checkout.kubectl("delete", THEIRS, SHOP)
    checkout.make("down")
    left = names(checkout.objects()) - names(before)
    # The stack has neither the namespace nor IstioOperator's definition, which Istio itself installs.
    assert {one for one in left if "shop" not in one and not one[2].endswith("install.istio.io")} == set()
    assert ("Namespace", "<none>", "shop") in left
