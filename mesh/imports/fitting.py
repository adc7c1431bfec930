"""The parts of data that the types of the settings accept, and the reasons why they do not accept the others."""

from __future__ import annotations

import types
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Final, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from mesh import releases
from mesh.api.model import Message
from mesh.core import documents
from mesh.core.lacking import Lacks
from mesh.core.places import wire_name, written
from mesh.core.typed import ShortForm
from mesh.imports.source import Steps, camel

NOTHING: Final = object()
"""Stands for data of which no part is accepted."""
Rest = list[tuple[Steps, str]]
"""The paths of parts that are not accepted, each with the reason."""


class Fitting:
    """Fits data to the types of the settings, as far as a release has them."""

    def __init__(self, release: str) -> None:
        self._release, self._lacks = release, Lacks(releases.lacks(release))
        self.rest: Rest = []

    def fit(self, annotation: Any, data: Any, path: Steps = (), field: FieldInfo | None = None) -> Any:
        """The data in the order of the type's fields, without the parts that the type does not accept, which are added
        to `rest`; NOTHING if no part is left. Null counts as not set, as in Istio."""
        if data is None:
            return NOTHING
        models = list(_models(annotation))
        if models and isinstance(data, Mapping):
            return self._fields(models[0], data, path)
        if (inner := _inner(annotation)) is not None and data:
            if isinstance(data, Mapping) and get_origin(_bare(annotation)) is dict:
                return self._map(inner, data, path)
            if isinstance(data, list) and get_origin(_bare(annotation)) in (list, tuple) and any(_models(inner)):
                return self._items(inner, data, path)
        return self._whole(Annotated[annotation, field] if field else annotation, data, path)

    def _fields(self, model: type[BaseModel], data: Mapping[str, Any], path: Steps) -> Any:
        found = {}
        for key, value in data.items():
            name, field = _field(model, str(key))
            if field is None:
                self._refuse((*path, str(key)), value, "there is no such setting here")
            elif self._lacks.field(model, name):
                self._refuse((*path, str(key)), value, f"Istio {self._release} has no such setting")
            elif (kept := self.fit(field.annotation, value, (*path, name), field)) is not NOTHING:
                found[name] = kept
        order = _order(model)
        found = {name: found[name] for name in sorted(found, key=order.__getitem__)}
        return found if found or not data else NOTHING

    def _map(self, inner: Any, data: Mapping[str, Any], path: Steps) -> Any:
        pairs = ((str(key), self.fit(inner, value, (*path, str(key)))) for key, value in data.items())
        found = {key: value for key, value in pairs if value is not NOTHING}
        return found or NOTHING

    def _items(self, inner: Any, data: list[Any], path: Steps) -> Any:
        found = [self.fit(inner, item, (*path, str(i))) for i, item in enumerate(data)]
        return [item for item in found if item is not NOTHING] or NOTHING

    def _whole(self, annotation: Any, data: Any, path: Steps) -> Any:
        """Data that is accepted as a whole or not at all. A text with a number or a boolean counts as one."""
        adapter, problem = TypeAdapter(annotation), ""
        for tried, strict in ((data, True), *((read, True) for read in _read(data)), (data, False)):
            try:
                adapter.validate_python(tried, strict=strict)
            except ValidationError as error:
                problem = _problem(error)
            else:
                return tried
        self._refuse(path, data, problem)
        return NOTHING

    def _refuse(self, path: Steps, value: Any, why: str) -> None:
        if value not in (None, "", {}, []):  # which change nothing
            self.rest.append((path, why))


def _problem(error: ValidationError) -> str:
    """The problem of a value, without its path and the value itself, which may be a credential."""
    details = error.errors(include_url=False)[0]
    text = str(details.get("ctx", {}).get("error", details["msg"]))
    return f"not accepted here: {text[:1].lower()}{text[1:]}"


def _read(data: Any) -> list[Any]:
    """The number or boolean that YAML reads from a text, if any."""
    if not isinstance(data, str):
        return []
    try:
        read = documents.load(data)
    except (yaml.YAMLError, ValueError):
        return []
    return [read] if isinstance(read, int | float | bool) else []


def _bare(annotation: Any) -> Any:
    """The type without its annotations, and without None."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
            continue
        members = [a for a in get_args(annotation) if a is not type(None)]
        if get_origin(annotation) not in (Union, types.UnionType) or len(members) != 1:
            return annotation
        annotation = members[0]


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The type itself, if it is a model with fields of its own; no types with shorter forms, which are read as a
    whole."""
    bare = _bare(annotation)
    is_model = isinstance(bare, type) and issubclass(bare, BaseModel) and not issubclass(bare, ShortForm)
    return [bare] if is_model and bare.model_fields else []


def _inner(annotation: Any) -> Any:
    """The type of the values of a map or list; None for other types."""
    bare = _bare(annotation)
    arguments = get_args(bare)
    if get_origin(bare) is dict and arguments[1] is not Any:
        return arguments[1]
    return arguments[0] if get_origin(bare) in (list, tuple) and arguments else None


@cache
def _order(model: type[BaseModel]) -> Mapping[str, int]:
    """The places of the fields of a model, in YAML: its own before those that it inherits."""
    own = model.__annotations__
    names = sorted(model.model_fields, key=lambda name: name not in own)
    return {wire_name(name, model.model_fields[name]): i for i, name in enumerate(names)}


def _field(model: type[BaseModel], key: str) -> tuple[str, FieldInfo | None]:
    """The field that a key names, with its name in YAML; None if there is none. Istio's API has two spellings."""
    fields = {wire_name(name, field): field for name, field in model.model_fields.items()}
    name = key if key in fields or not issubclass(model, Message) else camel(key)
    return name, fields.get(name)


def said(path: Steps) -> str:
    """A path as users write it."""
    return written(int(step) if step.isdigit() else step for step in path)
