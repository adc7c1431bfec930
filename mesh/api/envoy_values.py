"""The value of a patch, read as Istio's validation reads it: as the JSON of a protobuf message of Envoy's API.

Fields that Envoy does not have count as valid, for a later one may have them. Names may be in snake or camel case.
`null` is as good as no value.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from mesh.api import envoy_types
from mesh.api.model import nested
from mesh.api.scalars import nanoseconds
from mesh.core.errors import not_one_of, show
from mesh.core.typed import Findings

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, FieldDescriptor

_WELL_KNOWN: Final = "google.protobuf."
_INTEGER: Final = re.compile(r"\s*(null|-?(0|[1-9][0-9]{0,19}))\s*", re.ASCII)
_DECIMAL: Final = re.compile(r"\s*(null|-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?)\s*", re.ASCII)
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.,]\d+)?(Z|[-+]\d\d:\d\d)", re.ASCII)
_TEXT, _MAPPING, _LIST = "a text", "a mapping", "a list"
_NOT_FINITE: Final = ("NaN", "Infinity", "-Infinity")


def problems(sort: str, value: Mapping[str, Any]) -> Findings:
    """The parts of a patch's value that Envoy's types refuse; `sort` is what the patch applies to."""
    return (found for found in _findings(sort, value) if not isinstance(found[1], _Misspelt))


def misspelt(sort: str, value: Mapping[str, Any]) -> Findings:
    """The fields in a patch's value that nothing reads, and whose names are similar to a field of Envoy."""
    return (found for found in _findings(sort, value) if isinstance(found[1], _Misspelt))


class _Misspelt(str):
    """A message about a field that is no error, since Envoy ignores the field."""


def _findings(sort: str, value: Mapping[str, Any]) -> Findings:
    if name := envoy_types.OBJECTS.get(sort):
        kind = envoy_types.message(name)
        assert kind, "the package has the objects that patches apply to"
        yield from _message(kind, value)


def _message(kind: Descriptor, given: Any) -> Findings:
    if given is None:
        return
    name = kind.full_name.removeprefix(_WELL_KNOWN)
    if name.endswith("Value") and name != kind.full_name and (wrapped := kind.fields_by_name.get("value")):
        yield from _single(wrapped, given)
    elif kind.full_name in _READ_AS:
        wanted, is_valid = _READ_AS[kind.full_name]
        yield from _expected(wanted, given, is_valid(given))
    elif not isinstance(given, Mapping):
        yield from _expected(_MAPPING, given)
    elif kind.full_name == f"{_WELL_KNOWN}Any":
        yield from _any(given)
    else:
        known = envoy_types.fields(kind)
        for key, part in given.items():
            if field := known.get(str(key)):
                yield from nested((str(key),), _field(field, part))
            elif text := envoy_types.misspelt(str(key), kind):
                yield (str(key),), _Misspelt(text)


def _any(given: Mapping[str, Any]) -> Findings:
    """A message whose type is beside its fields, such as `typed_config`."""
    url = given.get("@type")
    if not isinstance(url, str):
        yield ("@type",), "is required: the name of Envoy's type, type.googleapis.com/…"
        return
    name = url.rpartition("/")[2]
    kind = envoy_types.message(name)
    if not kind:
        if text := envoy_types.unknown(name):
            yield ("@type",), text
    elif not name.startswith(_WELL_KNOWN):
        yield from _message(kind, {key: part for key, part in given.items() if key != "@type"})
    elif "value" not in given:
        yield ("value",), f"is required for {name}"
    else:
        yield from nested(("value",), _message(kind, given["value"]))


def _field(field: FieldDescriptor, given: Any) -> Findings:
    kind = field.message_type
    if given is None:
        return
    if kind and kind.GetOptions().map_entry:
        if not isinstance(given, Mapping):
            yield from _expected(_MAPPING, given)
            return
        key_of, value_of = kind.fields_by_name["key"], kind.fields_by_name["value"]
        for key, part in given.items():
            yield from nested((str(key),), _key(key_of, str(key)))
            yield from nested((str(key),), _single(value_of, part))
    elif field.label == field.LABEL_REPEATED:
        if not isinstance(given, list):
            yield from _expected(_LIST, given)
            return
        for i, part in enumerate(given):
            yield from nested((i,), _single(field, part))
    else:
        yield from _single(field, given)


