"""What the client of a request sees by its outcome."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.requests.expected import Answers, answers
from mesh.requests.types import Fault, Outcome, Receiver


def receiver(*workloads: str, share: float = 1.0, **more: Any) -> Receiver:
    return Receiver(host="cart.shop", subset="", share=share, workloads=workloads, port=80, **more)


def test_workloads_answer_in_the_shares_of_their_subsets() -> None:
    outcome = Outcome(receivers=(receiver("cart-v1", share=0.9), receiver("cart-v2", share=0.1)))
    assert answers(outcome) == Answers(shares={"cart-v1": 0.9, "cart-v2": 0.1}, late={})


def test_workloads_that_the_routes_do_not_tell_apart_are_one_answer() -> None:
    assert answers(Outcome(receivers=(receiver("cart-v1", "cart-v2"),))) == Answers(
        shares={"cart-v1 or cart-v2": 1.0}, late={}
    )


def test_an_abort_takes_its_share_of_all_receivers_and_a_delay_holds_for_all_answers() -> None:
    faults = (Fault(share=0.2, status=418), Fault(share=0.5, delay="1.5s"), Fault(share=0.0, delay="3s"))
    both = (receiver("cart-v1", share=0.5), receiver("cart-v2", share=0.5, status=503, reason="no pod"))
    found = answers(Outcome(receivers=both, faults=faults))
    assert found == Answers(shares={"418": 0.2, "cart-v1": 0.4, "503": 0.4}, late={1.5: 0.5})


@pytest.mark.parametrize(
    ("outcome", "shares"),
    [
        (Outcome(status=404), {"404": 1.0}),
        (Outcome(status=0), {"no connection": 1.0}),
        (Outcome(status=301, location="https://a/"), {"301 https://a/": 1.0}),
        (Outcome(receivers=(receiver(),)), {"cart.shop": 1.0}),
        (Outcome(receivers=(receiver("cart", status=0, reason="it requires mutual TLS"),)), {"no connection": 1.0}),
    ],
)
def test_an_answer_that_is_no_pods_is_called_by_its_status(outcome: Outcome, shares: dict[str, float]) -> None:
    found = answers(outcome)
    assert found
    assert found.shares == shares


def test_a_request_that_leaves_the_mesh_has_no_expected_answer() -> None:
    assert answers(Outcome(status=200, reason="the mesh does not know the host")) is None
