"""The examples, as their pages say: each goes up, is seen working in the live sandbox, changes and goes down. Each test
continues from the previous one."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.conftest import Checkout, counts
from tests.e2e.live import free_node_port, soon

LIVE = "LIVE=1"


class Example(Checkout):
    """A checkout with the stack's file of an example, which is committed so that reports have something to compare
    with."""

    @property
    def context(self) -> str:
        return "mesh-today"

    @property
    def file(self) -> Path:
        """The stack's file."""
        return self.root / "stacks" / f"Pulumi.{self.stack}.yaml"

    def commit(self) -> None:
        for command in (["add", "stacks"], ["commit", "--quiet", "--message", self.stack]):
            self.run("git", "-c", "user.name=tester", "-c", "user.email=tester@example.invalid", *command)

    def ask(self, path: str = "/", **headers: str) -> dict[str, Any]:
        """What the stand-in behind the gateway answers."""
        port = self.given("ingressNodePorts")["http2"]
        host = {"shop": "shop", "ledger": "bank", "orders": "orders"}[self.stack]
        found: dict[str, Any] = requests.get(
            f"http://127.0.0.1:{port}{path}", headers={"Host": f"{host}.example.com", **headers}, timeout=20
        ).json()
        return found

    def change(self, file: Path, old: str, new: str) -> None:
        """Replaces a text wherever it is in a file."""
        before = file.read_text()
        assert old in before
        file.write_text(before.replace(old, new))


@pytest.fixture(scope="module", params=["shop", "ledger", "orders"])
def example(request: pytest.FixtureRequest, checkout: Checkout) -> Iterator[Example]:
    name: str = request.param
    made = Example(checkout.root, checkout.home, name)
    shutil.copy(checkout.root / "examples" / name / "stack.yaml", made.file)
    made.set(ingressNodePorts={"http2": free_node_port()})
    made.commit()
    made.make("up", LIVE)
    yield made
    made.make("down", LIVE)
    made.file.unlink()
    listed = made.kubectl("get", "namespaces", "--output=name")
    assert not {"shop", "bank", "orders", "istio-system"} & {line.rpartition("/")[2] for line in listed.split()}


def test_an_example_is_seen_working(example: Example) -> None:
    if example.stack == "shop":
        assert [example.ask(path)["name"] for path in ("/", "/catalog/7")] == ["front", "catalog"]
        allowed, refused = example.ask("/?call=checkout,payments&call=payments")["calls"]
        assert (allowed["status"], allowed["answer"]["calls"][0]["status"], refused["status"]) == (200, 200, 403)
        text = example.make("smoke", "URL=http://shop.example.com/cart")
        assert re.search(r"cart-v1 +90% configured(.|\n)*cart-v2 +10% configured", text)
    elif example.stack == "ledger":
        asked = ("grpc://ledger:9000", "ledger:8080,tcp://store:6379", "tcp://store:6379")
        by_grpc, through, past = (example.ask(f"/?call={call}")["calls"][0] for call in asked)
        assert by_grpc["status"] == "OK"
        assert through["answer"]["calls"][0]["answer"].startswith("store: ")
        assert past["answer"] == ""
    else:
        assert {example.ask("/", **{"x-preview": "true"})["version"] for _ in range(5)} == {"v2"}
        assert "v1" in {example.ask("/")["version"] for _ in range(20)}


def test_nothing_of_an_example_drifts(example: Example) -> None:
    if example.stack == "shop":
        example.kubectl("scale", "deployment/front", "--namespace=shop", "--replicas=3")
    found = counts(example.make("up", "ARGS=--refresh --expect-no-changes", LIVE))
    assert re.fullmatch(r"Resources: \d+ unchanged", found)


def test_a_change_of_an_example_is_one_object_and_its_requests(example: Example) -> None:
    if example.stack == "shop":
        example.change(example.file, "weight: 90", "weight: 50")
        example.change(example.file, "weight: 10", "weight: 50")
        changed, told = ("VirtualService", "shop"), "shop.example.com/cart"
    elif example.stack == "ledger":
        example.change(example.file, "- bank/ledger", "- bank/teller")
        changed, told = ("AuthorizationPolicy", "store"), "store"
    else:
        routes = example.root / "examples" / "orders" / "base" / "routes.yaml"
        example.change(routes, "timeout: 3s", "timeout: 9s")
        changed, told = ("VirtualService", "orders"), "orders.example.com"
    example.make("report", "BASE=main")
    (change,) = example.report(example.stack)["changes"]
    assert (change["object"]["kind"], change["object"]["name"]) == changed
    assert told in (example.root / "reports" / f"{example.stack}.md").read_text()
    assert "1 updated" in counts(example.make("up", LIVE))
    if example.stack == "shop":
        soon(lambda: 4 < [example.ask("/cart")["name"] for _ in range(20)].count("cart-v2") < 16)
