"""Which match of a route takes every request that another takes."""

from typing import Any

import pytest

from mesh.analysis.rules.shadowed_routes import covers

A = {"uri": {"prefix": "/a"}}


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ({}, A),
        ({"uri": {"prefix": "/"}}, {"uri": {"regex": "/x.*"}}),
        (A, {"uri": {"exact": "/a/b"}}),
        (A, {**A, "method": {"exact": "GET"}}),
        ({"headers": {"x": {}}}, {"headers": {"x": {"exact": "1"}}}),
        ({"headers": {"x": {"prefix": "ab"}}}, {"headers": {"x": {"exact": "abc"}, "y": {}}}),
        ({**A, "ignoreUriCase": True}, {"uri": {"exact": "/A"}}),
        ({"gateways": ["a", "mesh"]}, {"gateways": ["a"]}),
        ({"sourceLabels": {"app": "a"}}, {"sourceLabels": {"app": "a", "version": "v1"}}),
        ({"withoutHeaders": {"x": {}}}, {"withoutHeaders": {"x": {}, "y": {}}}),
    ],
)
def test_a_wider_match_covers_a_narrower_one_and_not_the_reverse(wide: dict[str, Any], narrow: dict[str, Any]) -> None:
    assert covers(wide, narrow)
    assert not covers(narrow, wide)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (A, {"uri": {"exact": "/b"}}),
        (A, {"uri": {"regex": "/a.*"}}),
        ({"headers": {"x": {"exact": "ab"}}}, {"headers": {"x": {"exact": "abc"}}}),
        ({"headers": {"x": {}}}, {"headers": {"y": {}}}),
        ({"method": {"exact": "GET"}}, {"method": {"exact": "POST"}}),
        ({"port": 80}, {"port": 81}),
        ({"gateways": ["a"]}, {"gateways": ["mesh"]}),
        ({"withoutHeaders": {"x": {}}}, {"headers": {"x": {}}}),
        (A, {"uri": {"exact": "/A"}}),
    ],
)
def test_of_matches_that_take_different_requests_neither_covers_the_other(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert not covers(one, other)
    assert not covers(other, one)
