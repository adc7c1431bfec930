"""Base classes of the types of config and of Istio's objects: immutable, and strict about unknown fields."""

from collections.abc import Iterator
from typing import Any, ClassVar, Final, Self, cast

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from mesh.core.secure import is_placeholder

Path = tuple[str | int, ...]
"""Path of a part of a value: names of fields and indexes of lists."""
Findings = Iterator[tuple[Path, str]]
"""Problems of a value, each with the path of the part that has it."""


class Typed(BaseModel):
    """An immutable type that refuses unknown fields.

    The placeholder of an encrypted value is accepted wherever a string is, since its form cannot be checked without the
    key; but not if the program has to read the string (`Deciding`)."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        found: core_schema.CoreSchema = _lenient(handler(source))
        return found


class Deciding:
    """Annotation of strings that the program has to read: they decide which objects exist, their names or their form,
    or they are amounts and durations, which nobody needs to hide."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(_readable, handler(source), metadata={_DECIDING: True})


class Form:
    """Annotation of strings that have a pattern: their form, in words that follow `… is not a`."""

    def __init__(self, text: str) -> None:
        self.text = text


def _readable(value: Any) -> Any:
    if is_placeholder(value):
        raise ValueError(f"{value} is encrypted")
    return value


class Documented(Typed):
    """A type of the config. The docstrings of its fields are their descriptions in docs/config.md and the README."""

    def check(self) -> Findings:
        """Problems that depend on several fields."""
        yield from ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        raise_problems(self, self.check())
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


def raise_problems(model: BaseModel, findings: Findings) -> None:
    """Raises a pydantic ValidationError if there are findings about the model, other than about encrypted values."""
    problems = [
        InitErrorDetails(type=PydanticCustomError("rule", text), loc=path, input=None)
        for path, text in findings
        if not is_placeholder(_at(model, path))
    ]
    if problems:
        raise ValidationError.from_exception_data(type(model).__name__, problems)


def _at(value: Any, path: Path) -> Any:
    """The part of a value at a path; None if there is none."""
    for step in path:
        if isinstance(value, BaseModel):
            value = getattr(value, str(step), None)
        else:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return None
    return value


_DECIDING: Final = "deciding"
_LENIENT: Final = "lenient"


def _lenient(schema: Any) -> Any:
    """A schema in which a string may also be a placeholder, whatever the string's own rules are."""
    if isinstance(schema, list):
        return [_lenient(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if not (chain := _validators_of_text(schema)):
        return {key: item if key in ("metadata", "keys_schema") else _lenient(item) for key, item in schema.items()}
    marks = {mark for node in chain for mark in node.get("metadata", ())}
    if chain == [{"type": "str"}] or marks & {_DECIDING, _LENIENT}:
        return schema
    return core_schema.no_info_wrap_validator_function(
        lambda value, validate: value if is_placeholder(value) else validate(value),
        cast(core_schema.CoreSchema, schema),
        metadata={_LENIENT: True},
    )


def _validators_of_text(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The nested schemas of a string with validators, from the outermost to that of the string itself; none for any
    other type."""
    chain = [schema]
    while str(chain[-1].get("type")).startswith("function-") and "schema" in chain[-1]:
        chain.append(chain[-1]["schema"])
    return chain if chain[-1].get("type") == "str" else []
