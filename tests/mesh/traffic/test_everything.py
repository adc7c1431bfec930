"""tests/everything.yaml, which Istio's own code is asked about, leaves nothing out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from commands import reference
from tests.traffic_configs import everything

OURS = ("mesh.traffic.", "mesh.security.")
NOT_FOR_ISTIO = {"RateLimit"}
"""Types that become objects of Kubernetes alone."""


def values(part: Any) -> Iterator[BaseModel]:
    """Every typed value within one."""
    if isinstance(part, BaseModel):
        yield part
        for name in type(part).model_fields:
            yield from values(getattr(part, name))
    elif isinstance(part, dict | list | tuple):
        for item in part.values() if isinstance(part, dict) else part:
            yield from values(item)


def owner(model: type[BaseModel], name: str) -> str:
    """The type that brings a field."""
    return next(base.__name__ for base in reversed(model.__mro__) if name in getattr(base, "model_fields", {}))


def test_every_field_is_set_somewhere() -> None:
    types = [model for model in reference.models() if model.__module__.startswith(OURS)]
    assert len(types) > 15
    wanted = {(owner(model, name), name) for model in types for name in model.model_fields}
    said = values(everything().settings)
    found = {(owner(type(value), name), name) for value in said for name in value.model_fields_set}
    assert {field for field in wanted - found if field[0] not in NOT_FOR_ISTIO} == set()
