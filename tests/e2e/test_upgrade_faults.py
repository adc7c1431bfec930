"""The engine killed on the road from Istio 1.10 to 1.30: the next update carries the step on, or takes it back.

A part of `make torture` alone: ROAD=20 is the number of kills, at every step of the road; SEED=... draws other points.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pytest

from tests.e2e import proxies
from tests.e2e.conftest import DEFAULT_RELEASE, Checkout
from tests.e2e.faults import Run

pytestmark = [DEFAULT_RELEASE, pytest.mark.long]
WRITE_EACH_STEP = ("dev", "today")
COUNT = int(os.environ.get("MESH_TORTURE_ROAD", "20"))
SEED = int(os.environ.get("MESH_TORTURE_SEED", "1"))
NEW: Final = "1-30-3"
OLD_STACK: Final[Mapping[str, Any]] = {
    "profile": "default",
    "release": "1.10",
    "revision": None,
    "base": None,
    "controlPlanes": None,
    "revisionTags": None,
    "gateways": None,
    "injectedNamespaces": {"shop": "create", "bank": "create"},
    "apps": {
        "shop": {"namespace": "shop", "manifests": ["examples/shop/manifests/cart.yaml"]},
        "bank": {"namespace": "bank", "manifests": ["examples/ledger/manifests/teller.yaml"]},
    },
}
"""The keys of a stack before the road."""
MOVED: Final = {"ownership": "create", "revision": NEW}
STATIONS: Final[Sequence[Mapping[str, Any]]] = (
    {"base": {"release": "1.30"}},
    {"controlPlanes": {NEW: {"release": "1.30", "profile": "default"}}},
    {"injectedNamespaces": {"shop": MOVED, "bank": "create"}},
    {"injectedNamespaces": {"shop": MOVED, "bank": MOVED}},
    {"gateways": {"istio-ingressgateway": {"revision": NEW}}},
    {"revisionTags": {"default": NEW}},
    {"release": "1.30", "revision": NEW, "controlPlanes": None},
)
"""What each step of the road changes, to the last one, which takes the old control plane."""
STEPS: Final = (15, 16, 7, 3, 2, 3, 40)
"""Operations that a whole update of each station tells of, at least."""
LAST: Final = len(STATIONS) - 1
"""The number of the last station, from which there is no way back; as from the first one, since definitions do not go
down."""
FIRST: Final = 0 if len(STATIONS) <= COUNT else 2
"""The station with the first kill. Few kills are where pods move."""


@pytest.fixture(scope="module")
def before(checkout: Checkout) -> set[str]:
    """The objects on the cluster before the installation."""
    checkout.make("sandbox")
    checkout.small()
    checkout.set(**OLD_STACK)
    return checkout.objects()


def settled(checkout: Checkout) -> None:
    """Checks that cluster and state agree with the stack's file, and that every pod of the apps has one proxy, that of
    the control plane of its namespace."""
    checkout.make("preview", "ARGS=--refresh --expect-no-changes")
    state = json.loads(checkout.pulumi("stack export"))
    assert not state["deployment"].get("pending_operations")
    new = {name: not isinstance(one, str) for name, one in checkout.given("injectedNamespaces").items()}
    for name, moved in new.items():
        found = [*proxies.images(checkout, name).values()]
        wanted = "registry.istio.io/release/proxyv2:1.30.3" if moved else "docker.io/istio/proxyv2:1.10.3"
        assert found == [wanted] * len(found), (name, found)


def test_a_killed_update_on_the_road_is_carried_on_or_taken_back(
    checkout: Checkout, before: set[str], record_property: Callable[[str, object], None]
) -> None:
    random_ = random.Random(SEED)
    killed = 0
    done: list[str] = []
    while killed < COUNT:
        assert len(done) < 4 * COUNT + len(STATIONS), done
        checkout.set(**OLD_STACK)
        checkout.make("up")
        for number, change in enumerate(STATIONS):
            if killed == COUNT:
                break
            last = {key: checkout.given(key) for key in change}
            checkout.set(**change)
            if number < FIRST:
                if number == FIRST - 1:
                    checkout.make("up")
                continue
            point, back = random_.randrange(STEPS[number]), 0 < number < LAST and random_.random() < 0.5
            run = Run(checkout, "up")
            if run.until(lambda run=run, point=point: run.steps > point):  # type: ignore[misc]
                time.sleep(random_.uniform(0, 0.2))
                run.kill(plugins=random_.random() < 0.5)
                killed += 1
            else:
                assert run.end() == 0, run.text
            done.append(f"station {number} at step {point}{', and back' * back}")
            if back:
                checkout.set(**last)
                checkout.make("up")
                settled(checkout)
                checkout.set(**change)
            checkout.make("up")
            settled(checkout)
        checkout.make("down")
        assert checkout.objects() == before
    record_property("told", f"seed {SEED}: {killed} updates killed, all recovered: {'; '.join(done)}")
