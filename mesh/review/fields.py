"""What differs between two values, field by field, in short."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

import yaml

ABSENT: Final = None
"""What stands for a field that is not there; no field of these objects is null."""
_KEYS: Final = ("name", "port", "number")
"""By what the items of a list are told apart, where each has one of its own."""
_TELLING: Final = re.compile(r"(password|passphrase|signing_?key|private_?key|client_?secret|_token)\W*(value)?$", re.I)
"""Ends of paths whose values look like secrets that somebody has put into the open."""
HIDDEN: Final = "(not shown)"


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field that has another value than before."""

    path: str
    """Such as `spec.template.spec.containers[istio-proxy].image`; inside a text, as that text's own path."""
    old: Any = ABSENT
    new: Any = ABSENT
    note: str = ""
    """What is said in place of values that are too long, or nobody's business."""


def differences(old: Any, new: Any, path: str = "") -> Iterator[Field]:
    """The fields in which two values differ; lists by their items' names where they have them."""
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}, key=str):
            yield from differences(old.get(key), new.get(key), _below(path, str(key)))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _lists(old, new, path)
    elif isinstance(old, str) and isinstance(new, str) and "\n" in old + new:
        yield from _texts(old, new, path)
    else:
        yield Field(path=path, old=_masked(old, path), new=_masked(new, path))


def _masked(value: Any, path: str) -> Any:
    """A value without what looks like a secret."""
    if isinstance(value, Mapping):
        within = f"{path}.{value['name']}" if isinstance(value.get("name"), str) else path
        return {key: _masked(item, f"{within}.{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, path) for item in value]
    return HIDDEN if isinstance(value, str) and _TELLING.search(path) else value


def _below(path: str, key: str) -> str:
    if not path:
        return key
    return f"{path}.{key}" if key.replace("_", "").replace("-", "").isalnum() else f"{path}[{key}]"


def _lists(old: list[Any], new: list[Any], path: str) -> Iterator[Field]:
    before, after = _named(old), _named(new)
    if before is not None and after is not None and (before or after):
        for name in dict.fromkeys([*before, *after]):
            yield from differences(before.get(name), after.get(name), f"{path}[{name}]")
    elif not any(isinstance(item, Mapping | list) for item in (*old, *new)):
        yield Field(path=path, old=_masked(old, path), new=_masked(new, path))
    else:
        yield from _sequence(old, new, path)


def _sequence(old: list[Any], new: list[Any], path: str) -> Iterator[Field]:
    """Items without names: those at the same place are one another's successors, the rest comes or goes."""
    was, now = ([json.dumps(item, sort_keys=True) for item in items] for items in (old, new))
    for how, i, i_end, j, j_end in SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        if how == "equal":
            continue
        pairs = min(i_end - i, j_end - j)  # the last ones: of routes that is what holds for the rest
        yield from (Field(path=f"{path}[{at}]", old=_masked(old[at], path)) for at in range(i, i_end - pairs))
        yield from (Field(path=f"{path}[{at}]", new=_masked(new[at], path)) for at in range(j, j_end - pairs))
        for back in range(pairs, 0, -1):
            yield from differences(old[i_end - back], new[j_end - back], f"{path}[{j_end - back}]")


def _named(items: Sequence[Any]) -> Mapping[Any, Any] | None:
    """A list's items by what tells them apart; None if nothing does."""
    for key in _KEYS:
        if all(isinstance(item, Mapping) and isinstance(item.get(key), str | int) for item in items):
            found = {item[key]: item for item in items}
            return found if len(found) == len(items) else None
    return None


def _texts(old: str, new: str, path: str) -> Iterator[Field]:
    """Documents inside of a text by their fields, other texts by their lines."""
    before, after = _document(old), _document(new)
    if before is not None and after is not None and before != after:
        yield from differences(before, after, path)
        return
    added = removed = 0
    matcher = SequenceMatcher(None, old.splitlines(), new.splitlines(), autojunk=False)
    for how, i, i_end, j, j_end in matcher.get_opcodes():
        if how != "equal":
            removed, added = removed + i_end - i, added + j_end - j
    yield Field(path=path, note=f"text: {added} lines added, {removed} removed")


def _document(text: str) -> Mapping[str, Any] | None:
    """What YAML or JSON in a text says, if it is a mapping."""
    try:
        found = json.loads(text) if text.lstrip().startswith("{") else yaml.load(text, Loader=yaml.CSafeLoader)
    except (ValueError, yaml.YAMLError):
        return None
    return found if isinstance(found, Mapping) else None
