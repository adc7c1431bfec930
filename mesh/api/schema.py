"""Generates the OpenAPI v3 schema of a message for a custom resource definition.

The rules are those by which Istio's own schemas are generated from its protobuf messages:

* No field is required. Ranges of numbers and formats of strings are left to Istio's validation.
* An enumeration is a string; a map is an object with `additionalProperties`.
* At most one field of a one-of group may be present (`oneOf`). If such a field is a message with a one-of group of its
  own, the rule of the inner group is in the branch of the outer rule, not in the schema of the field.
"""

import types
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from mesh.api.model import Message
from mesh.api.scalars import OpenAPI
from mesh.core.validation import wire_name

Schema = dict[str, Any]

_SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean"}


def message_schema(message: type[Message]) -> Schema:
    """The schema of a message and its nested messages; no part of it is shared between two places."""
    return {**_object(message), **_one_of(message)}


def _object(message: type[Message]) -> Schema:
    """The schema of a message without the rule of its one-of group."""
    properties = {}
    for name, field in message.model_fields.items():
        wire = wire_name(name, field)
        schema = _schema(field.annotation, field.metadata, ruled_outside=wire in message.one_of)
        properties[wire] = {"description": field.description, **schema}
    return {"type": "object", "properties": properties}


def _schema(annotation: Any, metadata: Iterable[Any] = (), ruled_outside: bool = False) -> Schema:
    """The schema of a type. With `ruled_outside`, the rule of its one-of group is in the schema around it."""
    annotation, inner = _bare(annotation)
    schema = _of_type(annotation, ruled_outside)
    for extra in (*metadata, *inner):
        schema |= extra.keywords() if isinstance(extra, OpenAPI) else {}
    return schema


def _of_type(annotation: Any, ruled_outside: bool) -> Schema:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return {"type": "string", "enum": list(arguments)}
    if origin is list:
        return {"type": "array", "items": _schema(arguments[0])}
    if origin is dict:
        values = {} if arguments[1] is Any else {"additionalProperties": _schema(arguments[1])}
        return {"type": "object", **values}
    if annotation in _SCALARS:
        return {"type": _SCALARS[annotation]}
    return _object(annotation) if ruled_outside else message_schema(annotation)


def _bare(annotation: Any) -> tuple[Any, list[Any]]:
    """The type inside `Annotated` and `| None`, and the metadata of the `Annotated`."""
    metadata: list[Any] = []
    while get_origin(annotation) in (Annotated, Union, types.UnionType):
        if get_origin(annotation) is Annotated:
            metadata += annotation.__metadata__
        annotation = get_args(annotation)[0]
    return annotation, metadata


def _one_of(message: type[Message]) -> Schema:
    """The rule of a message's one-of group, if it has one."""
    if not message.one_of:
        return {}
    return {"oneOf": [{"not": {"anyOf": list(_branches(message))}}, *_branches(message)]}


def _branches(message: type[Message]) -> Iterator[Schema]:
    """For each field of the one-of group, a schema that requires it and applies the rule of the field's own group."""
    for wire in message.one_of:
        member, _ = _bare(message.model_fields[wire].annotation)
        rule = _one_of(member) if isinstance(member, type) and issubclass(member, Message) else {}
        yield {"required": [wire], **({"properties": {wire: rule}} if rule else {})}
