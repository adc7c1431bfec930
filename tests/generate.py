"""Objects of Istio's API by chance, drawn from the types themselves; used by property-based tests.

Text and numbers come from a pool in which every form that the API knows has a few examples; what a field takes of them
is found by asking its own type.
"""

from __future__ import annotations

import functools
import types
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from hypothesis import reject
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from components.api import ApiError, Kind, Message
from components.errors import wire_name

POOL: tuple[Any, ...] = (
    *(
        "reviews",
        "reviews.default.svc.cluster.local",
        "*.example.org",
        "*",
        "istio-system/ingress",
        "mesh",
        "v1",
        "x-user",
    ),
    *(
        "5s",
        "100ms",
        "1.5h",
        "0s",
        "10.0.0.0/8",
        "192.0.2.7",
        "/login",
        "^v[0-9]+$",
        "GET",
        "5xx,reset",
        "https",
        "HTTP",
    ),
    *(
        "cluster.local/ns/default/sa/x",
        "spiffe://cluster.local/ns/default/sa/x",
        "unix:///var/run/x.sock",
        "us-east/a/b",
    ),
    *("https://issuer.example/keys", "request.headers[x-user]", "ECDHE-ECDSA-AES128-GCM-SHA256", "secret-name", "a=b"),
    *(0, 1, 50, 80, 100, 301, 443, 503, 9080, 15021, 0.5, 99.9, True, False),
)
FREE: tuple[Any, ...] = ({}, {"a": 1}, {"name": "x", "nested": {"list": [1, "two", None]}})
DEEPEST = 7


def objects(kind: type[Kind]) -> st.SearchStrategy[Kind]:
    """Objects of `kind` that can be built."""

    @st.composite
    def draw_one(draw: st.DrawFn) -> Kind:
        try:
            return kind(**_fields(draw, kind, 0))
        except ApiError:
            reject()  # a rule between fields that chance has not met

    return draw_one()


def _fields(draw: st.DrawFn, model: type[BaseModel], depth: int) -> dict[str, Any]:
    """Some of the fields of a message, with values."""
    group = set(model.one_of) if issubclass(model, Message) else set()
    chosen = draw(st.sampled_from(sorted(group))) if group else None
    values = {}
    for name, field in model.model_fields.items():
        if name in group and name != chosen:
            continue
        wanted = field.is_required() or name == chosen or (depth < DEEPEST and draw(st.integers(0, 9)) < 4)
        if wanted:
            value = _value(draw, _annotated(field), depth + 1)
            if value is not None:
                values[wire_name(name, field)] = value
    return values


def _annotated(field: Any) -> Any:
    metadata = tuple(field.metadata)
    return Annotated[(field.annotation, *metadata)] if metadata else field.annotation


def _value(draw: st.DrawFn, annotation: Any, depth: int) -> Any:
    bare = annotation
    while get_origin(bare) is Annotated:
        bare = get_args(bare)[0]
    origin, arguments = get_origin(bare), get_args(bare)
    if origin in (Union, types.UnionType):
        members = [member for member in arguments if member is not type(None)]
        return _value(draw, draw(st.sampled_from(members)), depth)
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        return _fields(draw, bare, depth)
    if origin is list:
        return [_value(draw, arguments[0], depth) for _ in range(draw(st.integers(1, 2)))]
    if origin is dict and arguments[1] is not Any:
        keys = _examples(arguments[0])
        return {draw(st.sampled_from(keys)): _value(draw, arguments[1], depth)} if keys else {}
    if origin is Literal:
        return draw(st.sampled_from(arguments))
    if isinstance(bare, type) and issubclass(bare, Enum):
        return draw(st.sampled_from([member.value for member in bare]))
    examples = _examples(annotation)
    return draw(st.sampled_from(examples)) if examples else None


@functools.cache
def _examples(annotation: Any) -> list[Any]:
    """What the type takes of the pool."""
    adapter = TypeAdapter(annotation)
    found = []
    for value in (*POOL, *FREE):
        try:
            adapter.validate_python(value, strict=True)
        except ValidationError:
            continue
        found.append(value)
    return found
