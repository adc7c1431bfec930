"""tests/everything.yaml, which is compared with Istio's own code, sets every field of traffic and security."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from commands import reference
from tests.traffic_configs import everything

OURS = ("mesh.traffic.", "mesh.security.")
NOT_FOR_ISTIO = {"RateLimit"}
"""Types that become only Kubernetes objects, no Istio ones."""


def values(part: Any) -> Iterator[BaseModel]:
    """A model and all models nested in it."""
    if isinstance(part, BaseModel):
        yield part
        for name in type(part).model_fields:
            yield from values(getattr(part, name))
    elif isinstance(part, dict | list | tuple):
        for item in part.values() if isinstance(part, dict) else part:
            yield from values(item)


def owner(model: type[BaseModel], name: str) -> str:
    """The class, among a model's bases, that defines a field."""
    return next(base.__name__ for base in reversed(model.__mro__) if name in getattr(base, "model_fields", {}))


def test_everything_yaml_sets_every_field_of_traffic_and_security() -> None:
    types = [model for model in reference.models() if model.__module__.startswith(OURS)]
    assert len(types) > 15
    wanted = {(owner(model, name), name) for model in types for name in model.model_fields}
    settings = values(everything().settings)
    found = {(owner(type(value), name), name) for value in settings for name in value.model_fields_set}
    assert {field for field in wanted - found if field[0] not in NOT_FOR_ISTIO} == set()
