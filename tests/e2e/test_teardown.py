"""`make down`: which objects of others are protected, in which situations it works, and what is left. Each test
continues from the previous one."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.e2e.conftest import DEFAULT_RELEASE, SECOND_IS_LONG, Checkout, counts

SHOP = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
ROUTE = {
    "apiVersion": "networking.istio.io/v1beta1",
    "kind": "VirtualService",
    "metadata": {"name": "cart", "namespace": "shop"},
    "spec": {"hosts": ["cart"], "http": [{"route": [{"destination": {"host": "cart"}}]}]},
}


def cart(*containers: dict[str, Any]) -> dict[str, Any]:
    """A workload that the stack did not create."""
    labels = {"app": "cart"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "cart", "image": "cart"}, *containers]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "cart", "namespace": "shop"},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": pod},
    }


def sidecar(authority: str) -> dict[str, Any]:
    return {"name": "istio-proxy", "image": "proxyv2", "env": [{"name": "CA_ADDR", "value": authority}]}


def trace(namespace: str) -> dict[str, Any]:
    metadata = {"name": "istio-ca-root-cert", "namespace": namespace}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "data": {"root-cert.pem": "of a dead istiod"},
    }


@SECOND_IS_LONG
@pytest.mark.usefixtures("before")
def test_down_refuses_to_orphan_sidecars_or_delete_custom_resources_of_others(
    checkout: Checkout,
) -> None:
    checkout.set(addons=None, analysis=None)
    checkout.make("up")
    checkout.apply(SHOP, cart(sidecar("istiod.istio-system.svc:15012")), ROUTE)
    checkout.kubectl("rollout", "status", "deployment/cart", "--namespace=shop", "--timeout=60s")
    present = checkout.objects()
    text = checkout.make("down", code=None)
    assert re.search(r"1 pod would keep a sidecar without a control plane: shop/cart-\S+\.", text)
    assert "1 custom resource that the stack did not create would be deleted" in text
    assert "VirtualService shop/cart" in text
    assert "productpage" not in text
    assert "make down FORCE=1" in text
    assert checkout.objects() == present


@DEFAULT_RELEASE
def test_sidecars_of_another_mesh_do_not_prevent_down(checkout: Checkout) -> None:
    checkout.apply(cart(sidecar("istiod.other-mesh.svc:15012")))
    checkout.kubectl("rollout", "status", "deployment/cart", "--namespace=shop", "--timeout=60s")
    text = checkout.make("down", code=None)
    assert "sidecar" not in text
    assert "VirtualService shop/cart" in text


@SECOND_IS_LONG
def test_down_works_without_istiod_and_with_webhooks_that_reject_everything(
    checkout: Checkout, before: set[str]
) -> None:
    checkout.apply(cart())
    python = str(checkout.root / ".venv/bin/python")
    checkout.run(python, "-m", "sandbox", "start", checkout.context, "--webhooks")
    checkout.kubectl("delete", "deployment", "istiod", "--namespace=istio-system")
    refused = checkout.kubectl("run", "victim", "--image=victim", "--namespace=default", code=None)
    assert "failed calling webhook" in refused  # so what follows is not easier than it should be
    text = checkout.make("down", "FORCE=1")
    assert "continuing, although" in text
    assert re.search(r"- \d+ deleted", counts(text))
    checkout.kubectl("run", "survivor", "--image=survivor", "--namespace=default")
    checkout.kubectl("delete", "pod", "survivor", "--namespace=default")
    checkout.run(python, "-m", "sandbox", "start", checkout.context, "--no-webhooks")
    checkout.kubectl("delete", "namespace", "shop")
    assert checkout.objects() == before


@DEFAULT_RELEASE
def test_objects_that_istiod_created_are_reported_and_deleted_on_request(checkout: Checkout, before: set[str]) -> None:
    checkout.apply(trace("default"), trace("kube-public"))
    left = checkout.make("down")
    assert "left by Istio: configmap default/istio-ca-root-cert" in left
    assert "left by Istio: configmap kube-public/istio-ca-root-cert" in left
    assert checkout.objects() != before
    assert "removed: configmap default/istio-ca-root-cert" in checkout.make("down", "PURGE=1")
    assert checkout.objects() == before


@DEFAULT_RELEASE
def test_kept_definitions_stay_with_their_custom_resources_and_do_not_block_the_next_up(
    checkout: Checkout, before: set[str]
) -> None:
    checkout.small(keepDefinitions=True)
    checkout.make("up")
    checkout.apply(SHOP, ROUTE)
    checkout.make("down")
    assert checkout.kubectl("get", "virtualservices", "--namespace=shop", "--output=name").split()
    refused = checkout.make("up", "STACK=demo", f"CONTEXT={checkout.context}", code=None)
    assert f"definitions of Istio's API that project mesh, stack {checkout.stack} left behind" in refused
    checkout.small(keepDefinitions=False)
    assert re.search(r"\+ \d+ created", counts(checkout.make("up")))
    assert checkout.kubectl("get", "virtualservices", "--namespace=shop", "--output=name").split()
    checkout.kubectl("delete", "namespace", "shop")
    checkout.make("preview", "ARGS=--refresh --expect-no-changes")
    checkout.make("down")
    checkout.reset_files()
    assert checkout.objects() == before


@DEFAULT_RELEASE
def test_a_namespace_that_is_not_deleted_is_explained_and_the_next_down_finishes(
    checkout: Checkout, before: set[str]
) -> None:
    checkout.small(timeout=20)
    checkout.make("up")
    held = {**trace("istio-system"), "metadata": {"name": "held", "namespace": "istio-system", "finalizers": ["a.b/c"]}}
    checkout.apply(held)
    text = checkout.make("down", code=None)
    assert "namespace istio-system is being deleted, and waits: " in text
    assert "a.b/c in 1 resource instances" in text
    patch = '{"metadata": {"finalizers": null}}'
    checkout.kubectl("patch", "configmap", "held", "--namespace=istio-system", "--type=merge", f"--patch={patch}")
    checkout.make("down")
    checkout.reset_files()
    assert checkout.objects() == before
