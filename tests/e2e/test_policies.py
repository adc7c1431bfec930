"""The policy pack, run by the real engine."""

import re

from commands import policy
from tests.e2e.conftest import Checkout

PACK = "ARGS=--policy-pack policies"
SAID = re.compile(r"mesh@v[\d.]+ \[(\w+)\]  ([\w-]+) .*\n(.*)")
"""Level, policy and finding, as a preview shows them."""


def test_a_preview_shows_what_make_policy_shows(checkout: Checkout) -> None:
    shown = SAID.findall(checkout.make("preview", PACK))
    assert sorted(finding for _, _, finding in shown) == sorted(map(str, policy.findings("dev")))
    assert {level for level, _, _ in shown} == {"advisory"}


def test_hardened_has_no_violations_until_its_suppressions_are_removed(checkout: Checkout) -> None:
    hardened = ("STACK=hardened", "CONTEXT=mesh-dev", PACK)
    assert SAID.findall(checkout.make("preview", *hardened)) == []
    checkout.set("hardened", analysis=None)
    shown = SAID.findall(checkout.make("preview", *hardened, code=2))
    assert {level for level, _, _ in shown} == {"mandatory"}
    assert {name for _, name, _ in shown} >= {"image-without-digest", "missing-limits"}
