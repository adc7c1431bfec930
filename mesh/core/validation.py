"""Messages about invalid values, in settings and in Istio's objects.

`problems` turns pydantic's errors into lines with the path as the user wrote it, the value, what is valid, and the most
similar valid name.
"""

import types
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Interval, Le
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from mesh.core import disclosure, places
from mesh.core.errors import nearest, show
from mesh.core.lacking import NOTHING, Lacks
from mesh.core.places import wire_name as wire_name
from mesh.core.typed import Form

_EXPECTED = {
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
_MAPPING = {"dict_type", "model_type", "model_attributes_type"}
_FORM = {"string_pattern_mismatch", "string_too_long"}
_BOUNDS = {"greater_than_equal", "less_than_equal"}
_OWN_MESSAGES = {"rule", "value_error", "assertion_error"}  # messages of this project's validators, shown as they are
_REFUSED = {"too_short", "too_long", "string_too_short", "string_too_long", "string_pattern_mismatch"}
_MISSPELT = 0.8  # how similar a misspelt name is to the right one, of 1
_FEW = 3  # places that a message names


def problems(error: ValidationError, model: type[BaseModel], root: str, lacks: Lacks = NOTHING) -> list[str]:
    """One line for each error of a failed validation of `model`: `<root><path>: <problem>`.

    `root` is the prefix of each path, with its separator (`"mesh:"`, `"VirtualService "`). The lines do not show values
    of fields declared with `repr=False`, nor do they offer what a release `lacks`.
    """
    return [_line(details, model, root, lacks) for details in error.errors(include_url=False)]


def is_malformed(error: ValidationError) -> bool:
    """Whether a value has the wrong type or lacks a part, so that it cannot be read. A value that is refused for its
    content can be read."""
    return any(_is_malformed(details) for details in error.errors(include_url=False))


def unknown(error: ValidationError) -> list[tuple[str | int, ...]]:
    """The locations of unknown fields."""
    return [details["loc"] for details in error.errors(include_url=False) if details["type"] == "extra_forbidden"]


def _is_malformed(details: ErrorDetails) -> bool:
    kind = details["type"]
    if kind in ("literal_error", "enum"):
        return not isinstance(details["input"], str)
    return kind not in ("extra_forbidden", *_OWN_MESSAGES, *_BOUNDS, *_REFUSED)


class _Location:
    """The location of an error: its path as the user writes it, and the type that the model has there."""

    def __init__(self, model: type[BaseModel], lacks: Lacks) -> None:
        self.path, self._lacks = "", lacks
        self._lacking: list[str] = []
        self.annotation: Any = model
        self.metadata: list[Any] = []
        self.keys: Any = Any
        self.hidden = False

    def enter(self, key: int | str) -> None:
        """Descends by one step of pydantic's `loc`."""
        annotation, origin = self.annotation, get_origin(self.annotation)
        arguments = get_args(annotation)
        if key == "[key]":  # the mapping's key itself is invalid; the previous step was its name
            self._at(" (the key)", self.keys)
        elif _is_model(annotation):
            self._at_field(annotation, str(key))
        elif origin in (Union, types.UnionType):  # the step is the member of the union that was tried
            self._at("", next((member for member in arguments if _label(member) == str(key).partition("[")[0]), Any))
        elif isinstance(origin, type) and issubclass(origin, Mapping):
            self.keys = arguments[0]
            self._at(places.step(key), arguments[1])
        else:
            inner = arguments[0] if arguments else Any
            self._at(f"[{key}]" if isinstance(key, int) else f".{key}", inner)

    def _at_field(self, model: type[BaseModel], key: str) -> None:
        for name, field in model.model_fields.items():
            if key in (name, field.validation_alias):
                self.hidden = self.hidden or not field.repr
                self._lacking = self._lacks.values(model, wire_name(name, field))
                self._at(f".{wire_name(name, field)}", Annotated[field.annotation, field])
                return
        self._at(f".{key}", Any)

    def _at(self, step: str, annotation: Any) -> None:
        self.path, self.metadata = self.path + step, []
        while True:  # strip `Annotated` and `… | None`
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
        """The valid values of an enumeration or `Literal`; empty for other types."""
        if get_origin(self.annotation) is Literal:
            return [str(name) for name in get_args(self.annotation) if name not in self._lacking]
        if isinstance(self.annotation, type) and issubclass(self.annotation, Enum):
            return [str(member.value) for member in self.annotation]
        return []

    @property
    def fields(self) -> list[str]:
        """The fields of a model; empty for other types."""
        if not _is_model(self.annotation):
            return []
        names = places.wire_names(self.annotation)
        return sorted(name for name in names if not self._lacks.field(self.annotation, name))

    @property
    def form(self) -> str:
        """The required form of a string, in words; empty if it has none."""
        return next((m.text for m in self.metadata if isinstance(m, Form)), "")

    @property
    def shape(self) -> str:
        """The forms of a type that has shorter forms, among them the mapping; empty for other types."""
        short = getattr(self.annotation, "short_forms", "")
        return f"{short} or a mapping" if short else ""

    @property
    def bounds(self) -> str:
        """The limits of a number: `in 0..100`, `at least 1` or `at most 5`; empty if there are none."""
        low = [m.ge for m in self.metadata if isinstance(m, Ge | Interval) and m.ge is not None]
        high = [m.le for m in self.metadata if isinstance(m, Le | Interval) and m.le is not None]
        if low and high:
            return f"in {max(low)}..{min(high)}"  # type: ignore[type-var]
        return f"at least {low[0]}" if low else f"at most {high[0]}" if high else ""


def _label(member: Any) -> str:
    """The name of a union's member in pydantic's `loc`."""
    return "literal" if get_origin(member) is Literal else getattr(member, "__name__", "")


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _line(details: ErrorDetails, model: type[BaseModel], root: str, lacks: Lacks) -> str:
    loc, kind, value = details["loc"], details["type"], details["input"]
    location = _Location(model, lacks)
    for key in loc[:-1] if kind == "extra_forbidden" else loc:
        location.enter(key)
    path = (root + location.path.removeprefix(".")).rstrip(" .:")
    if kind == "extra_forbidden":
        name, fields = str(loc[-1]), location.fields
        meant = _meant(name, value, location, model, root)
        return f"{path}: unknown field {show(name)}{meant} (fields: {', '.join(fields)})"
    if kind == "missing":
        return f"{path}: is required"
    given = "the given value" if location.hidden else show(disclosure.DEFAULT.masked(value, tuple(map(str, loc))))
    if kind in ("literal_error", "enum"):
        meant = "" if location.hidden else nearest(value, location.choices)
        return f"{path}: {given} is not one of {', '.join(location.choices) or details['ctx']['expected']}{meant}"
    if kind in _BOUNDS and location.bounds:
        return f"{path}: {given} is not {location.bounds}"
    if kind in _FORM and location.form:
        return f"{path}: {given} is not a {location.form}"
    if kind in _EXPECTED:
        expected = (kind in _MAPPING and location.shape) or _EXPECTED[kind]
        return f"{path}: expected {expected}, got {given}{_hint(kind, value, location)}"
    if kind in ("too_short", "string_too_short") and details["ctx"]["min_length"] == 1:
        return f"{path}: must not be empty"
    if kind in _OWN_MESSAGES:
        return f"{path}: {details.get('ctx', {}).get('error', details['msg'])}"
    return f"{path}: {given}: {details['msg'][:1].lower()}{details['msg'][1:]}"


def _meant(name: str, value: Any, location: _Location, model: type[BaseModel], root: str) -> str:
    """A hint about an unknown field: the correct spelling, or the places where the field belongs, below the given place
    or else anywhere; empty if there is none, or too many."""
    if close := nearest(name, location.fields, _MISSPELT):
        return close
    above = f"{root}{location.path.removeprefix('.')}".rstrip(" .:")
    below = places.of(name, value, location.annotation) if _is_model(location.annotation) else []
    if 0 < len(below) <= _FEW:
        joint = "." if location.path else root[len(above) :]
        return f"; it belongs at {' or '.join(f'{above}{joint}{path}' for path in below)}"
    if similar := nearest(name, location.fields):
        return similar
    elsewhere = places.of(name, value, model)
    return f"; it belongs at {' or '.join(root + path for path in elsewhere)}" if 0 < len(elsewhere) <= _FEW else ""


def _in_quotes(text: str, location: _Location) -> str:
    """The advice to put a value in quotes, or why that is not enough."""
    try:
        TypeAdapter(Annotated[location.annotation, None, *location.metadata]).validate_python(text)
    except ValidationError as error:
        details = error.errors()[0]
        return f"; {details.get('ctx', {}).get('error', details['msg'])}" if details["type"] in _OWN_MESSAGES else ""
    return f'; put it in quotes: "{text}"'


def _hint(kind: str, value: Any, location: _Location) -> str:
    if kind == "string_type" and isinstance(value, bool | int | float) and not location.hidden:
        return _in_quotes(show(value), location)
    if kind == "list_type" and not location.hidden:
        return "; a list of one element is still a list"
    return f" (fields: {', '.join(location.fields)})" if location.fields else ""
