"""The config table of the README, from the settings themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from commands.stackfiles import ROOT
from components import profiles
from components.settings import NAMESPACE, Settings, ShortForm

README: Final = ROOT / "README.md"
_TABLE: Final = re.compile(r"\| key \| value \|.*?\n(?=\n)", re.DOTALL)


def write() -> None:
    """Brings the README's table up to date."""
    README.write_text(_TABLE.sub(lambda _: table(), README.read_text()))


def table() -> str:
    """The config table in Markdown."""
    return "\n".join(["| key | value | default | meaning |", "| --- | --- | --- | --- |", *_rows(), ""])


def _rows() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        values = ", ".join(profiles.NAMES) if name == "profile" else _values(field.annotation)
        default = "" if field.default in (None, {}) else f"`{_text(field.default)}`"
        meaning = " ".join((field.description or "").split())
        yield f"| `{NAMESPACE}:{name}` | {values} | {default} | {meaning} |"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _values(kind: Any) -> str:
    """A type in words."""
    origin, args = get_origin(kind), [a for a in get_args(kind) if a is not type(None)]
    if origin is Literal:
        return ", ".join(args)
    if origin is dict:
        return f"map of {_values(args[0])} to {_values(args[1])}"
    if hasattr(kind, "__metadata__"):
        return _values(args[0])
    if args and origin is not None and (origin is Union or str(origin) == "<class 'types.UnionType'>"):
        return " or ".join(map(_values, args))
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        short = f"{kind.short_forms}, or " if issubclass(kind, ShortForm) else ""
        return f"{short}a map with {', '.join(f'`{name}`' for name in kind.model_fields)}"
    return {str: "text", int: "number", bool: "true, false"}.get(kind, str(kind))
