"""The stacks `dev` and `today` beside each other, each on an embedded cluster of its own. Each test continues from the
previous one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests

from tests.e2e.conftest import NO_CHANGES, Checkout
from tests.e2e.live import free_node_port, soon, versions

pytestmark = pytest.mark.long
LIVE = "LIVE=1"


@pytest.fixture(scope="module")
def today(checkout: Checkout) -> Checkout:
    return replace(checkout, stack="today")


@pytest.fixture(scope="module")
def sites(checkout: Checkout, today: Checkout) -> Iterator[dict[str, str]]:
    """The addresses of both product pages, by stack. The ports are free ones, since the user may have both running."""
    found = {}
    for stack in (checkout, today):
        port = free_node_port()
        stack.set(ingressNodePorts={"http2": port}, addons=None, analysis=None)
        stack.make("up", LIVE)
        found[stack.stack] = f"http://127.0.0.1:{port}"
    yield found
    checkout.reset_files()


def test_both_pages_answer(sites: dict[str, str]) -> None:
    for site in sites.values():
        assert requests.get(f"{site}/productpage", timeout=20).status_code == 200
        assert set(versions(site, 100)) == {"v1", "v2", "v3"}


def test_a_weight_of_one_stack_changes_its_page_alone(today: Checkout, sites: dict[str, str]) -> None:
    routes = {"versions": ["v1", "v2", "v3"], "route": {"v1": 75, "v3": 25}}
    today.set(traffic={"services": {"reviews": routes}})
    today.make("up", LIVE)
    soon(lambda: set(versions(sites["today"], 100)) == {"v1", "v3"})
    assert set(versions(sites["dev"], 100)) == {"v1", "v2", "v3"}
    assert re.search(r"reviews +v1 +75% configured.*\n +v3 +25%", today.make("smoke"))
    today.make("preview", "ARGS=--refresh --expect-no-changes")


def test_status_says_what_stands_on_which_cluster(checkout: Checkout, today: Checkout, sites: dict[str, str]) -> None:
    for one in (checkout, today):
        text = one.make("status")
        assert text.startswith(f"cluster   {one.context}, https://127.0.0.1:")
        assert f"of project mesh, stack {one.stack}\n" in text
        assert f"live      http2 {sites[one.stack]}; pilot, 8 proxies" in text


def test_down_leaves_the_other_stack_as_it_is(checkout: Checkout, today: Checkout, sites: dict[str, str]) -> None:
    today.make("down", LIVE)
    with pytest.raises(requests.ConnectionError):
        requests.get(sites["today"], timeout=5)
    assert set(versions(sites["dev"], 100)) == {"v1", "v2", "v3"}
    assert "already running" in checkout.make("up", NO_CHANGES, LIVE)


def test_a_reset_deletes_one_cluster_and_the_state_of_its_stacks(
    checkout: Checkout, today: Checkout, sites: dict[str, str]
) -> None:
    today.make("up")
    text = today.make("sandbox-reset")
    assert "deleted the state of stack today with its cluster" in text
    assert "stack dev" not in text
    assert not today.cluster.exists()
    assert set(versions(sites["dev"], 100)) == {"v1", "v2", "v3"}
    checkout.make("preview", "ARGS=--refresh --expect-no-changes")
