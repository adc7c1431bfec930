"""Base classes of the types of config and of Istio's objects: immutable, and strict about unknown fields."""

from collections.abc import Iterator
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

Path = tuple[str | int, ...]
"""Path of a part of a value: names of fields and indexes of lists."""
Findings = Iterator[tuple[Path, str]]
"""Problems of a value, each with the path of the part that has it."""


class Typed(BaseModel):
    """An immutable type that refuses unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Documented(Typed):
    """A type of the config. The docstrings of its fields are their descriptions in docs/config.md and the README."""

    def check(self) -> Findings:
        """Problems that depend on several fields."""
        yield from ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        raise_problems(type(self).__name__, self.check())
        return self


class ShortForm(Documented):
    """A type that can also be written in a shorter form than a map."""

    short_forms: ClassVar[str]
    """The shorter forms, as docs/config.md lists them."""

    @classmethod
    def expanded(cls, value: Any) -> Any:
        """The map that a short form stands for; any other value unchanged."""
        return value

    @model_validator(mode="before")
    @classmethod
    def _expanded(cls, value: Any) -> Any:
        return cls.expanded(value)


def raise_problems(name: str, findings: Findings) -> None:
    """Raises a pydantic ValidationError for a value of the type `name` if there are findings."""
    problems = [
        InitErrorDetails(type=PydanticCustomError("rule", text), loc=path, input=None) for path, text in findings
    ]
    if problems:
        raise ValidationError.from_exception_data(name, problems)
