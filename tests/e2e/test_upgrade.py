"""The road from Istio 1.10 to 1.30 on one cluster, as a user goes it: `make upgrade TO=1.30 APPLY=1`, then `make up`,
with visitors all the while. Each test continues from the previous one."""

from __future__ import annotations

import difflib
import re
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.e2e import proxies
from tests.e2e.conftest import DEFAULT_RELEASE, NO_CHANGES, Checkout
from tests.e2e.live import free_node_port, soon
from tests.e2e.visitors import visited
from tests.meshes import deployment

pytestmark = DEFAULT_RELEASE
TO: Final = "TO=1.30"
LIVE: Final = "LIVE=1"
FIRST, SECOND = "docker.io/istio/proxyv2:1.10.3", "registry.istio.io/release/proxyv2:1.30.3"
CONFIG: Final = """\
# Bookinfo, and a shop that goes first.
config:
  mesh:context: mesh-dev # the embedded one
  mesh:profile: default
  mesh:gatewayServiceType: NodePort
  mesh:ingressNodePorts: { http2: %d }
  mesh:injectedNamespaces:
    default: existing
    shop: create   # goes first
  mesh:bookinfo: { namespace: default }
  mesh:apps:
    shop: { namespace: shop, manifests: [examples/shop/manifests/cart.yaml] }
  mesh:traffic:
    services:
      reviews: { versions: [v1, v2, v3], route: { v1: 80, v3: 20 } }
"""
STEPS: Final = {
    "definitions": ['+  mesh:base: { release: "1.30" }'],
    "control plane": [
        "+  mesh:controlPlanes:",
        '+    1-30-3: { release: "1.30", profile: default }',
    ],
    "canary namespace": [
        "-    shop: create   # goes first",
        "+    shop: { ownership: create, revision: 1-30-3 }   # goes first",
    ],
    "other namespaces": ["-    default: existing", "+    default: { ownership: existing, revision: 1-30-3 }"],
    "gateways": ["+  mesh:gateways:", "+    istio-ingressgateway: { revision: 1-30-3 }"],
    "default tag": ["+  mesh:revisionTags: { default: 1-30-3 }"],
}
"""The lines of the stack's file that each step changes."""
OF_OTHERS: Final = deployment("old", {"app": "old"})
"""A workload of somebody else."""
NEXT: Final = ("upgrade", TO, "APPLY=1")


def stack_file(checkout: Checkout) -> str:
    return (checkout.root / "stacks" / "Pulumi.dev.yaml").read_text()


def write(checkout: Checkout, text: str) -> None:
    (checkout.root / "stacks" / "Pulumi.dev.yaml").write_text(text)


def images(checkout: Checkout) -> list[set[str]]:
    """The images of the proxies of the shop, of Bookinfo, and of the gateway."""
    gateway = "jsonpath={.spec.template.spec.containers[0].image}"
    return [
        {*proxies.images(checkout, "shop").values()},
        {*proxies.images(checkout, "default").values()},
        {
            checkout.kubectl(
                "get", "deployment", "istio-ingressgateway", "--namespace=istio-system", "--output", gateway
            )
        },
    ]


@pytest.fixture(scope="module")
def visits(checkout: Checkout) -> Iterator[Counter[object]]:
    """The answers to visitors of the product page, who begin when it stands."""
    checkout.make("up", LIVE)
    port = re.findall(r"http2: (\d+)", stack_file(checkout))[0]
    with visited(f"http://127.0.0.1:{port}/productpage", broken='class="missing', pause=0.2) as found:
        yield found


@pytest.fixture
def all_answered(checkout: Checkout, visits: Counter[object]) -> Iterator[None]:
    """Checks that visitors were answered during a test, at least five times a second, and by the routes after it."""
    began, total = time.monotonic(), visits.total()
    yield
    took, count = time.monotonic() - began, visits.total() - total
    assert set(visits) == {200}, visits
    assert count >= 5 * took, (count, took)
    checkout.make("smoke")


