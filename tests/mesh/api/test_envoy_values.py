"""The types of Envoy's fields at the top of a patch's value."""

from typing import Any

import pytest

from mesh import api


def problems(sort: str, value: dict[str, Any], operation: str = "MERGE") -> list[str]:
    patch = {"applyTo": sort, "match": {}, "patch": {"operation": operation, "value": value}}
    try:
        api.EnvoyFilter.from_wire({"configPatches": [patch]})
    except api.ApiError as error:
        return [text.removeprefix("EnvoyFilter configPatches[0].patch.value") for text in error.problems]
    return []


@pytest.mark.parametrize(
    ("sort", "value", "problem"),
    [
        ("HTTP_FILTER", {"name": 5}, ".name: expected a text, got 5: Envoy's own type"),
        ("HTTP_FILTER", {"typed_config": {"a": 1}}, ".typed_config.@type: is required"),
        ("HTTP_FILTER", {"typedConfig": []}, ".typedConfig: expected a mapping, got []"),
        ("CLUSTER", {"connect_timeout": 5}, ".connect_timeout: expected a duration, got 5"),
        ("CLUSTER", {"connectTimeout": "soon"}, '.connectTimeout: expected a duration, got "soon"'),
        ("CLUSTER", {"max_requests_per_connection": -1}, ".max_requests_per_connection: expected a number, got -1"),
        ("VIRTUAL_HOST", {"domains": "*"}, '.domains: expected a list of texts, got "*"'),
        ("VIRTUAL_HOST", {"routes": ["a"]}, '.routes: expected a list of mappings, got ["a"]'),
        ("ROUTE_CONFIGURATION", {"validate_clusters": "no"}, '.validate_clusters: expected true or false, got "no"'),
    ],
)
def test_a_wrong_type_is_refused_at_its_field(sort: str, value: dict[str, Any], problem: str) -> None:
    (found,) = problems(sort, value)
    assert found.startswith(problem), found


@pytest.mark.parametrize(
    ("sort", "value"),
    [
        ("CLUSTER", {"connect_timeout": "5ms", "max_requests_per_connection": "5", "name": None}),
        ("CLUSTER", {"nobody_knows": [5]}),
        ("HTTP_FILTER", {"name": "a", "typed_config": {"@type": "type.googleapis.com/envoy.config.core.v3.Node"}}),
    ],
)
def test_what_envoy_reads_is_valid(sort: str, value: dict[str, Any]) -> None:
    assert problems(sort, value) == []


def test_the_value_of_what_is_removed_is_not_read() -> None:
    assert problems("HTTP_FILTER", {"name": 5}, "REMOVE") == []
