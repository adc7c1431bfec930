"""Places of keys: paths as users write them, and where in a type, or the types below it, a misplaced key belongs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from mesh.core.errors import show

_DEEPEST = 8
_PLAIN_KEY = re.compile(r"[A-Za-z_][\w-]*")  # a key that needs no quotes in a path


def written(path: Iterable[str | int]) -> str:
    """A path as users write it, such as `http[0].match["a b"]`."""
    return "".join(step(key) for key in path).removeprefix(".")


def step(key: str | int) -> str:
    """The step of a path to a key of a map, or to an element of a list."""
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if _PLAIN_KEY.fullmatch(key) else f"[{show(key)}]"


def wire_name(name: str, field: FieldInfo) -> str:
    """The field's name in config and manifests: its alias if it has one."""
    return field.validation_alias if isinstance(field.validation_alias, str) else name


@cache
def wire_names(model: type[BaseModel]) -> Mapping[str, str]:
    """The names of a type's fields in Python, by their names in config and manifests, in the order of the type."""
    return {wire_name(name, field): name for name, field in model.model_fields.items()}


def json_name(name: str) -> str:
    """The JSON name of a protobuf field, such as `accessLogFile` for `access_log_file`."""
    return re.sub("_(.)", lambda found: found[1].upper(), name)


def of(name: str, value: Any, model: type[BaseModel]) -> list[str]:
    """The paths below `model`, such as `tracing.sampling`, of the fields `name` that accept `value`; nearest first.
    If a further control plane repeats a part, only the first path is among them."""
    found = [path for path, field in _paths(name, model, (), "") if _accepts(field, value)]
    first = (path for path in found if not any(path.endswith(f".{other}") for other in found))
    return sorted(first, key=lambda path: (path.count("."), path))


def _accepts(field: FieldInfo, value: Any) -> bool:
    try:
        TypeAdapter(Annotated[field.annotation, field]).validate_python(value)
    except ValueError:
        return False
    return True


def _paths(
    name: str, model: type[BaseModel], above: tuple[type[BaseModel], ...], prefix: str
) -> Iterator[tuple[str, FieldInfo]]:
    if model in above or len(above) > _DEEPEST:
        return
    for field_name, field in model.model_fields.items():
        path = f"{prefix}{wire_name(field_name, field)}"
        if wire_name(field_name, field) == name:
            yield path, field
        for step, inner in models(field.annotation):
            yield from _paths(name, inner, (*above, model), f"{path}{step}.")


def models(annotation: Any) -> Iterator[tuple[str, type[BaseModel]]]:
    """The types in an annotation, each with the step that leads to it: `[0]` in a list, `.NAME` in a mapping."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield "", annotation
    elif origin is Annotated:
        yield from models(arguments[0])
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        yield from ((f".NAME{step}", model) for step, model in models(arguments[1]))
    elif origin in (list, tuple):
        yield from ((f"[0]{step}", model) for step, model in models(arguments[0]))
    elif origin is not None and origin is not Literal:  # a union
        for member in arguments:
            yield from models(member)
