"""The base classes of Istio's API: `Message`, a pydantic model, and `Kind`, a message that is an object of its own.

Fields have Istio's wire names, as in YAML. `schema.py` generates the OpenAPI schema from the same classes.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, ClassVar, NamedTuple, Self

from pydantic import ConfigDict, Field, ValidationError, model_validator

from mesh.api.enforced import Rule
from mesh.core import errors, validation
from mesh.core.kinds import GroupKind
from mesh.core.places import wire_names
from mesh.core.typed import Findings as Findings
from mesh.core.typed import Path as Path
from mesh.core.typed import Typed, raise_problems

__all__ = ["ApiError", "Column", "Kind", "Message", "Metadata", "Names", "Versions"]

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


class ApiError(ValueError):
    """An object of Istio's API is invalid. `problems` has one line for each problem."""

    def __init__(self, problems: list[str], malformed: bool = False, unknown: Sequence[Path] = ()) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
        self.malformed = malformed
        """Whether a field has the wrong type or is missing."""
        self.unknown = unknown
        """The locations of unknown fields. Steps of a location may name the type of a union."""


def optional(description: str, *, wire: str | None = None) -> Any:
    """An optional field; None means not set. `wire` is the wire name if Python reserves it, such as `from`."""
    return Field(default=None, description=description, validation_alias=wire)


class Message(Typed):
    """A message of Istio's API. Nested messages may be passed as mappings and are validated too.

    The constructor raises ApiError with the path of each problem, relative to the message that is built.
    """

    model_config = ConfigDict(strict=True, validate_by_name=True, validate_by_alias=True)

    one_of: ClassVar[tuple[str, ...]] = ()
    """Wire names of the fields of a one-of group: at most one of them may be set."""
    also_one_of: ClassVar[tuple[str, ...]] = ()
    """Those of a second group, of which at most one may be set, too."""
    required: ClassVar[tuple[str, ...] | None] = None
    """The fields that the API server requires in releases with `Versions.enforced`; None: those of the type."""
    enforced: ClassVar[tuple[Rule, ...]] = ()
    """Rules that the API server enforces on the message in releases with `Versions.enforced`."""

    def __init__(self, /, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            problems = validation.problems(error, type(self), f"{type(self).__name__} ")
            raise ApiError(problems, validation.is_malformed(error), validation.unknown(error)) from None

    # Makes pydantic validate nested messages without calling their __init__, so that their problems are reported by
    # the outermost message, with the whole path.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @classmethod
    def from_wire(cls, fields: Mapping[str, Any]) -> Self:
        """Builds the message from its wire form, as read from YAML or JSON. Raises ApiError."""
        return cls(**{str(name): value for name, value in fields.items()})

    def check(self) -> Findings:
        """Yields the problems that Istio's validation finds in addition to those of the fields' types."""
        yield from ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        raise_problems(self, chain(*(at_most_one(self, *group) for group in self.groups()), self.check()))
        return self

    @classmethod
    def groups(cls) -> Iterator[tuple[str, ...]]:
        """The one-of groups."""
        return (group for group in (cls.one_of, cls.also_one_of) if group)

    def is_set(self, name: str) -> bool:
        """Whether the field is set, i.e. not None."""
        return getattr(self, name) is not None


def nested(path: Path, findings: Findings) -> Findings:
    """The findings of a nested message, with the path of that message put in front of each."""
    return (((*path, *rest), text) for rest, text in findings)


def at_most_one(message: Message, *names: str) -> Findings:
    """Refuses a message in which more than one of the fields is set."""
    given = [name for name in names if message.is_set(name)]
    if len(given) > 1:
        yield (), f"only one of {', '.join(names)} may be set, got {' and '.join(given)}"


def not_empty(message: Message) -> Findings:
    """Refuses a message in which no field is set."""
    if not any(getattr(message, name) for name in type(message).model_fields):
        yield (), f"needs one of {', '.join(type(message).model_fields)}"


class Column(NamedTuple):
    """An additional column of `kubectl get`: title, JSONPath, description and type."""

    name: str
    path: str
    description: str
    type: str = "string"


AGE = Column("Age", ".metadata.creationTimestamp", "When the object was created.", "date")


@dataclass(frozen=True, kw_only=True)
class Names:
    """API group and resource names of a kind; `definitions.py` derives the other names from them."""

    group: str
    plural: str
    short: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    kept_by_helm: bool = True
    """Whether the definition has upstream's annotation `helm.sh/resource-policy: keep`."""
    needs_spec: bool = False
    """Whether an object without `spec` is refused, in releases with `Versions.enforced`."""


class Metadata(NamedTuple):
    """The part of an object's metadata that Istio's validation reads."""

    name: str
    namespace: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True)
