"""Telemetry: tracing."""

from typing import Any

import pytest

from mesh import api
from tests.mesh.api.test_api import problems


@pytest.mark.parametrize(
    ("tracing", "line"),
    [
        ({"randomSamplingPercentage": 100.5}, ".randomSamplingPercentage: 100.5 is not in 0..100"),
        ({"providers": [{}]}, ".providers[0].name: is required"),
        (
            {"customTags": {"a": {"literal": {"value": "b"}, "header": {"name": "c"}}}},
            ".customTags.a: only one of literal, environment, header, formatter may be set, got literal and header",
        ),
        ({"customTags": {"a": {"literal": {"value": ""}}}}, ".customTags.a.literal.value: must not be empty"),
        ({"customTags": {"a": {"environment": {}}}}, ".customTags.a.environment.name: is required"),
    ],
)
def test_invalid_tracing_is_refused_with_its_path(tracing: dict[str, Any], line: str) -> None:
    assert problems(api.Telemetry, {"tracing": [tracing]}) == [f"Telemetry tracing[0]{line}"]


def test_the_condition_of_a_log_is_an_expression_in_cel() -> None:
    problem = 'Telemetry accessLogging[0].filter.expression: "a b" is not an expression in CEL: "b" is out of place'
    assert problems(api.Telemetry, {"accessLogging": [{"filter": {"expression": "a b"}}]}) == [problem]


def test_a_value_is_not_even_empty_where_there_is_none() -> None:
    overrides = {"tagOverrides": {"a": {"operation": "REMOVE", "value": ""}}}
    assert problems(api.Telemetry, {"metrics": [{"overrides": [overrides]}]}) == [
        "Telemetry metrics[0].overrides[0].tagOverrides.a.value: is for operation UPSERT only"
    ]


def test_valid_tracing_is_accepted() -> None:
    tracing = {
        "providers": [{"name": "zipkin"}],
        "randomSamplingPercentage": 12.5,
        "disableSpanReporting": False,
        "customTags": {"user": {"header": {"name": "end-user", "defaultValue": "nobody"}}},
    }
    assert api.Telemetry.from_wire({"tracing": [tracing]}).spec() == {"tracing": [tracing]}
