"""Reads objects: reports missing fields and wrong types, and returns what the API server would keep.

An object with such fields is malformed: the API server refuses it, and no rule reads it. The types of Istio's kinds are
those of `mesh.api`; the types of Kubernetes' own are in `forms`. A `null` in a mapping counts as no entry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any, Final, NamedTuple

import yaml
from pydantic import ValidationError

from mesh import api
from mesh.analysis.forms import FORMS, Form, Metadata, WithSpec
from mesh.api import spelling
from mesh.api.mesh_config import MeshConfig
from mesh.core import validation
from mesh.core.errors import show
from mesh.core.kinds import GroupKind

TYPES: Final[Mapping[GroupKind, type[api.Kind]]] = {kind.group_kind(): kind for kind in api.Kind.__subclasses__()}
"""The types of Istio's kinds."""


def without_nulls(value: Any) -> Any:
    """A value without null entries in its mappings; the same object if there are none."""
    if isinstance(value, dict):
        kept = {key: without_nulls(item) for key, item in value.items() if item is not None}
        changed = len(kept) < len(value) or any(kept[key] is not value[key] for key in kept)
        return kept if changed else value
    if isinstance(value, list):
        items = [without_nulls(item) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value


_UNKNOWN: Final = ": unknown field"


class Read(NamedTuple):
    """An object, as far as it can be read."""

    body: Mapping[str, Any]
    """The object without nulls and unknown fields, as the API server keeps it."""
    problems: Sequence[str]
    """What the types refuse, as `<path>: <problem>`; a path is one in the spec, or else in the object."""
    malformed: bool
    """Whether a field has the wrong type or is missing."""
    message: api.Kind | None = None
    """The spec of an object of Istio's API, without unknown fields; None for other kinds, or if it is refused."""
    refused: bool = False
    """Whether the types refuse more than unknown fields."""


def read(kind: GroupKind, body: Mapping[str, Any]) -> Read:
    """Reads an object. If no form is known for its kind, only the metadata is checked."""
    found = _problems(Metadata, without_nulls(body.get("metadata")), "metadata.")
    if kind in TYPES:
        return _of_istio(kind, without_nulls(body), found)
    if kind in FORMS:
        body = without_nulls(body)
        found += _problems(FORMS[kind], body, "")
    return Read(body, found, malformed=bool(found), refused=bool(found))


def _of_istio(kind: GroupKind, body: Mapping[str, Any], found: list[str]) -> Read:
    spec, message, malformed = body.get("spec", {}), None, bool(found)
    if not isinstance(spec, Mapping):
        return Read(body, [*found, *_problems(WithSpec, body, "")], malformed=True, refused=True)
    misspelt: list[str] = []
    unread = True
    while unread:
        unread = False
        try:
            message = TYPES[kind].from_wire(spec)
        except api.ApiError as error:
            texts = [text.removeprefix(kind.name).strip() for text in error.problems]
            # a message with an unknown field lacks a field probably because that one is misspelt
            found += (text for text in texts if not text.startswith(tuple(misspelt)))
            misspelt += (text.partition(_UNKNOWN)[0] for text in texts if _UNKNOWN in text)
            malformed = malformed or error.malformed
            kept = reduce(_without, error.unknown, spec)
            spec, unread = kept, kept != spec
    whole = body if spec is body.get("spec", spec) else {**body, "spec": spec}
    refused = malformed or not message or len(found) > len(misspelt)
    return Read(whole, found, malformed, None if refused else message, refused)


def mesh_config(text: str) -> tuple[Mapping[str, Any], list[str]]:
    """The MeshConfig in a text of YAML, and why it cannot be read; empty in that case."""
    try:
        found = yaml.load(text, Loader=yaml.CSafeLoader) or {}
    except yaml.YAMLError as error:
        return {}, [f"not valid YAML: {' '.join(str(error).split())}"]
    if not isinstance(found, dict):
        return {}, [f"expected a mapping, got {show(found)}"]
    found = without_nulls(found)
    spelling.respell(MeshConfig, found)  # if a field is set in both spellings, ours wins
    try:
        MeshConfig.from_wire(found)
    except api.ApiError as error:
        if error.malformed:
            return {}, error.problems
    return found, []


def _without(value: Any, path: Sequence[str | int]) -> Any:
    """A value without the field at a path. Steps that the value does not have are skipped: they stand for types."""
    step, *rest = path
    if isinstance(value, Mapping) and step in value:
        kept = {key: item for key, item in value.items() if key != step}
        return {**kept, step: _without(value[step], rest)} if rest else kept
    if isinstance(value, list) and isinstance(step, int):
        return [_without(item, rest) if i == step else item for i, item in enumerate(value)]
    return _without(value, rest) if rest else value


def _problems(form: type[Form], value: Any, root: str) -> list[str]:
    try:
        form.model_validate(value)
    except ValidationError as error:
        return [text.removeprefix("spec.") for text in validation.problems(error, form, root)]
    return []
