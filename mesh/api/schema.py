"""Generates the OpenAPI v3 schema of a message for a custom resource definition of a release.

The rules are those by which Istio's own schemas are generated from its protobuf messages:

* An enumeration is a string; a map is an object with `additionalProperties`.
* At most one field of a one-of group may be present (`oneOf`).
* What the release lacks is left out.

Without `Versions.enforced`:

* No field is required. Ranges of numbers and formats of strings are left to Istio's validation.
* If a field of a one-of group is a message with a one-of group of its own, the rule of the inner group is in the branch
  of the outer rule, not in the schema of the field.

With it, the schema has the limits of `mesh.api.enforced`, and each rule stands in the schema of its own message.
"""

import types
from collections.abc import Iterable
from copy import deepcopy
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from mesh.api.enforced import Enforced, validations
from mesh.api.model import Message, Versions
from mesh.api.scalars import OpenAPI
from mesh.core.lacking import Lacks
from mesh.core.validation import wire_name

Schema = dict[str, Any]

_SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean"}
_INT_OR_STRING = {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True}


class Schemas:
    """The schemas of messages in one release."""

    def __init__(self, versions: Versions) -> None:
        self._enforced, self._lacks = versions.enforced, Lacks(versions.lacks)

    def message(self, message: type[Message]) -> Schema:
        """The schema of a message and its nested messages; no part of it is shared between two places."""
        rules = validations(message.enforced) if self._enforced else {}
        return {**self._object(message), **self._one_of(message), **rules}

    def _object(self, message: type[Message]) -> Schema:
        """The schema of a message without the rule of its one-of group."""
        properties, required = {}, []
        for name, field in message.model_fields.items():
            wire = wire_name(name, field)
            if self._lacks.field(message, wire):
                continue
            outside = wire in message.one_of and not self._enforced
            schema = self._schema(field.annotation, field.metadata, outside)
            for value in self._lacks.values(message, wire):
                schema["enum"].remove(value)
            properties[wire] = {"description": field.description, **schema}
            if field.is_required() if message.required is None else wire in message.required:
                required.append(wire)
        rule = {"required": required} if self._enforced and required else {}
        return {"type": "object", "properties": properties, **rule}

    def _schema(self, annotation: Any, metadata: Iterable[Any] = (), ruled_outside: bool = False) -> Schema:
        """The schema of a type. With `ruled_outside`, the rule of its one-of group is in the schema around it."""
        annotation, inner = bare(annotation)
        schema = self._of_type(annotation, ruled_outside)
        for extra in (*inner, *metadata):
            if isinstance(extra, OpenAPI) or (isinstance(extra, Enforced) and self._enforced):
                schema |= extra.keywords()
        return schema

    def _of_type(self, annotation: Any, ruled_outside: bool) -> Schema:
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is Literal:
            return {"type": "string", "enum": list(arguments)}
        if origin is list:
            return {"type": "array", "items": self._schema(arguments[0])}
        if origin is dict:
            values = {} if arguments[1] is Any else {"additionalProperties": self._schema(arguments[1])}
            return {"type": "object", **values}
        if origin in (Union, types.UnionType):
            return {**_INT_OR_STRING}
        if annotation in _SCALARS:
            return {"type": _SCALARS[annotation]}
        return self._object(annotation) if ruled_outside else self.message(annotation)

    def _one_of(self, message: type[Message]) -> Schema:
        """The rules of a message's one-of groups, if it has any."""
        rules = [
            {"oneOf": [_none_of(found), *found]} for group in message.groups() if (found := self._in(message, group))
        ]
        return rules[0] if len(rules) == 1 else {"allOf": rules} if rules else {}

    def _in(self, message: type[Message], group: Iterable[str]) -> list[Schema]:
        return [self._branch(message, wire) for wire in group if not self._lacks.field(message, wire)]

    def _branch(self, message: type[Message], wire: str) -> Schema:
        """A schema that requires a field of a one-of group and applies the rule of the field's own group."""
        member, _ = bare(message.model_fields[wire].annotation)
        nested = isinstance(member, type) and issubclass(member, Message) and not self._enforced
        rule = self._one_of(member) if nested else {}
        return {"required": [wire], **({"properties": {wire: rule}} if rule else {})}


def without_descriptions(schema: Any) -> Any:
    """The schema without the descriptions of its parts."""
    if isinstance(schema, list):
        return [without_descriptions(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: item for key, item in schema.items() if key != "description" or not isinstance(item, str)}
    return {key: without_descriptions(item) for key, item in kept.items()}


def _none_of(branches: list[Schema]) -> Schema:
    """Matches a value that none of the branches matches, without sharing their parts."""
    return {"not": {"anyOf": deepcopy(branches)}}


def bare(annotation: Any) -> tuple[Any, list[Any]]:
    """The type inside `Annotated` and `| None`, and the metadata of the `Annotated`, from the inside out."""
    metadata: list[Any] = []
    while True:
        if get_origin(annotation) is Annotated:
            metadata = [*annotation.__metadata__, *metadata]
            annotation = get_args(annotation)[0]
            continue
        members = [member for member in get_args(annotation) if member is not type(None)]
        if get_origin(annotation) not in (Union, types.UnionType) or len(members) > 1:
            return annotation, metadata
        (annotation,) = members
