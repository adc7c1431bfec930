"""Config values in the form in which a person would write them into a stack file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import yaml

WIDTH: Final = 120
"""Maximum length of a line that holds a whole map or list, in characters."""
_STEP: Final = 2


def entry(key: str, value: Any, indent: int) -> list[str]:
    """The lines of an entry of a block, without the indentation of the first one: a map of scalars in braces on one
    line if it fits, other maps, and those at the file's margin, as a block; a text of several lines as it is. `key` is
    YAML."""
    if isinstance(value, str) and "\n" in value and (lines := _literal(key, value, indent)):
        return lines
    line = f"{key}: {flow(value)}"
    fits = indent and indent + len(line) <= WIDTH
    if not _is_nested(value) or (fits and not _holds_maps(value)):
        return [line]
    return [f"{key}:", *(" " * (indent + _STEP) + one for one in _children(value, indent + _STEP))]


def _children(value: Any, indent: int) -> Iterator[str]:
    items: Iterator[list[str]]
    if isinstance(value, Mapping):
        items = (entry(flow(str(key)), item, indent) for key, item in value.items())
    else:
        items = (_item(item, indent) for item in value)
    for lines in items:
        yield lines[0]
        yield from (line.removeprefix(" " * indent) for line in lines[1:])


def _item(value: Any, indent: int) -> list[str]:
    """The lines of an item of a list: one if it fits, or if it is no map."""
    line = f"- {flow(value)}"
    if not isinstance(value, Mapping) or indent + len(line) <= WIDTH:
        return [line]
    first, *others = _children(value, indent + _STEP)
    return [f"- {first}", *(" " * (indent + _STEP) + one for one in others)]


def _literal(key: str, value: str, indent: int) -> list[str]:
    """The lines of an entry with a text of several lines, as they are; none if YAML would not read them so."""
    mark = "|" if value.endswith("\n") else "|-"
    lines = [" " * (indent + _STEP) + line if line else "" for line in value.removesuffix("\n").split("\n")]
    found = [f"{key}: {mark}", *lines]
    try:
        read = list(yaml.safe_load("\n".join([" " * indent + found[0], *lines, ""])).values())
    except yaml.YAMLError:
        return []
    return found if read == [value] else []


def flow(value: Any) -> str:
    """The value on one line."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{flow(str(key))}: {flow(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(flow, value))}]"
    text = value if isinstance(value, str) else json.dumps(value)
    return text if _is_plain(text, value) else json.dumps(value, ensure_ascii=False)


def _is_plain(text: str, value: Any) -> bool:
    """Whether YAML reads the text without quotes as this value, in braces as well as in a block."""
    try:
        read = [yaml.safe_load(form.format(text)) for form in ("[{}]", "- {}", "{{{}: 1}}")]
    except (yaml.YAMLError, ValueError):
        return False
    return text == text.strip() and read == [[value], [value], {value: 1}]


def _is_nested(value: Any) -> bool:
    return isinstance(value, Mapping | list) and bool(value)


def _holds_maps(value: Any) -> bool:
    """Whether a value has maps, or texts of several lines, in it."""
    items = value.values() if isinstance(value, Mapping) else value
    return any((item and isinstance(item, Mapping)) or (isinstance(item, str) and "\n" in item) for item in items)
