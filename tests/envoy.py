"""Draws values of patches: messages of Envoy's API as people might write them, each with one part that may be wrong."""

from __future__ import annotations

import copy
import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any

from mesh.api import envoy_types

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, FieldDescriptor

Steps = tuple[str | int, ...]

VALUES: tuple[Any, ...] = (
    *("x", "", "5", "1.0", "1e3", "0", "5s", "5ms", "-1s", "1d", "true", "null", "NaN", "AAE=", "A", "GE"),
    *("4294967296", "18446744073709551615", "2025-01-01T00:00:00Z"),
    *(5, -1, 0, 1.5, 1.0, 1e22, 4294967296, 18446744073709551615, True, None),
    *([], ["a"], [5], [{}], [None], {}, {"a": 1}, {"a": None}, {"@type": "x"}, {"@type": 5}),
)
"""Values of all types that JSON has, and texts that are read as others."""
GONE = ("extensions.injected_credentials", "extensions.filters.http.proto_message_logging")
"""Packages below `envoy` that Envoy has dropped since."""


def patches(random: Random) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a patch applies to, and its value."""
    while True:
        sort = random.choice(list(envoy_types.OBJECTS))
        kind = envoy_types.message(envoy_types.OBJECTS[sort])
        assert kind
        value = _message(random, kind, 5)
        if places := list(_places(value)):
            yield sort, _changed(value, random.choice(places), random.choice(VALUES))


@cache
def extensions() -> tuple[str, ...]:
    """The messages that `typed_config` may name."""
    root = importlib.import_module("envoy.extensions")
    folders = [module.name for module in pkgutil.walk_packages(root.__path__, "envoy.extensions.") if module.ispkg]
    known = [folder for folder in folders if not folder.removeprefix("envoy.").startswith(GONE)]
    return tuple(f"{folder}.{name}" for folder in known for name in envoy_types.messages(folder))


def _message(random: Random, kind: Descriptor, depth: int) -> Any:
    if kind.full_name == "google.protobuf.Any":
        name = random.choice(extensions())
        config = envoy_types.message(name)
        assert config
        return {"@type": f"type.googleapis.com/{name}", **_message(random, config, depth - 1)}
    if kind.full_name in _SPECIAL:
        return copy.deepcopy(_SPECIAL[kind.full_name])
    if kind.full_name.startswith("google.protobuf.") and kind.full_name.endswith("Value"):
        return _single(random, kind.fields_by_name["value"], depth)
    fields = [one for one in kind.fields if one.full_name not in envoy_types.CHANGED]
    chosen = random.sample(fields, min(len(fields), random.randint(1, 4) if depth else 0))
    return {random.choice((one.name, one.json_name)): _field(random, one, depth - 1) for one in chosen}


def _field(random: Random, field: FieldDescriptor, depth: int) -> Any:
    kind = field.message_type
    if kind and kind.GetOptions().map_entry:
        key = "5" if kind.fields_by_name["key"].cpp_type != field.CPPTYPE_STRING else "a.b"
        return {key: _single(random, kind.fields_by_name["value"], depth)}
    one = _single(random, field, depth)
    return [one] if field.label == field.LABEL_REPEATED else one


def _single(random: Random, field: FieldDescriptor, depth: int) -> Any:
    if field.message_type:
        return _message(random, field.message_type, max(depth, 0))
    if field.enum_type:
        return random.choice(list(field.enum_type.values_by_name))
    texts = {field.TYPE_STRING: "a", field.TYPE_BYTES: "AAE=", field.TYPE_BOOL: True}
    return texts.get(field.type, random.choice((1, "1")))


_SPECIAL: Mapping[str, Any] = {
    "google.protobuf.Duration": "1.5s",
    "google.protobuf.Timestamp": "2025-01-31T10:00:00Z",
    "google.protobuf.Struct": {"a": [1, {"b": None}]},
    "google.protobuf.ListValue": [1],
    "google.protobuf.Value": "a",
}


def _places(value: Any, before: Steps = ()) -> Iterator[Steps]:
    """The places of all parts of a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, part in items:
        yield (*before, step)
        yield from _places(part, (*before, step))


def _changed(value: Any, place: Steps, part: Any) -> Any:
    inner = value
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = copy.deepcopy(part)
    return value
