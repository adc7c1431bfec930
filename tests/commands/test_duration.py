"""How long a step of the road takes, as `make upgrade` says."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from cluster import proxy
from cluster.errors import Unreachable
from cluster.target import Target
from commands import duration
from tests.cluster.test_readiness import made
from tests.fake_api import TARGET, FakeApi, listing


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    """A cluster whose pods of cart and till were ready after 3 and 12 seconds."""
    made_api = FakeApi({"GET /api/v1/pods": listing(made("cart", 3), made("till", 12))})
    monkeypatch.setattr(Target, "named", lambda _: TARGET)
    monkeypatch.setattr(proxy, "connect", lambda _: nullcontext(made_api))
    return made_api


@pytest.mark.usefixtures("api")
def test_it_is_the_sum_of_what_the_pods_have_needed() -> None:
    took = duration.needed("here", [("shop", "cart"), ("shop", "till")])
    assert duration.line(took, 2, 300) == (
        "takes: about 15 s, as long as the new pods of 2 workloads need to get ready, one workload after another, each"
        " at most 300 s (mesh:timeout); the running pods needed 3 to 12 s"
    )


@pytest.mark.usefixtures("api")
def test_a_workload_without_ready_pods_leaves_it_open() -> None:
    assert duration.needed("here", [("shop", "cart"), ("shop", "new")]) == ()


def test_a_cluster_that_does_not_answer_leaves_it_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def named(_: str | None) -> Target:
        raise Unreachable("it does not answer")

    monkeypatch.setattr(Target, "named", named)
    took = duration.needed("here", [("shop", "cart")])
    assert duration.line(took, 1, 60).startswith("takes: about as long as the new pods of 1 workload need")


def test_nothing_is_asked_if_no_pods_are_replaced(api: FakeApi) -> None:
    assert duration.line(duration.needed("here", []), 0, 60).endswith("no pods are replaced")
    assert not api.asked
