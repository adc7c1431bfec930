"""The road from Istio 1.10 to 1.30 on one cluster up to its last step, as a user goes it: `make upgrade TO=1.30
APPLY=1`, then `make up`. Each test continues from the previous one."""

from __future__ import annotations

import difflib
import re

import pytest

from tests.e2e.conftest import DEFAULT_RELEASE, Checkout

pytestmark = DEFAULT_RELEASE
TO = "TO=1.30"
CONFIG = """\
# A shop and its books.
config:
  mesh:context: mesh-dev # the embedded one
  mesh:profile: default
  mesh:injectedNamespaces:
    shop: create
    bank: create   # goes second
  mesh:apps:
    shop: { namespace: shop, manifests: [examples/shop/manifests/cart.yaml] }
    bank: { namespace: bank, manifests: [examples/ledger/manifests/teller.yaml] }
"""
STEPS = {
    "definitions": ['+  mesh:base: { release: "1.30" }'],
    "control plane": [
        "+  mesh:controlPlanes:",
        '+    1-30-3: { release: "1.30", profile: default }',
    ],
    "canary namespace": ["-    shop: create", "+    shop: { ownership: create, revision: 1-30-3 }"],
    "other namespaces": [
        "-    bank: create   # goes second",
        "+    bank: { ownership: create, revision: 1-30-3 }   # goes second",
    ],
    "gateways": ["+  mesh:gateways:", "+    istio-ingressgateway: { revision: 1-30-3 }"],
    "default tag": ["+  mesh:revisionTags: { default: 1-30-3 }"],
}
"""The lines of the stack's file that each step changes."""


def stack_file(checkout: Checkout) -> str:
    return (checkout.root / "stacks" / "Pulumi.dev.yaml").read_text()


def revisions(checkout: Checkout, namespace: str) -> set[str]:
    """The control planes that the workloads of a namespace are for, as their pods say."""
    told = "jsonpath={.items[*].spec.template.metadata.annotations}"
    return set(
        re.findall(r'"mesh/revision":"([^"]*)"', checkout.kubectl("get", "deployments", "-n", namespace, "-o", told))
    )


def test_a_stack_that_is_not_installed_has_nothing_to_upgrade(checkout: Checkout) -> None:
    (checkout.root / "stacks" / "Pulumi.dev.yaml").write_text(CONFIG)
    assert 'nothing to upgrade: set mesh:release to "1.30"' in " ".join(checkout.make("upgrade", TO).split())
    checkout.make("up")


def test_the_first_look_says_what_comes_and_writes_nothing(checkout: Checkout) -> None:
    text = checkout.make("upgrade", TO)
    assert "[>] 2 definitions" in text
    assert "1.10 to 1.30 is 20" in text
    assert re.search(r"kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition \S+ (create|update)", text), text
    assert stack_file(checkout) == CONFIG


@pytest.mark.parametrize("step", STEPS)
def test_each_step_is_a_few_lines_that_land(checkout: Checkout, step: str) -> None:
    before = stack_file(checkout)
    text = checkout.make("upgrade", TO, "APPLY=1")
    assert f"next step: {step}\n" in text
    changed = difflib.unified_diff(before.splitlines(), stack_file(checkout).splitlines(), n=0, lineterm="")
    assert [line for line in changed if not line.startswith(("---", "+++", "@@"))] == STEPS[step]
    if step == "definitions":
        assert "The stack's file is ahead of the last update" in checkout.make("upgrade", TO, "APPLY=1", code=2)
    checkout.make("up")  # the next step would be refused if that had not landed whole


def test_the_workloads_and_the_gateway_are_at_the_new_control_plane(checkout: Checkout) -> None:
    image = "jsonpath={.spec.template.spec.containers[0].image}"
    gateway = checkout.kubectl("get", "deployment", "istio-ingressgateway", "-n", "istio-system", "-o", image)
    assert gateway.endswith("/proxyv2:1.30.3")
    assert [revisions(checkout, namespace) for namespace in ("shop", "bank")] == [{"1-30-3"}, {"1-30-3"}]
    assert "next step: old control plane\n" in checkout.make("upgrade", TO, "APPLY=1")
    assert 'mesh:release: "1.30"' in stack_file(checkout)
