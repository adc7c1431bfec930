"""Names of headers in matches are compared as Envoy does, without regard to case."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from mesh.traffic.matching import Match


@pytest.mark.parametrize(
    "match",
    [
        {"user": "jason", "headers": {"End-User": "anna"}},
        {"cookie": {"a": "1"}, "headers": {"Cookie": "b=2"}},
        {"headers": {"X-Canary": "1", "x-canary": "2"}},
    ],
)
def test_conditions_on_one_header_in_two_spellings_are_refused(match: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Match.model_validate(match)


def test_a_name_may_be_in_upper_case() -> None:
    assert Match.model_validate({"headers": {"X-Canary": "1"}})
