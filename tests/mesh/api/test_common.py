"""Messages that several kinds share: string matches, percentages, destinations."""

from typing import Any

import pytest

from mesh import api
from tests.mesh.api.test_api import problems


@pytest.mark.parametrize("value", [0, 0.0001, 50, 99.9, 100])
def test_a_percentage_in_range_is_accepted(value: float) -> None:
    assert api.Percent(value=value).value == value


@pytest.mark.parametrize("value", [-1, 0.00009, 100.1])
def test_a_percentage_out_of_range_is_refused(value: float) -> None:
    assert problems(api.Percent, {"value": value}) == [f"Percent value: {value:g} is neither 0 nor in 0.0001..100"]


def test_a_string_match_is_one_of_exact_prefix_and_regex() -> None:
    assert problems(api.StringMatch, {"exact": "a", "regex": "b"}) == [
        "StringMatch: only one of exact, prefix, regex may be set, got exact and regex"
    ]


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({}, "Destination host: is required"),
        (
            {"host": "a", "subset": "v_1"},
            'Destination subset: "v_1" is not a DNS label: use letters, digits and inner hyphens, at most 63',
        ),
        ({"host": "a", "port": {}}, "Destination port.number: is required"),
        ({"host": "a", "port": {"number": 0}}, "Destination port.number: 0 is not in 1..65535"),
        ({"host": "a", "port": 80}, "Destination port: expected a mapping, got 80 (fields: number)"),
    ],
)
def test_an_invalid_destination_is_refused_with_its_path(fields: dict[str, Any], line: str) -> None:
    assert problems(api.Destination, fields) == [line]