def test_a_stack_that_is_not_installed_has_nothing_to_upgrade(checkout: Checkout, before: set[str]) -> None:
    assert before
    write(checkout, CONFIG % free_node_port())
    assert 'nothing to upgrade: set mesh:release to "1.30"' in " ".join(checkout.make("upgrade", TO).split())


@pytest.mark.usefixtures("all_answered")
def test_the_first_look_says_what_comes_and_writes_nothing(checkout: Checkout) -> None:
    checkout.apply(OF_OTHERS)
    soon(lambda: len(proxies.images(checkout, "shop")) == 4)
    assert set(proxies.images(checkout, "shop", "default").values()) == {FIRST}
    written = stack_file(checkout)
    text = checkout.make("upgrade", TO)
    assert "[>] 2 definitions" in text
    assert "1.10 to 1.30 is 20" in text
    assert re.search(r"kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition \S+ (create|update)", text), text
    assert stack_file(checkout) == written


@pytest.fixture(scope="module")
def stations() -> dict[str, str]:
    """The stack's file at each station that was reached."""
    return {}


@pytest.mark.usefixtures("all_answered")
@pytest.mark.parametrize("step", STEPS)
def test_each_step_is_a_few_lines_that_land(checkout: Checkout, step: str, stations: dict[str, str]) -> None:
    written = stack_file(checkout)
    text = checkout.make(*NEXT, *(["NAMESPACE=shop"] if step == "canary namespace" else []))
    assert f"next step: {step}\n" in text
    stations[step] = stack_file(checkout)
    changed = difflib.unified_diff(written.splitlines(), stations[step].splitlines(), n=0, lineterm="")
    assert [line for line in changed if not line.startswith(("---", "+++", "@@"))] == STEPS[step]
    if step == "definitions":
        assert "The stack's file is ahead of the last update" in checkout.make(*NEXT, code=2)
    # The next step would be refused if this one had not landed whole.
    left = "rollout restart deployment/old --namespace shop --context mesh-dev" in checkout.make("up", LIVE)
    assert left == (step == "canary namespace")
    if left:
        assert images(checkout)[:2] == [{FIRST, SECOND}, {FIRST}]
        checkout.kubectl("delete", "deployment", "old", "--namespace=shop")


@pytest.mark.usefixtures("all_answered")
def test_the_way_back_is_the_file_of_an_earlier_station(checkout: Checkout, stations: dict[str, str]) -> None:
    assert images(checkout) == [{SECOND}] * 3
    write(checkout, stations["control plane"])
    said = checkout.make("up", LIVE, code=None)
    assert "namespace shop gets the label istio-injection=enabled in the update that deletes tag default" in said
    for station in ("gateways", "control plane"):
        write(checkout, stations[station])
        checkout.make("up", LIVE)
    assert images(checkout) == [{FIRST}] * 3
    write(checkout, stations["default tag"])
    checkout.make("up", LIVE)
    assert images(checkout) == [{SECOND}] * 3


@pytest.mark.usefixtures("all_answered")
def test_the_last_step_takes_the_old_control_plane_and_restarts_no_pod(checkout: Checkout) -> None:
    pods = proxies.images(checkout, "shop", "default")
    assert "next step: old control plane\n" in checkout.make(*NEXT)
    steps: list[dict[str, Any]] = checkout.preview()["steps"]
    assert "delete" in {one["op"] for one in steps}
    checkout.make("up", LIVE)
    assert proxies.images(checkout, "shop", "default") == pods
    names = checkout.kubectl("get", "deployments", "--namespace=istio-system", "--output=name").split()
    assert sorted(names) == ["deployment.apps/istio-ingressgateway", "deployment.apps/istiod-1-30-3"]
    checkout.make("preview", NO_CHANGES)
    assert "There is nothing left to upgrade" in checkout.make("upgrade", TO)


def test_down_leaves_nothing_of_either(checkout: Checkout, before: set[str]) -> None:
    checkout.make("down")
    assert checkout.objects() == before