class Versions:
    """Istio's API in a release: its kinds and their versions, and how its definitions differ from the types."""

    served: Mapping[str, tuple[str, ...]]
    """Versions by kind; the first is the storage version."""
    enforced: bool = False
    """Whether the definitions carry Istio's limits (`mesh.api.enforced`) and the form of the status, so that the API
    server enforces them. Descriptions are then in the version alone that `kubectl explain` shows."""
    names: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Fields of `Names` that differ, by kind."""
    lacks: frozenset[str] = frozenset()
    """The parts of the types that the release does not have, as `mesh.releases.lacks` writes them."""
    refused: Mapping[type[Message], Callable[[Any], Findings]] = field(default_factory=dict)
    """Checks of Istio in this release, in addition to those of the types: by type, the problems of a message."""
    misplaced: Mapping[type["Kind"], Callable[[Any, Metadata], Findings]] = field(default_factory=dict)
    """Checks of an object with its metadata: by kind, the problems, with paths in the object."""

    def of(self, kind: type["Kind"]) -> tuple[str, ...]:
        """The served versions of a kind, the storage version first; empty if the release does not have the kind."""
        return self.served.get(kind.__name__, ())

    def names_of(self, kind: type["Kind"]) -> Names:
        """Group, resource names and columns of a kind."""
        return replace(kind.names, **self.names.get(kind.__name__, {}))

    def stored(self, kind: type["Kind"]) -> str:
        """The `apiVersion` of the storage version of a kind, in which objects are written. Raises ApiError for a kind
        that the release does not have."""
        if not self.of(kind):
            raise ApiError([f"{kind.__name__}: this release of Istio does not have the kind"])
        return f"{kind.names.group}/{self.of(kind)[0]}"


class Kind(Message):
    """A kind of Istio's API. Its fields are those of `spec`."""

    names: ClassVar[Names]

    @classmethod
    def group_kind(cls) -> GroupKind:
        """Group and name of the kind."""
        return GroupKind(cls.__name__, cls.names.group)

    @property
    def kind(self) -> str:
        """The name of the kind, such as `VirtualService`."""
        return type(self).__name__

    def spec(self) -> dict[str, Any]:
        """The wire form of `spec`, with the fields that are set."""
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
        """The whole object, in the storage version of `versions`. Raises ApiError for an invalid name."""
        self.check_name(name)
        metadata: dict[str, Any] = {"name": name, "namespace": namespace}
        if labels:
            metadata["labels"] = dict(labels)
        if annotations:
            metadata["annotations"] = dict(annotations)
        version = versions.stored(type(self))
        return {"apiVersion": version, "kind": self.kind, "metadata": metadata, "spec": self.spec()}

    def check_name(self, name: str) -> None:
        """Raises ApiError if Kubernetes or Istio would refuse `name` for an object of this kind."""
        if problem := self.name_problem(name):
            raise ApiError([f"{self.kind} metadata.name: {errors.show(name)} {problem}"])

    def name_problem(self, name: str) -> str:
        """Why `name` is invalid for an object of this kind; empty if it is valid."""
        if len(name) <= 253 and _NAME.fullmatch(name):
            return ""
        return "is not a name: use lower-case letters, digits, '-' and '.', at most 253 characters"


def wire(value: Any) -> Any:
    """The JSON form of a value, as the API server expects it; fields that are not set are left out."""
    if isinstance(value, Message):
        names = wire_names(type(value))
        return {one: wire(getattr(value, name)) for one, name in names.items() if value.is_set(name)}
    if isinstance(value, Mapping):
        return {str(key): wire(item) for key, item in value.items()}
    if isinstance(value, list):
        return [wire(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)  # the API server returns 50.0 as 50, which would show as a change
    return value
