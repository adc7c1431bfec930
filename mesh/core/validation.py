"""The one wording of what is wrong with a typed value, for settings and for Istio's objects alike.

`problems` turns pydantic's errors into lines that a person can act on: the path in the names that
the person wrote, the value, what would be right, and the nearest valid name.
"""

import re
import types
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Interval, Le
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from mesh.core.errors import nearest, show

_WANTED = {
    "string_type": "a string",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
_BOUNDS = {"greater_than_equal", "less_than_equal"}
_OWN_WORDS = {"rule", "value_error", "assertion_error"}  # what validators of ours say, with the value where it helps
_PLAIN_KEY = re.compile(r"[A-Za-z_][\w-]*")  # a mapping's key that a path shows without quotes


def problems(error: ValidationError, model: type[BaseModel], root: str) -> list[str]:
    """What a failed validation of `model` found, one line a problem: `<root><path>: <what is wrong>`.

    `root` stands before each path and ends in its own separator (`"mesh:"`, `"VirtualService "`).
    The value of a field declared with `repr=False` is not repeated.
    """
    return [_line(details, model, root) for details in error.errors(include_url=False)]


class _Place:
    """Where a problem is: its path as a person would write it, and what the model says of that place."""

    def __init__(self, model: type[BaseModel]) -> None:
        self.path = ""
        self.annotation: Any = model
        self.metadata: list[Any] = []
        self.keys: Any = Any
        self.hidden = False

    def enter(self, key: int | str) -> None:
        """Go down one step of pydantic's `loc`."""
        annotation, origin = self.annotation, get_origin(self.annotation)
        arguments = get_args(annotation)
        if key == "[key]":  # the mapping's key itself is wrong; the step before has named it
            self._at(" (the key)", self.keys)
        elif _is_model(annotation):
            self._at_field(annotation, str(key))
        elif origin in (Union, types.UnionType):  # the step tells which member of the union was tried
            self._at("", next((member for member in arguments if _label(member) == str(key).partition("[")[0]), Any))
        elif isinstance(origin, type) and issubclass(origin, Mapping):
            self.keys = arguments[0]
            self._at(f".{key}" if _PLAIN_KEY.fullmatch(str(key)) else f"[{show(key)}]", arguments[1])
        else:
            inner = arguments[0] if arguments else Any
            self._at(f"[{key}]" if isinstance(key, int) else f".{key}", inner)

    def _at_field(self, model: type[BaseModel], key: str) -> None:
        for name, field in model.model_fields.items():
            if key in (name, field.validation_alias):
                self.hidden = self.hidden or not field.repr
                self._at(f".{wire_name(name, field)}", Annotated[field.annotation, field])
                return
        self._at(f".{key}", Any)

    def _at(self, step: str, annotation: Any) -> None:
        self.path, self.metadata = self.path + step, []
        while True:  # down to what is neither `Annotated` nor `… | None`
            if get_origin(annotation) is Annotated:
                annotation, *metadata = get_args(annotation)
                self.metadata += [m for item in metadata for m in getattr(item, "metadata", [item])]
                continue
            members = [a for a in get_args(annotation) if a is not type(None)]
            if get_origin(annotation) not in (Union, types.UnionType) or len(members) != 1:
                break
            annotation = members[0]
        self.annotation = annotation

    @property
    def choices(self) -> list[str]:
        """The names that are valid here, if this is an enumeration."""
        if get_origin(self.annotation) is Literal:
            return [str(name) for name in get_args(self.annotation)]
        if isinstance(self.annotation, type) and issubclass(self.annotation, Enum):
            return [str(member.value) for member in self.annotation]
        return []

    @property
    def fields(self) -> list[str]:
        """The fields that are valid here, if this is an object."""
        if not _is_model(self.annotation):
            return []
        return sorted(wire_name(name, field) for name, field in self.annotation.model_fields.items())

    @property
    def bounds(self) -> str:
        """`in 0..100`, `at least 1` or `at most 5`, if the model sets limits here."""
        low = [m.ge for m in self.metadata if isinstance(m, Ge | Interval) and m.ge is not None]
        high = [m.le for m in self.metadata if isinstance(m, Le | Interval) and m.le is not None]
        if low and high:
            return f"in {max(low)}..{min(high)}"  # type: ignore[type-var]
        return f"at least {low[0]}" if low else f"at most {high[0]}" if high else ""


def wire_name(name: str, field: FieldInfo) -> str:
    """A field's name where it is not Python that is written."""
    return field.validation_alias if isinstance(field.validation_alias, str) else name


def _label(member: Any) -> str:
    """How pydantic calls a member of a union in a `loc`."""
    return "literal" if get_origin(member) is Literal else getattr(member, "__name__", "")


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _line(details: ErrorDetails, model: type[BaseModel], root: str) -> str:
    location, kind, value = details["loc"], details["type"], details["input"]
    place = _Place(model)
    for key in location[:-1] if kind == "extra_forbidden" else location:
        place.enter(key)
    path = (root + place.path.removeprefix(".")).rstrip(" .:")
    if kind == "extra_forbidden":
        name, fields = str(location[-1]), place.fields
        return f"{path}: unknown field {show(name)}{nearest(name, fields)} (fields: {', '.join(fields)})"
    if kind == "missing":
        return f"{path}: is required"
    given = "the given value" if place.hidden else show(value)
    if kind in ("literal_error", "enum"):
        meant = "" if place.hidden else nearest(value, place.choices)
        return f"{path}: {given} is not one of {', '.join(place.choices) or details['ctx']['expected']}{meant}"
    if kind in _BOUNDS and place.bounds:
        return f"{path}: {given} is not {place.bounds}"
    if kind in _WANTED:
        return f"{path}: expected {_WANTED[kind]}, got {given}{_hint(kind, value, place)}"
    if kind in ("too_short", "string_too_short") and details["ctx"]["min_length"] == 1:
        return f"{path}: must not be empty"
    if kind in _OWN_WORDS:
        return f"{path}: {details.get('ctx', {}).get('error', details['msg'])}"
    return f"{path}: {given}: {details['msg'][:1].lower()}{details['msg'][1:]}"


def _hint(kind: str, value: Any, place: _Place) -> str:
    if kind == "string_type" and isinstance(value, bool | int | float) and not place.hidden:
        return f'; put it in quotes: "{show(value)}"'
    if kind == "list_type" and not place.hidden:
        return "; a list of one element is still a list"
    return f" (fields: {', '.join(place.fields)})" if place.fields else ""
