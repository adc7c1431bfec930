"""What every message of Istio's API is made of.

A message is a pydantic model whose attributes carry Istio's wire names, so that what one knows from
YAML works. `schema.py` makes the OpenAPI schema from the same classes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar, NamedTuple, Self

from pydantic import ConfigDict, Field, ValidationError, model_validator

from mesh.core import errors, validation
from mesh.core.typed import Findings as Findings
from mesh.core.typed import Path as Path
from mesh.core.typed import Typed, raise_problems

__all__ = ["ApiError", "Column", "Kind", "Message", "Names", "Versions"]

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


class ApiError(ValueError):
    """An object of Istio's API is not valid. `problems` has one line for each thing that is wrong."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def optional(description: str, *, wire: str | None = None) -> Any:
    """A field that may be left out; None counts as left out. `wire` is its name where Python reserves it."""
    return Field(default=None, description=description, validation_alias=wire)


class Message(Typed):
    """A part of an Istio object. Nested messages may be given as plain mappings; they are checked as well.

    Raises ApiError, with the path of each problem below the message that is being built.
    """

    model_config = ConfigDict(strict=True, validate_by_name=True, validate_by_alias=True)

    one_of: ClassVar[tuple[str, ...]] = ()
    """Wire names of the fields of which at most one may be set."""

    def __init__(self, /, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise ApiError(validation.problems(error, type(self), f"{type(self).__name__} ")) from None

    # Tells pydantic to validate nested messages without calling __init__: their problems then
    # belong to the outermost object, with the whole path.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @classmethod
    def from_wire(cls, fields: Mapping[str, Any]) -> Self:
        """The message with these fields, as they were read from YAML or JSON. Raises ApiError."""
        return cls(**{str(name): value for name, value in fields.items()})

    def check(self) -> Findings:
        """What Istio's own validation would raise_problems and no field's type can tell."""
        yield from ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        raise_problems(type(self).__name__, chain(at_most_one(self, *self.one_of), self.check()))
        return self

    def given(self, name: str) -> bool:
        """Whether a field is set."""
        return getattr(self, name) is not None


def below(path: Path, findings: Findings) -> Findings:
    """Findings of a part, told by the whole whose part at `path` it is."""
    return (((*path, *rest), text) for rest, text in findings)


def at_most_one(message: Message, *names: str) -> Findings:
    """Refuses more than one of `names`."""
    given = [name for name in names if message.given(name)]
    if len(given) > 1:
        yield (), f"only one of {', '.join(names)} may be set, got {' and '.join(given)}"


def not_empty(message: Message) -> Findings:
    """Refuses a message of which no field is set."""
    if not any(getattr(message, name) for name in type(message).model_fields):
        yield (), f"needs one of {', '.join(type(message).model_fields)}"


class Column(NamedTuple):
    """A column that `kubectl get` prints."""

    name: str
    path: str
    description: str
    type: str = "string"


AGE = Column("Age", ".metadata.creationTimestamp", "When the object was created.", "date")


@dataclass(frozen=True, kw_only=True)
class Names:
    """How Kubernetes knows a kind. What can be derived from these is (see `definitions.py`)."""

    group: str
    plural: str
    short: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    kept_by_helm: bool = True
    """Whether upstream marks the definition so that Helm does not remove it."""


@dataclass(frozen=True)
class Versions:
    """The kinds of Istio's API that one release has, and the versions in which it serves each."""

    served: Mapping[str, tuple[str, ...]]
    """By kind; the version that the cluster stores comes first."""

    def of(self, kind: type["Kind"]) -> tuple[str, ...]:
        """The versions of a kind, the stored one first; none if the release does not have the kind."""
        return self.served.get(kind.__name__, ())

    def stored(self, kind: type["Kind"]) -> str:
        """The `apiVersion` in which objects of a kind are written: the one that the cluster stores. ApiError for a kind
        that the release does not have."""
        if not self.of(kind):
            raise ApiError([f"{kind.__name__}: this release of Istio does not have the kind"])
        return f"{kind.names.group}/{self.of(kind)[0]}"


class Kind(Message):
    """An object of Istio's API. Its fields are those under `spec`."""

    names: ClassVar[Names]

    @property
    def kind(self) -> str:
        """The object's kind."""
        return type(self).__name__

    def spec(self) -> dict[str, Any]:
        """The wire form of what was set."""
        form: dict[str, Any] = wire(self)
        return form

    def manifest(
        self,
        name: str,
        namespace: str,
        versions: Versions,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The whole object as data, for a release that serves `versions`. Raises ApiError for an unusable name."""
        self.check_name(name)
        metadata: dict[str, Any] = {"name": name, "namespace": namespace}
        if labels:
            metadata["labels"] = dict(labels)
        if annotations:
            metadata["annotations"] = dict(annotations)
        version = versions.stored(type(self))
        return {"apiVersion": version, "kind": self.kind, "metadata": metadata, "spec": self.spec()}

    def check_name(self, name: str) -> None:
        """Raises ApiError if Kubernetes or Istio would not take an object of this kind called `name`."""
        if problem := self.name_problem(name):
            raise ApiError([f"{self.kind} metadata.name: {errors.show(name)} {problem}"])

    def name_problem(self, name: str) -> str:
        """Why an object of this kind cannot be called `name`, or nothing."""
        if len(name) <= 253 and _NAME.fullmatch(name):
            return ""
        return "is not a name: use lower-case letters, digits, '-' and '.', at most 253 characters"


def wire(value: Any) -> Any:
    """A value as it is sent to Kubernetes."""
    if isinstance(value, Message):
        fields = type(value).model_fields.items()
        return {validation.wire_name(n, f): wire(getattr(value, n)) for n, f in fields if value.given(n)}
    if isinstance(value, Mapping):
        return {str(key): wire(item) for key, item in value.items()}
    if isinstance(value, list):
        return [wire(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)  # else 50 comes back from the cluster as another number than 50.0
    return value
