"""Edits of a stack file that keep the comments, order, quoting and layout of everything else, byte for byte.

PyYAML gives the position of each value in the text. An edit replaces, adds or removes only that part. The result is
read again and compared with the config that it must have."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import yaml

from mesh.config import edit_nodes, edit_text, stack_file
from mesh.config.edit_nodes import Alias
from mesh.config.stack_file import StackFileError

Path = tuple[str, ...]
"""A key of the config, such as `mesh:base`, and the keys of maps below it."""
_CONFIG: Final = "config"


@dataclass(frozen=True)
class Put:
    """Sets a value, and creates the maps on the way to it."""

    path: Path
    value: Any
    after: Sequence[str] = ()
    """A new key of the config comes after the last of these keys that exists, or after all others if none exists."""


@dataclass(frozen=True)
class Drop:
    """Removes a value, and the maps that are empty without it."""

    path: Path


Edit = Put | Drop


def edited(text: str, edits: Iterable[Edit], name: str) -> str:
    """The text of the stack file `name` after the edits. Raises StackFileError if the file is invalid, or written in a
    way that cannot be edited; then the message says what to write by hand."""
    wanted = stack_file.parse(text, name).get(_CONFIG) or {}
    found, done = text, list(edits)
    for edit in done:
        wanted = after(wanted, edit)
        try:
            found = _File(found).edit(edit, wanted)
        except (yaml.YAMLError, _Unusual):
            _refuse(name, done)
    try:
        made = stack_file.parse(found, name).get(_CONFIG) or {}
    except StackFileError:
        _refuse(name, done)
    return found if made == wanted else _refuse(name, done)


def after(config: Mapping[str, Any], edit: Edit) -> dict[str, Any]:
    """The config after an edit."""
    key, *rest = edit.path
    changed = copy.deepcopy(dict(config))
    inner = as_map(changed.get(key))
    if isinstance(edit, Put):
        changed[key] = after(inner, Put(tuple(rest), edit.value)) if rest else edit.value
    elif not rest:
        changed.pop(key, None)
    elif inner:
        changed[key] = after(inner, Drop(tuple(rest)))
        if not changed[key]:
            del changed[key]
    return changed


def as_map(value: Any) -> dict[str, Any]:
    """A map of the config, which may be written as JSON in a string; empty if it is none."""
    if isinstance(value, str) and value.lstrip()[:1] == "{":
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return dict(value) if isinstance(value, Mapping) else {}


def _refuse(name: str, edits: Iterable[Edit]) -> NoReturn:
    lines = [
        "\n".join(edit_text.entry(stack_file.key_at(edit.path), edit.value, 2))
        if isinstance(edit, Put)
        else f"without {stack_file.key_at(edit.path)}"
        for edit in edits
    ]
    raise StackFileError(f"{name} is written in a way that cannot be edited here; write by hand:\n" + "\n".join(lines))


class _Unusual(Exception):
    """The text has a form that this module does not edit."""


class _File:
    """The text of a stack file, for one edit."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._break = "\r\n" if "\r\n" in text else "\n"
        self._root = edit_nodes.compose(text)

    def edit(self, edit: Edit, wanted: Mapping[str, Any]) -> str:
        """The text after the edit; `wanted` is the config then."""
        if not isinstance(self._root, yaml.MappingNode):
            return self._text + self._block("config", wanted, 0)
        if self._apart(edit):
            return _File(self._text).edit(edit, wanted)
        at: yaml.MappingNode = self._root
        path = (_CONFIG, *edit.path)
        for i, key in enumerate(path):
            entry = edit_nodes.pair(at, key)
            if entry is None:
                if isinstance(edit, Drop):
                    return self._text
                return self._add(at, key, _nested(path[i + 1 :], edit.value), edit.after if i == 1 else ())
            if not _has(wanted, path[1 : i + 1]):
                return self._remove(at, entry)
            inner = entry[1]
            if (
                i < len(path) - 1
                and isinstance(inner, yaml.MappingNode)
                and inner.value
                and not edit_nodes.merges(inner)
            ):
                at = inner
            else:
                return self._replace(at, entry, _at(wanted, path[1 : i + 1]))
        raise _Unusual

    def _apart(self, edit: Edit) -> bool:
        """Replaces an alias whose anchor is in the part that the edit changes by its value. Whether there was one."""
        touched, at = [], self._root
        for key in (_CONFIG, *edit.path):
            entry = edit_nodes.pair(at, key) if isinstance(at, yaml.MappingNode) else None
            if entry is None:
                break
            at = entry[1]
            touched.append(at)
        else:
            touched += edit_nodes.below(at) if at else ()
        for node in edit_nodes.below(self._root) if self._root else ():
            if isinstance(node, Alias) and any(node.target is one for one in touched):
                start, end = node.start_mark.index, node.end_mark.index
                self._text = self._text[:start] + edit_text.flow(edit_nodes.data(node)) + self._text[end:]
                return True
        return False

    def _add(self, to: yaml.MappingNode, key: str, value: Any, after: Sequence[str]) -> str:
        known = [value for name, value in to.value if name.value in after]
        written = edit_text.flow(key)
        if to.flow_style:
            start, end = to.start_mark.index, to.end_mark.index
            text = f"{written}: {edit_text.flow(value)}"
            if not to.value:
                return f"{self._text[:start]}{{ {text} }}{self._text[end:]}"
            place = edit_nodes.end(self._text, (known or [to.value[-1][1]])[-1])
            return f"{self._text[:place]}, {text}{self._text[place:]}"
        last = (known or [to.value[-1][1]])[-1]
        place = self._text.find("\n", edit_nodes.end(self._text, last)) + 1
        block = self._block(written, value, to.value[0][0].start_mark.column)
        if place == 0:
            return self._text + self._break + block
        return self._text[:place] + block + self._text[place:]

    def _block(self, key: str, value: Any, indent: int) -> str:
        first, *others = edit_text.entry(key, value, indent)
        return self._break.join([" " * indent + first, *others, ""])

    def _replace(self, parent: yaml.MappingNode, entry: edit_nodes.Pair, value: Any) -> str:
        key, old = entry
        start, end = key.start_mark.index, edit_nodes.end(self._text, old)
        written = self._text[start : key.end_mark.index]
        if parent.flow_style:
            lines = [f"{written}: {edit_text.flow(value)}"]
        else:
            lines = edit_text.entry(written, value, key.start_mark.column)
        return self._text[:start] + self._break.join(lines) + self._text[end:]

    def _remove(self, parent: yaml.MappingNode, entry: edit_nodes.Pair) -> str:
        if len(parent.value) == 1:  # of the config itself, since other maps go with their last entry
            start, end = parent.start_mark.index, edit_nodes.end(self._text, parent)
            return self._text[:start] + "{}" + self._text[end:]
        start, end = entry[0].start_mark.index, edit_nodes.end(self._text, entry[1])
        if parent.flow_style:
            i = parent.value.index(entry)
            if i:
                start = edit_nodes.end(self._text, parent.value[i - 1][1])
            else:
                end = parent.value[1][0].start_mark.index
            return self._text[:start] + self._text[end:]
        line = self._text.rfind("\n", 0, start) + 1
        if self._text[line:start].strip():
            raise _Unusual
        return self._text[:line] + self._text[self._text.find("\n", end) + 1 or len(self._text) :]


def _nested(path: Path, value: Any) -> Any:
    for key in reversed(path):
        value = {key: value}
    return value


def _at(config: Any, path: Path) -> Any:
    for key in path:
        config = as_map(config)[key]
    return config


def _has(config: Any, path: Path) -> bool:
    for key in path:
        config = as_map(config)
        if key not in config:
            return False
        config = config[key]
    return True
