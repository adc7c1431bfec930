"""The examples, as their pages say: each goes up, is seen working in the live sandbox, changes and goes down. Each test
continues from the previous one."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace

import pytest
import requests
import yaml

from tests.e2e.conftest import Checkout, counts
from tests.e2e.live import free_node_port, soon

LIVE = "LIVE=1"
HOST = {"Host": "shop.example.com"}


@pytest.fixture(scope="module")
def shop(checkout: Checkout) -> Checkout:
    """A checkout with the stack's file of the shop, committed so that reports have something to compare with."""
    file = checkout.root / "stacks" / "Pulumi.shop.yaml"
    shutil.copy(checkout.root / "examples" / "shop" / "stack.yaml", file)
    made = replace(checkout, stack="shop")
    made.set(ingressNodePorts={"http2": free_node_port()})
    for command in (["add", "stacks"], ["commit", "--quiet", "--message", "shop"]):
        made.run("git", "-c", "user.name=tester", "-c", "user.email=tester@example.invalid", *command)
    return made


def site(shop: Checkout) -> str:
    return f"http://127.0.0.1:{shop.given('ingressNodePorts')['http2']}"


def test_the_shop_goes_up_and_answers(shop: Checkout) -> None:
    shop.make("up", LIVE)
    answers = [requests.get(f"{site(shop)}{path}", headers=HOST, timeout=20).json() for path in ("/", "/catalog/7")]
    assert [one["name"] for one in answers] == ["front", "catalog"]
    refused = requests.get(f"{site(shop)}/?call=checkout,payments&call=payments", headers=HOST, timeout=20).json()
    assert [one["status"] for one in refused["calls"]] == [200, 403]
    assert refused["calls"][0]["answer"]["calls"][0]["status"] == 200


def test_smoke_counts_the_canary(shop: Checkout) -> None:
    text = shop.make("smoke", "URL=http://shop.example.com/cart")
    assert re.search(r"cart-v1 +90% configured", text)
    assert re.search(r"cart-v2 +10% configured", text)


def test_nothing_drifts_and_a_scaled_front_stays(shop: Checkout) -> None:
    kubeconfig = shop.home / "cluster-today" / "kubeconfig"
    scale = ("scale", "deployment/front", "--namespace=shop", "--replicas=3")
    shop.run("kubectl", "--kubeconfig", str(kubeconfig), *scale)
    assert re.fullmatch(
        r"Resources: \d+ unchanged", counts(shop.make("up", "ARGS=--refresh --expect-no-changes", LIVE))
    )


def test_a_changed_weight_is_two_fields_in_the_preview_and_requests_in_the_report(shop: Checkout) -> None:
    file = shop.root / "stacks" / "Pulumi.shop.yaml"
    content = yaml.safe_load(file.read_text())
    for to in content["config"]["mesh:traffic"]["hosts"]["shop"]["routes"][0]["to"]:
        to["weight"] = 50
    file.write_text(yaml.safe_dump(content))
    shop.make("report", "BASE=main")
    (change,) = shop.report("shop")["changes"]
    assert change["object"] == {"kind": "VirtualService", "name": "shop", "namespace": "shop"}
    text = (shop.root / "reports" / "shop.md").read_text()
    assert "shop.example.com/cart" in text
    assert "1 updated" in counts(shop.make("up", LIVE))

    def names() -> set[str]:
        found = [requests.get(f"{site(shop)}/cart", headers=HOST, timeout=20).json()["name"] for _ in range(20)]
        return set(found) if 4 < found.count("cart-v2") < 16 else set()

    soon(lambda: names() == {"cart-v1", "cart-v2"})


def test_the_shop_leaves_nothing(shop: Checkout) -> None:
    shop.make("down", LIVE)
    listed = shop.run(
        *(
            "kubectl",
            "--kubeconfig",
            str(shop.home / "cluster-today" / "kubeconfig"),
            "get",
            "namespaces",
            "--output=name",
        )
    )
    assert "shop" not in listed
    assert "istio-system" not in listed
