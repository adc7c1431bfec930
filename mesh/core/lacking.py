"""The parts of the types of config and of Istio's API that a release lacks: fields, and values of enumerations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Final, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from mesh.core import places
from mesh.core.typed import Path, ShortForm


class Part(NamedTuple):
    """A part of a value that a release lacks."""

    path: Path
    name: str
    """`Class.field`, or `Class.field=value` for a value of an enumeration."""
    value: str | None
    """The value of the enumeration; None if the field itself is lacking."""


class _Field(NamedTuple):
    """A field that a release lacks, or whose value may have lacking parts."""

    name: str
    wire: str
    annotation: Any
    lacking: str | None
    """Its name if it is itself lacking."""
    enumerations: list[str]
    """Its names if values of its enumeration are lacking."""


class Lacks:
    """The parts of all types that a release lacks, each `Class.field` or `Class.field=value`, with the field's name in
    YAML. A class stands for the classes that inherit from it, too."""

    def __init__(self, names: Iterable[str]) -> None:
        self._fields: dict[str, str] = {}
        self._values: dict[str, list[str]] = defaultdict(list)
        self._classes: set[str] = set()
        for name in names:
            field, is_value, value = name.partition("=")
            self._classes.add(field.partition(".")[0])
            if is_value:
                self._values[field].append(value)
            else:
                self._fields[field] = name
        self._of_model: dict[type[BaseModel], list[_Field]] = {}

    def field(self, model: type[BaseModel], wire: str) -> str | None:
        """The name of the field if it is lacking; None if it is not."""
        return next((name for name in _names(model, wire) if name in self._fields), None)

    def values(self, model: type[BaseModel], wire: str) -> list[str]:
        """The values of the enumeration in a field that are lacking."""
        return [value for name in _names(model, wire) for value in self._values.get(name, ())]

    def parts(self, model: type[BaseModel], data: Any, path: Path = ()) -> Iterator[Part]:
        """The lacking parts of a value of the type, as read from YAML or JSON. A field that is null is not set."""
        if issubclass(model, ShortForm):
            data = model.expanded(data)
        if not isinstance(data, Mapping):
            return
        for field in self._relevant(model):
            value = data.get(field.wire, data.get(field.name))
            if value is None:
                continue
            if field.lacking:
                yield Part((*path, field.wire), field.lacking, None)
            else:
                yield from self._within(field.annotation, value, (*path, field.wire), field.enumerations)

    def _relevant(self, model: type[BaseModel]) -> list[_Field]:
        """The fields of a type that are lacking, or below which something may be."""
        if model not in self._of_model:
            fields = (self._field(model, name, info) for name, info in model.model_fields.items())
            self._of_model[model] = [
                field
                for field in fields
                if field.lacking or field.enumerations or any(map(self._is_cut, _below(field.annotation)))
            ]
        return self._of_model[model]

    def _is_cut(self, model: type[BaseModel]) -> bool:
        """Whether the release lacks a part of the type itself."""
        return any(cls.__name__ in self._classes for cls in model.__mro__)

    def _field(self, model: type[BaseModel], name: str, info: FieldInfo) -> _Field:
        wire = places.wire_name(name, info)
        enumerations = [one for one in _names(model, wire) if one in self._values]
        return _Field(name, wire, info.annotation, self.field(model, wire), enumerations)

    def _within(self, kind: Any, value: Any, path: Path, names: list[str]) -> Iterator[Part]:
        """The lacking parts of a value of the type `kind`, which is an enumeration of the fields `names`."""
        origin, arguments = get_origin(kind), get_args(kind)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from self.parts(kind, value, path)
        elif origin is Literal:
            yield from (Part(path, f"{name}={value}", str(value)) for name in names if value in self._values[name])
        elif origin is Annotated:
            yield from self._within(arguments[0], value, path, names)
        elif isinstance(origin, type) and issubclass(origin, Mapping):
            for key, item in value.items() if isinstance(value, Mapping) else ():
                yield from self._within(arguments[1], item, (*path, key), names)
        elif origin in (list, tuple):
            for i, item in enumerate(value if isinstance(value, list | tuple) else ()):
                yield from self._within(arguments[0], item, (*path, i), names)
        elif origin is not None:  # a union
            found = (part for member in arguments for part in self._within(member, value, path, names))
            yield from dict.fromkeys(found)


NOTHING: Final = Lacks(())


def _names(model: type[BaseModel], wire: str) -> list[str]:
    return [f"{cls.__name__}.{wire}" for cls in model.__mro__ if issubclass(cls, BaseModel)]


def _below(annotation: Any) -> set[type[BaseModel]]:
    """The types in an annotation, and the types of all fields below them."""
    return set[type[BaseModel]]().union(*(_with_parts(model) for _, model in places.models(annotation)))


@cache
def _with_parts(model: type[BaseModel]) -> set[type[BaseModel]]:
    found: set[type[BaseModel]] = set()
    open_ = [model]
    while open_:
        one = open_.pop()
        if one not in found:
            found.add(one)
            open_ += (part for info in one.model_fields.values() for _, part in places.models(info.annotation))
    return found
