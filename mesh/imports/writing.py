"""The text of a new stack file: its source, the keys in the usual order, and the credentials that are still missing."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, Final

from mesh.config import edit_text
from mesh.config.settings import NAMESPACE, Settings
from mesh.core.places import wire_names
from mesh.imports.source import Data
from mesh.values.values import Values

_FIRST: Final = ("release", "context", "profile")
_INDENT: Final = 2
_WIDTH: Final = 118


def text(config: Data, about: str, secrets: Sequence[str]) -> str:
    """The text of a stack file with this config. `about` describes the source; `secrets` are the paths of credentials
    that are not in the config."""
    lines = [*_comment(about), "config:"]
    for key in sorted(config, key=_order):
        lines += [" " * _INDENT + line if i == 0 else line for i, line in enumerate(_entry(key, config[key]))]
    if secrets:
        lines += _comment("Credentials of the installation, which are not here in clear text (docs/secrets.md):")
        lines += [f"# {path}" for path in secrets]
    return "\n".join([*lines, ""])


def _entry(key: str, value: Any) -> list[str]:
    if key == "release":
        return [f'{NAMESPACE}:{key}: "{value}"']  # 1.10 without quotes is the number 1.1
    return edit_text.entry(f"{NAMESPACE}:{key}", value, _INDENT)


def _comment(told: str) -> Iterator[str]:
    yield from (f"# {line}" for line in textwrap.wrap(told, _WIDTH))


def _order(key: str) -> tuple[int, str]:
    """The place of a key: first the stack's own keys, then the values, then the stack's other keys."""
    names = [*_FIRST, *wire_names(Values), *wire_names(Settings)]
    return (names.index(key) if key in names else len(names), key)
