"""The types that patches are checked with, of Kubernetes' objects and of Istio's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from mesh.core.errors import nearest, not_one_of, show
from mesh.patches.merge import DIRECTIVE
from mesh.patches.paths import Item, PatchError, Path, shown

_EXPECTED: Final[Mapping[str, str]] = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}
"""The types of JSON, in words."""
_NAMING: Final = ("name", "containerPort", "port", "mountPath")


@dataclass(frozen=True, kw_only=True, eq=False)
class Type:
    """The type of a value."""

    names: tuple[str, ...] = ()
    """The types of JSON that it may have; empty: any value."""
    read_fields: Callable[[], Mapping[str, Type]] | None = None
    """The fields of a mapping; None if its keys are free. They are read when they are needed."""
    element: Type | None = None
    """The type of the items of a list, or of the values of a mapping with free keys; None: any value."""
    choices: tuple[Any, ...] = ()
    """The valid values; empty: all."""

    @cached_property
    def fields(self) -> Mapping[str, Type]:
        """The fields of a mapping; empty if its keys are free."""
        return self.read_fields() if self.read_fields else {}


ANY: Final = Type()


def of_schema(schema: Mapping[str, Any]) -> Type:
    """The type of an OpenAPI schema, as definitions of Istio's kinds have it."""
    if schema.get("x-kubernetes-int-or-string"):
        return Type(names=("integer", "string"))
    name, fields = schema.get("type"), schema.get("properties")
    inner = schema.get("items" if name == "array" else "additionalProperties")
    return Type(
        names=(name,) if name else (),
        read_fields=(lambda: {key: of_schema(one) for key, one in fields.items()}) if fields else None,
        element=of_schema(inner) if isinstance(inner, Mapping) else None,
        choices=tuple(schema.get("enum") or ()),
    )


def at(type_: Type, steps: Sequence[str]) -> Type:
    """The type of the value that a JSON pointer leads to. Raises PatchError for an unknown field."""
    path: Path = ()
    for step in steps:
        if type_.names == ("array",):
            path, type_ = (*path, int(step) if step.isdecimal() else step), type_.element or ANY
            continue
        if type_.fields and step not in type_.fields:
            raise PatchError(path, _unknown(step, type_))
        if type_.names and "object" not in type_.names:
            raise PatchError(path, f"is {_words(type_)}, which has no parts")
        path, type_ = (*path, step), type_.fields.get(step) or type_.element or ANY
    return type_


def problems(value: Any, type_: Type, merges: bool, path: Path = ()) -> Iterator[PatchError]:
    """The problems of a value by its type. In a patch that `merges`, null removes a field, and directives have no
    type."""
    if value is None and merges:
        return
    if type_.names and not any(_is(value, name) for name in type_.names):
        quotes = f"; put it in quotes: {show(show(value))}" if _is_scalar(value) and "string" in type_.names else ""
        yield PatchError(path, f"expected {_words(type_)}, got {shown(value, path)}{quotes}")
    elif type_.choices and value not in type_.choices:
        yield PatchError(path, not_one_of(value, map(str, type_.choices)))
    elif isinstance(value, Mapping):
        yield from _of_mapping(value, type_, merges, path)
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from problems(item, type_.element or ANY, merges, (*path, _step(item, i)))


def _of_mapping(value: Mapping[str, Any], type_: Type, merges: bool, path: Path) -> Iterator[PatchError]:
    for key, item in value.items():
        if merges and key.startswith(DIRECTIVE[0]):
            continue
        if type_.fields and key not in type_.fields:
            yield PatchError(path, _unknown(key, type_))
        else:
            yield from problems(item, type_.fields.get(key) or type_.element or ANY, merges, (*path, key))


def _unknown(name: str, type_: Type) -> str:
    fields = sorted(type_.fields)
    return f"unknown field {show(name)}{nearest(name, fields)} (fields: {', '.join(fields)})"


def _step(item: Any, index: int) -> int | Item:
    names = (item.get(key) for key in _NAMING) if isinstance(item, Mapping) else ()
    return next((Item(str(name)) for name in names if isinstance(name, str | int)), index)


def _words(type_: Type) -> str:
    return " or ".join(_EXPECTED[name] for name in type_.names)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, bool | int | float)


def _is(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if isinstance(value, int):
        return name in ("integer", "number")
    by_type = {str: "string", float: "number", list: "array", dict: "object"}
    return by_type.get(type(value)) == name
