"""The base of every typed value that a person writes: frozen, and strict about names."""

from collections.abc import Iterator
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

Path = tuple[str | int, ...]
"""A place below a value: names of fields and places in lists."""
Findings = Iterator[tuple[Path, str]]
"""What is wrong below a value, and where."""


class Typed(BaseModel):
    """A value whose unknown fields are errors and that does not change once it is built."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Documented(Typed):
    """One whose fields' docstrings are what the config tables say of them; they are read only to write those."""

    def check(self) -> Findings:
        """What no single field's type can tell is wrong."""
        yield from ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        raise_problems(type(self).__name__, self.check())
        return self


class ShortForm(Documented):
    """A map for which something shorter may stand."""

    short_forms: ClassVar[str]
    """What may stand for it, in words."""

    @classmethod
    def expanded(cls, value: Any) -> Any:
        """The map that `value` stands for, or `value` as it is."""
        return value

    @model_validator(mode="before")
    @classmethod
    def _expanded(cls, value: Any) -> Any:
        return cls.expanded(value)


def raise_problems(name: str, findings: Findings) -> None:
    """Ends the validation of a value of the type `name` if there are findings."""
    problems = [
        InitErrorDetails(type=PydanticCustomError("rule", text), loc=path, input=None) for path, text in findings
    ]
    if problems:
        raise ValidationError.from_exception_data(name, problems)
