"""The examples: together in one stack they go up, are seen working in the live sandbox as their pages say, change and
go down. Each test continues from the previous one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests.e2e.conftest import Checkout, counts
from tests.e2e.live import free_node_port, soon

LIVE = "LIVE=1"
NAMESPACES = {"shop": "shop", "ledger": "bank", "orders": "orders"}
"""The namespace of each example."""
ORDERS = {"workload": {"app": "orders"}, "gateways": ["istio-ingressgateway"], "namespace": "orders"}
"""Who may call the orders, in a stack that denies all else."""


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Two configs in one; the second one wins."""
    both = one.keys() & other.keys()
    deep = {name: merged(one[name], other[name]) for name in both if isinstance(one[name], dict)}
    return {**one, **other, **{name: value for name, value in deep.items() if isinstance(other[name], dict)}}


@pytest.fixture(scope="module")
def port() -> int:
    return free_node_port()


@pytest.fixture(scope="module")
def example(checkout: Checkout, port: int) -> Iterator[Checkout]:
    """A checkout with one stack of all examples, which is committed so that a report has something to compare with, and
    up."""
    config: dict[str, Any] = {}
    for name, namespace in NAMESPACES.items():
        file = checkout.root / "examples" / name / "stack.yaml"
        own = yaml.safe_load(file.read_text())["config"]
        hosts = own.get("mesh:traffic", {}).get("hosts", {})
        rules = own["mesh:security"].get("authorization", {}).get("allow", {})
        for entry in (*hosts.values(), *rules.values()):  # beside others, nobody can tell which one is meant
            entry["namespace"] = namespace
        config = merged(config, own)
        assert "nothing found" in analyzed(checkout, name, file)
    config["mesh:ingressNodePorts"] = {"http2": port}
    config["mesh:security"] = {
        "mtls": "STRICT",
        "authorization": merged(config["mesh:security"]["authorization"], {"allow": {"orders": ORDERS}}),
    }
    made = replace(checkout, stack="today")
    (made.root / "stacks" / "Pulumi.today.yaml").write_text(yaml.safe_dump({"config": config}))
    for command in (["add", "stacks"], ["commit", "--quiet", "--message", "examples"]):
        made.run("git", "-c", "user.name=tester", "-c", "user.email=tester@example.invalid", *command)
    made.make("up", LIVE)
    yield made
    made.make("down", LIVE)
    listed = made.kubectl("get", "namespaces", "--output=name")
    assert not {"shop", "bank", "orders", "istio-system"} & {line.rpartition("/")[2] for line in listed.split()}


def analyzed(checkout: Checkout, name: str, file: Path) -> str:
    """What the analysis says of an example's own stack."""
    copied = checkout.root / "stacks" / f"Pulumi.{name}.yaml"
    copied.write_text(file.read_text())
    found = checkout.make("analyze", f"STACK={name}")
    copied.unlink()
    return found


def ask(port: int, host: str, path: str = "/", **headers: str) -> dict[str, Any]:
    """What the stand-in behind the gateway answers."""
    answer = requests.get(f"http://127.0.0.1:{port}{path}", headers={"Host": host, **headers}, timeout=20)
    found: dict[str, Any] = answer.json()
    return found


def test_the_shop_answers_with_its_canary(example: Checkout, port: int) -> None:
    host = "shop.example.com"
    assert [ask(port, host, path)["name"] for path in ("/", "/catalog/7")] == ["front", "catalog"]
    allowed, refused = ask(port, host, "/?call=checkout,payments&call=payments")["calls"]
    assert (allowed["status"], allowed["answer"]["calls"][0]["status"], refused["status"]) == (200, 200, 403)
    text = example.make("smoke", "URL=http://shop.example.com/cart")
    assert re.search(r"cart-v1 +90% configured(.|\n)*cart-v2 +10% configured", text)


@pytest.mark.usefixtures("example")
def test_the_ledger_is_reached_over_grpc_and_alone_reaches_its_store(port: int) -> None:
    asked = ("grpc://ledger:9000", "ledger:8080,tcp://store:6379", "tcp://store:6379")
    by_grpc, through, past = (ask(port, "bank.example.com", f"/?call={call}")["calls"][0] for call in asked)
    assert by_grpc["status"] == "OK"
    assert through["answer"]["calls"][0]["answer"].startswith("store: ")
    assert past["answer"] == ""


@pytest.mark.usefixtures("example")
def test_the_orders_are_routed_by_the_teams_own_objects(port: int) -> None:
    host = "orders.example.com"
    assert {ask(port, host, **{"x-preview": "true"})["version"] for _ in range(5)} == {"v2"}
    assert "v1" in {ask(port, host)["version"] for _ in range(20)}


def test_nothing_of_the_examples_drifts(example: Checkout) -> None:
    example.kubectl("scale", "deployment/front", "--namespace=shop", "--replicas=3")
    found = counts(example.make("up", "ARGS=--refresh --expect-no-changes", LIVE))
    assert re.fullmatch(r"Resources: \d+ unchanged", found)


def change(file: Path, old: str, new: str) -> None:
    """Replaces a text wherever it is in a file."""
    before = file.read_text()
    assert old in before
    file.write_text(before.replace(old, new))


def test_each_change_is_one_object_and_its_requests(example: Checkout, port: int) -> None:
    stack = example.root / "stacks" / "Pulumi.today.yaml"
    change(stack, "weight: 90", "weight: 50")
    change(stack, "weight: 10", "weight: 50")
    change(stack, "- bank/ledger", "- bank/teller")
    change(example.root / "examples" / "orders" / "base" / "routes.yaml", "timeout: 3s", "timeout: 9s")
    example.make("report", "BASE=main")
    changed = {(one["object"]["kind"], one["object"]["name"]) for one in example.report("today")["changes"]}
    assert changed == {("VirtualService", "shop"), ("AuthorizationPolicy", "store"), ("VirtualService", "orders")}
    text = (example.root / "reports" / "today.md").read_text()
    pages = "".join((example.root / "examples" / name / "README.md").read_text() for name in ("shop", "orders"))
    told = re.findall(r"^- .* through istio-ingressgateway: .*$", pages, re.MULTILINE)
    assert len(told) == 2
    assert [line for line in told if line not in text] == []
    assert "3 updated" in counts(example.make("up", LIVE))
    soon(lambda: 4 < [ask(port, "shop.example.com", "/cart")["name"] for _ in range(20)].count("cart-v2") < 16)
    assert ask(port, "bank.example.com", "/?call=tcp://store:6379")["calls"][0]["answer"].startswith("store: ")
