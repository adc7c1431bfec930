"""The examples without a cluster: their maps, and what the policies say.

tests/e2e/test_examples.py has them running.
"""

import re

import pytest

from commands import examples
from mesh.analysis import violations

pytestmark = pytest.mark.slow


def test_the_maps_of_the_examples_are_up_to_date() -> None:
    made = examples.maps()
    assert [file.parent.name for file in made] == ["ledger", "orders", "shop"]
    assert [file for file, text in made.items() if file.read_text() != text] == [], "run `make docs`"


def test_policies_name_the_file_and_line_of_an_apps_object() -> None:
    (shop,) = (file for file in examples.STACKS if file.parent.name == "shop")
    stack, mesh = examples.of(shop)
    found = violations.find(mesh, stack.installation.release, stack.settings.policies, ())
    (text,) = (said for said in map(str, found) if "shop/payments" in said)
    place = re.search(
        r"\(from examples/shop/manifests/payments\.yaml:(\d+)\): container payments has no cpu limit", text
    )
    assert place
    lines = (shop.parent / "manifests" / "payments.yaml").read_text().splitlines()
    assert "limits" in lines[int(place[1]) - 1]
