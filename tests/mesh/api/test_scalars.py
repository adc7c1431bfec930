"""Numbers, durations and free-form JSON."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from mesh.api import scalars
from mesh.api.scalars import nanoseconds


def accepts(kind: Any, value: Any) -> bool:
    try:
        TypeAdapter(kind).validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("5s", 5 * 10**9),
        ("1.5h", 5400 * 10**9),
        ("1h30m", 5400 * 10**9),
        ("100ms", 10**8),
        (".5s", 5 * 10**8),
        ("5.s", 5 * 10**9),
        ("1us", 10**3),
        ("1µs", 10**3),
        ("0s", 0),
        ("0.1ns", 0),
    ],
)
def test_durations_are_parsed_as_by_go(text: str, length: int) -> None:
    assert nanoseconds(text) == length


@pytest.mark.parametrize("text", ["", "5", "s", "5 s", "-5s", "5S", "1d", "1h 30m", "٣s", "1e3s", "5s\n"])
def test_a_malformed_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r'is not a duration: write it like "5s", "1\.5h" or "100ms"'):
        nanoseconds(text)


def test_a_duration_beyond_gos_limit_is_refused() -> None:
    assert nanoseconds("9223372036854775807ns") == 2**63 - 1
    with pytest.raises(ValueError, match="292 years"):
        nanoseconds("2562048h")


@pytest.mark.parametrize(("text", "effective"), [("1ms", True), ("0s", False), ("1us", False), ("1.0005s", False)])
def test_a_duration_is_a_whole_number_of_milliseconds(text: str, effective: bool) -> None:
    assert accepts(scalars.Duration, text) == effective
    assert accepts(scalars.AnyDuration, text)


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        (scalars.Int32, -(2**31), 2**31 - 1),
        (scalars.Natural32, 0, 2**31 - 1),
        (scalars.UInt32, 0, 2**32 - 1),
        (scalars.UInt32Value, 0, 2**32 - 1),
        (scalars.UInt64, 0, 2**63 - 1),
        (scalars.PortNumber, 1, 65535),
        (scalars.SocketPort, 0, 65535),
        (scalars.PortKey, 1, 65535),
        (scalars.Percentage, 0, 100),
    ],
)
def test_integers_outside_their_range_are_refused(kind: Any, low: int, high: int) -> None:
    assert [accepts(kind, n) for n in (low - 1, low, high, high + 1)] == [False, True, True, False]
    assert not accepts(kind, True)
    assert not accepts(kind, 1.0)


@pytest.mark.parametrize("kind", [scalars.Double, scalars.DoubleValue])
def test_floats_must_be_finite(kind: Any) -> None:
    assert accepts(kind, 0.5)
    assert accepts(kind, 1)
    assert not accepts(kind, float("inf"))
    assert not accepts(kind, float("nan"))


@pytest.mark.parametrize(("text", "port"), [("0", 0), ("80", 80), ("65535", 65535), ("00080", 80)])
def test_a_port_number_is_read_from_text(text: str, port: int) -> None:
    assert scalars.port_of(text) == port


@pytest.mark.parametrize("text", ["", "http", "65536", "99999", "000080", "-1", "٣", "²"])
def test_text_that_is_not_a_port_number_gives_none(text: str) -> None:
    assert scalars.port_of(text) is None


def test_a_port_as_the_key_of_a_map_may_be_text() -> None:
    assert TypeAdapter(dict[scalars.PortKey, str]).validate_python({"80": "a", 81: "b"}) == {80: "a", 81: "b"}
    assert not accepts(scalars.PortKey, "http")
    assert not accepts(scalars.PortKey, "٣")


def test_a_struct_may_hold_any_json() -> None:
    assert accepts(scalars.Struct, {"a": [1, 0.5, "b", None, True, {"c": {}}]})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": {1: 2}}, "the key 1 is not a string"),
        ({"a": [float("nan")]}, "nan is not a number that JSON can hold"),
        ({"a": {"b": float("inf")}}, "inf is not a number that JSON can hold"),
        ({"a": (1, 2)}, r"\[1, 2\] is not a JSON value"),
        ({"a": object()}, "a Python object of type object is not a JSON value"),
    ],
)
def test_a_struct_must_not_hold_anything_but_json(value: Any, text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        TypeAdapter(scalars.Struct).validate_python(value)


def test_a_schema_has_only_the_keywords_that_are_set() -> None:
    assert scalars.OpenAPI().keywords() == {}
    assert scalars.OpenAPI("int32", nullable=True).keywords() == {"format": "int32", "nullable": True}
    assert scalars.OpenAPI(anything=True).keywords() == {"x-kubernetes-preserve-unknown-fields": True}
