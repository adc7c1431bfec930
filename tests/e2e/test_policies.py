"""The policy pack, run by the real engine."""

import re

import pytest

from commands import policy
from tests.e2e.conftest import SECOND_IS_LONG, Checkout

PACK = "ARGS=--policy-pack policies"
SAID = re.compile(r"mesh@v[\d.]+ \[(\w+)\]  ([\w-]+) .*\n(.*)")
"""Level, policy and finding, as a preview shows them."""


@SECOND_IS_LONG
def test_a_preview_shows_what_make_policy_shows(checkout: Checkout) -> None:
    shown = SAID.findall(checkout.make("preview", PACK))
    assert sorted(finding for _, _, finding in shown) == sorted(map(str, policy.findings(checkout.stack)))
    assert {level for level, _, _ in shown} <= {"advisory"}


@pytest.mark.parametrize("name", ["hardened", "production"])
def test_a_stack_with_mandatory_policies_violates_none_until_its_suppressions_are_removed(
    checkout: Checkout, name: str
) -> None:
    stack = (f"STACK={name}", f"CONTEXT={checkout.context}", PACK)
    shown = SAID.findall(checkout.make("preview", *stack, code=None))
    assert [name for _, name, _ in shown if name != "end-of-life"] == [], "of Istio 1.30, it comes some day"
    checkout.set(name, analysis=None)
    shown = SAID.findall(checkout.make("preview", *stack, code=2))
    assert {level for level, _, _ in shown} == {"mandatory"}
    assert {name for _, name, _ in shown} >= {"image-without-digest", "missing-limits"}
