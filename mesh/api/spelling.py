"""Fields in the second spelling that Istio accepts: protobuf reads `access_log_file` as `accessLogFile`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, get_args, get_origin

from mesh.api.mesh_config import LabelSelector
from mesh.api.model import Message
from mesh.core.places import json_name, wire_name
from mesh.core.typed import Path

_ONE_SPELLING: Final = frozenset((LabelSelector,))
"""The types whose fields have only one spelling, like those of Kubernetes."""


def respell(kind: Any, data: Any) -> list[tuple[Path, str]]:
    """Brings data of the type `kind`, as read from YAML or JSON, into the spelling of our types. Returns the fields
    that are there in both spellings: the path of the other one, which is removed, and our name."""
    twice = []
    for path, name in list(others(kind, data)):
        part = data
        for step in path[:-1]:
            part = part[step]
        if name in part:
            twice.append((path, name))
        else:
            part[name] = part[path[-1]]
        del part[path[-1]]
    return twice


def others(kind: Any, data: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """The fields in data of the type `kind`, as read from YAML or JSON, that have the other spelling: paths, each with
    the field's name in our types. What is inside of a field comes before the field."""
    if isinstance(data, list):
        for i, item in enumerate(data):
            yield from others(kind, item, (*path, i))
    found = _kind(kind)
    if not isinstance(data, Mapping) or found is None:
        return
    if get_origin(found) is dict:
        for key, item in data.items():
            yield from others(get_args(found)[1], item, (*path, key))
        return
    fields = {wire_name(name, field): field.annotation for name, field in found.model_fields.items()}
    for key, item in data.items():
        name = key if key in fields or found in _ONE_SPELLING else json_name(str(key))
        if name in fields:
            yield from others(fields[name], item, (*path, key))
        if name != key and name in fields:
            yield (*path, key), name


def _kind(annotation: Any) -> Any:
    """The type of the messages in an annotation of a message, of a list or map of messages, or of an optional one; None
    if there is none."""
    if get_origin(annotation) is dict or (isinstance(annotation, type) and issubclass(annotation, Message)):
        return annotation
    parts = get_args(annotation)[:1] if get_origin(annotation) is Annotated else get_args(annotation)
    return next(filter(None, map(_kind, parts)), None)