def _key(field: FieldDescriptor, given: str) -> Findings:
    """The key of a map, which is a text in JSON, whatever its type."""
    if field.type == field.TYPE_BOOL:
        yield from _expected("true or false", given, given in ("true", "false"))
    else:
        yield from _single(field, given)


def _single(field: FieldDescriptor, given: Any) -> Findings:
    if field.message_type:
        yield from _message(field.message_type, given)
    elif given is None:
        return
    elif field.enum_type and isinstance(given, str):
        names = envoy_types.values(field.enum_type)
        if given not in names:
            yield (), not_one_of(given, names)
    else:
        wanted, is_valid = _SCALARS[field.cpp_type if field.type != field.TYPE_BYTES else _BYTES]
        yield from _expected(wanted, given, is_valid(given))


def _expected(wanted: str, given: Any, valid: bool = False) -> Findings:
    if not valid:
        yield (), f"expected {wanted}, got {show(given)}: Envoy's own type"


def _is_integer(least: int, most: int) -> Callable[[Any], bool]:
    """Whether a value is read as an integer in these limits: JSON has floating-point numbers, or texts of digits."""

    def check(given: Any) -> bool:
        if isinstance(given, str):
            return bool(_INTEGER.fullmatch(given)) and ("null" in given or least <= int(given) <= most)
        if isinstance(given, bool) or not isinstance(given, int | float) or abs(given) >= 10**21:
            return False
        return float(given).is_integer() and least <= int(float(given)) <= most

    return check


def _is_decimal(given: Any) -> bool:
    if isinstance(given, str):
        return given in _NOT_FINITE or bool(_DECIMAL.fullmatch(given))
    return isinstance(given, int | float) and not isinstance(given, bool)


def _is_bytes(given: Any) -> bool:
    if isinstance(given, list):
        return all(item is None or (not isinstance(item, str) and _is_integer(0, 255)(item)) for item in given)
    try:
        base64.b64decode(re.sub(r"[\r\n]", "", given), validate=True)
    except (TypeError, ValueError):
        return False
    return True


def _is_duration(given: Any) -> bool:
    try:
        text = re.sub("^[-+]", "", given)
        return text == "0" or nanoseconds(text) >= 0
    except (TypeError, ValueError):
        return False


def _integer(bits: int, signed: bool) -> tuple[str, Callable[[Any], bool]]:
    least, most = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return f"a whole number from {least} to {most}", _is_integer(least, most)


_BYTES: Final = -1
_INT32, _INT64, _UINT32, _UINT64, _DOUBLE, _FLOAT, _BOOL, _ENUM, _STRING = range(1, 10)
_SCALARS: Final[Mapping[int, tuple[str, Callable[[Any], bool]]]] = {
    _INT32: _integer(32, signed=True),
    _INT64: _integer(64, signed=True),
    _UINT32: _integer(32, signed=False),
    _UINT64: _integer(64, signed=False),
    _DOUBLE: ("a number", _is_decimal),
    _FLOAT: ("a number", _is_decimal),
    _BOOL: ("true or false", lambda given: isinstance(given, bool)),
    _ENUM: (
        "the name of a value",
        lambda given: not isinstance(given, str) and _is_integer(-(2**31), 2**31 - 1)(given),
    ),
    _STRING: (_TEXT, lambda given: isinstance(given, str)),
    _BYTES: ("bytes in base64", _is_bytes),
}
"""The name of a type's values in messages, and their check, by the numbers of protobuf's `FieldDescriptor.cpp_type`."""
_READ_AS: Final[Mapping[str, tuple[str, Callable[[Any], bool]]]] = {
    f"{_WELL_KNOWN}Duration": ('a duration like "1.5s"', _is_duration),
    f"{_WELL_KNOWN}Timestamp": ('a time like "2025-01-31T00:00:00Z"', lambda given: bool(_TIME.fullmatch(str(given)))),
    f"{_WELL_KNOWN}Struct": (_MAPPING, lambda given: isinstance(given, Mapping)),
    f"{_WELL_KNOWN}ListValue": (_LIST, lambda given: isinstance(given, list)),
    f"{_WELL_KNOWN}Value": ("a value", lambda _: True),
}
"""Messages that are not written as mappings of their fields: the name of their values in messages, and their check."""
