"""The types of Kubernetes' objects, from the classes of Pulumi's SDK, and of Istio's objects, from its definitions."""

from __future__ import annotations

import importlib
import types as python
from collections.abc import Awaitable, Mapping, Sequence
from functools import cache
from typing import Any, Final, Union, get_args, get_origin

import pulumi
from pulumi import _types  # the SDK's own knowledge of argument classes

from mesh import api
from mesh.analysis.reading import TYPES
from mesh.api.schema import Schemas
from mesh.core.kinds import GroupKind
from mesh.patches.types import ANY, Type, of_schema

_SCALARS: Final[Mapping[Any, str]] = {str: "string", int: "integer", float: "number", bool: "boolean"}


def of_object(body: Mapping[str, Any], versions: api.Versions) -> Type:
    """The type of an object. `versions`: Istio's API in the release. For kinds of neither Kubernetes nor Istio, any
    value is valid."""
    kind = GroupKind.of(body)
    if kind in TYPES:
        return _of_istio(kind, versions)
    group, _, version = str(body["apiVersion"]).rpartition("/")
    return _of_kubernetes(group.partition(".")[0] or "core", version, kind.name)


def _of_istio(kind: GroupKind, versions: api.Versions) -> Type:
    spec = of_schema(Schemas(versions).message(TYPES[kind]))
    metadata = _of_kubernetes("core", "v1", "Service").fields["metadata"]
    texts = Type(names=("string",))
    fields = {"apiVersion": texts, "kind": texts, "metadata": metadata, "spec": spec}
    return Type(names=("object",), read_fields=lambda: fields)


@cache
def _of_kubernetes(group: str, version: str, name: str) -> Type:
    try:
        module = importlib.import_module(f"pulumi_kubernetes.{group}.{version}")
    except ImportError:
        return ANY
    found = getattr(module, f"{name}Args", None)
    return _of_class(found) if isinstance(found, type) else ANY


@cache
def _of_class(cls: type) -> Type:
    return Type(
        names=("object",),
        read_fields=lambda: {name: _of_annotation(one) for name, one in _types.input_type_types(cls).items()},
    )


def _of_annotation(annotation: Any) -> Type:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, python.UnionType):
        return _of_union([_of_annotation(member) for member in arguments if not _is_promise(member)])
    if annotation in _SCALARS:
        return Type(names=(_SCALARS[annotation],))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return Type(names=("object",), element=_of_annotation(arguments[1]))
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return Type(names=("array",), element=_of_annotation(arguments[0]))
    return _of_class(annotation) if isinstance(annotation, type) and _types.is_input_type(annotation) else ANY


def _of_union(members: Sequence[Type]) -> Type:
    """The type of a value of several types, at most one of which has fields or elements."""
    names = tuple(dict.fromkeys(name for one in members for name in one.names))
    inner = next((one for one in members if one.read_fields or one.element), ANY)
    return Type(names=names, read_fields=inner.read_fields, element=inner.element)


def _is_promise(annotation: Any) -> bool:
    """Whether a type is only another form in which the SDK accepts a value: None, an awaitable or an output."""
    return annotation is type(None) or get_origin(annotation) in (Awaitable, pulumi.Output)
