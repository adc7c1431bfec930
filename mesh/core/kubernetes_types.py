"""Parts of Kubernetes' objects in the config, with Kubernetes' own names. This module checks the names and types of
their fields; only the API server checks the values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Final, NamedTuple

from pydantic import BeforeValidator, GetCoreSchemaHandler, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from mesh.core.autoscaling import current_metrics
from mesh.core.errors import nearest, show
from mesh.core.kubernetes import NO_VARIABLE, is_variable
from mesh.core.kubernetes_fields import FIELDS
from mesh.core.secure import is_placeholder
from mesh.core.typed import Findings, Path

_FIELD: Final = re.compile(r"(?P<name>\w+)(?P<needed>!?):(?P<kind>[\w|]+)(?P<many>\[\]|\{\}|)")
_LEAVES: Final[Mapping[str, tuple[str, tuple[type, ...]]]] = {
    "bool": ("true or false", (bool,)),
    "int": ("a whole number", (int,)),
    "str": ("a string", (str,)),
    "int|str": ("a whole number or a string", (int, str)),
    "quantity": ('a quantity, such as "100m" or "128Mi"', (int, float, str)),
    "Any": ("", (object,)),
}
"""The types of values without fields: their names in messages, and the types of YAML that their values may have."""


_VARIABLE: Final = "EnvVar"


class _Field(NamedTuple):
    kind: str
    many: str
    """`[]` if it is a list, `{}` if it is a map."""
    needed: bool


class Kubernetes:
    """Annotation of a mapping that is a type of Kubernetes, or a part of one that is merged over Istio's own: fields
    that the type requires may then be missing, except in items of lists, which are not merged."""

    def __init__(self, name: str, *, part: bool = False) -> None:
        self.name, self._part = name, part

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def _checked(self, value: dict[str, Any]) -> dict[str, Any]:
        problems = [
            InitErrorDetails(type=PydanticCustomError("rule", text), loc=path, input=None)
            for path, text in _of_type(self.name, value, (), whole=not self._part)
        ]
        if problems:
            raise ValidationError.from_exception_data(self.name, problems)
        return value


def _of_type(name: str, value: Any, path: Path, whole: bool) -> Findings:
    """The problems of a value of a type that has fields."""
    if not isinstance(value, Mapping):
        yield path, f"expected a mapping, got {show(value)}"
        return
    fields = _fields(name)
    for key, item in value.items():
        if key not in fields:
            yield path, f"{name} has no field {show(key)}{nearest(key, fields)}"
        elif item is not None:
            yield from _of_field(fields[key], item, (*path, key), whole)
    if name == _VARIABLE and isinstance(variable := value.get("name"), str) and not is_variable(variable):
        yield (*path, "name"), NO_VARIABLE.format(show(variable))
    if whole and (missing := [key for key, field in fields.items() if field.needed and value.get(key) is None]):
        yield path, f"needs {' and '.join(missing)}"


def _of_field(field: _Field, value: Any, path: Path, whole: bool) -> Findings:
    """The problems of a field's value. Items of lists replace others as a whole."""
    if not field.many:
        yield from _of_kind(field.kind, value, path, whole)
    elif not isinstance(value, list | tuple if field.many == "[]" else Mapping):
        yield path, f"expected a {'list' if field.many == '[]' else 'mapping'}, got {show(value)}"
    else:
        for key, item in _items(value):
            yield from _of_kind(field.kind, item, (*path, key), whole or field.many == "[]")


def _items(value: Any) -> Iterator[tuple[Any, Any]]:
    return iter(value.items()) if isinstance(value, Mapping) else enumerate(value)


def _of_kind(kind: str, value: Any, path: Path, whole: bool) -> Findings:
    if kind not in _LEAVES:
        yield from _of_type(kind, value, path, whole)
        return
    words, types = _LEAVES[kind]
    truth = isinstance(value, bool) and bool not in types and object not in types
    if (truth or not isinstance(value, types)) and not is_placeholder(value):
        quotes = (
            f'; put it in quotes: "{str(value).lower()}"' if kind == "str" and isinstance(value, int | float) else ""
        )
        yield path, f"expected {words}, got {show(value)}{quotes}"


@cache
def _fields(name: str) -> Mapping[str, _Field]:
    found = _FIELD.finditer(FIELDS[name])
    return {one["name"]: _Field(one["kind"], one["many"], bool(one["needed"])) for one in found}


Container = Annotated[dict[str, Any], Kubernetes("Container")]
EnvVar = Annotated[dict[str, Any], Kubernetes("EnvVar")]
TopologySpreadConstraint = Annotated[dict[str, Any], Kubernetes("TopologySpreadConstraint")]
Volume = Annotated[dict[str, Any], Kubernetes("Volume")]
VolumeMount = Annotated[dict[str, Any], Kubernetes("VolumeMount")]

AutoscalerBehavior = Annotated[dict[str, Any], Kubernetes("HorizontalPodAutoscalerBehavior", part=True)]
AutoscalerSpec = Annotated[
    dict[str, Any], Kubernetes("HorizontalPodAutoscalerSpec", part=True), BeforeValidator(current_metrics)
]
"""The spec of an autoscaler. Metrics may be written as in `autoscaling/v2beta1`, which Istio 1.10 has."""
BudgetSpec = Annotated[dict[str, Any], Kubernetes("PodDisruptionBudgetSpec", part=True)]
DnsConfig = Annotated[dict[str, Any], Kubernetes("PodDNSConfig", part=True)]
Lifecycle = Annotated[dict[str, Any], Kubernetes("Lifecycle", part=True)]
PodSecurityContext = Annotated[dict[str, Any], Kubernetes("PodSecurityContext", part=True)]
Probe = Annotated[dict[str, Any], Kubernetes("Probe", part=True)]
SecurityContext = Annotated[dict[str, Any], Kubernetes("SecurityContext", part=True)]
ServiceSpec = Annotated[dict[str, Any], Kubernetes("ServiceSpec", part=True)]
Strategy = Annotated[dict[str, Any], Kubernetes("DeploymentStrategy", part=True)]
