"""What differs between two values, field by field, in short."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

import yaml

from mesh.core.diff import ABSENT, Comparison, Difference, Path

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
    old: Any = None
    """None if the field was not there."""
    new: Any = None
    """None if it is there no more."""
    note: str = ""
    """What is said in place of values that are too long, or nobody's business."""


def differences(old: Any, new: Any) -> Iterator[Field]:
    """The fields in which two values differ; lists by their items' names where they have them."""
    for path, was, now, note in _Fields().walk(old, new):
        place = _written(path)
        before, after = (None if value is ABSENT else _masked(value, place) for value in (was, now))
        yield Field(path=place, note=note) if note else Field(path=place, old=before, new=after)


class _Fields(Comparison):
    """Compares objects of Kubernetes, in which no field is null."""

    def normalized(self, value: Any, _path: Path) -> Any:
        return ABSENT if value is None else value

    def keys(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[str]:
        return sorted({*old, *new}, key=str)

    def compare_lists(self, old: Sequence[Any], new: Sequence[Any], path: Path) -> Iterator[Difference]:
        """Items that have a name each by their names; plain values as a whole; others by their places."""
        before, after = _named(old), _named(new)
        if before is not None and after is not None and (before or after):
            for name in dict.fromkeys([*before, *after]):
                yield from self.walk(before.get(name), after.get(name), (*path, f"[{name}]"))
        elif not any(isinstance(item, Mapping | list) for item in (*old, *new)):
            yield Difference(path, old, new)
        else:
            yield from self._sequence(old, new, path)

    def _sequence(self, old: Sequence[Any], new: Sequence[Any], path: Path) -> Iterator[Difference]:
        """Items without names: those at the same place are one another's successors, the rest comes or goes."""
        was, now = ([json.dumps(item, sort_keys=True) for item in items] for items in (old, new))
        for how, i, i_end, j, j_end in SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
            if how == "equal":
                continue
            pairs = min(i_end - i, j_end - j)  # the last ones: of routes that is what holds for the rest
            yield from (Difference((*path, f"[{at}]"), old[at], ABSENT) for at in range(i, i_end - pairs))
            yield from (Difference((*path, f"[{at}]"), ABSENT, new[at]) for at in range(j, j_end - pairs))
            for back in range(pairs, 0, -1):
                yield from self.walk(old[i_end - back], new[j_end - back], (*path, f"[{j_end - back}]"))

    def compare_values(self, old: Any, new: Any, path: Path) -> Iterator[Difference]:
        """Documents inside of a text by their fields, other texts by their lines."""
        if not (isinstance(old, str) and isinstance(new, str) and "\n" in old + new):
            yield Difference(path, old, new)
            return
        before, after = _document(old), _document(new)
        if before is not None and after is not None and before != after:
            yield from self.walk(before, after, path)
            return
        added = removed = 0
        matcher = SequenceMatcher(None, old.splitlines(), new.splitlines(), autojunk=False)
        for how, i, i_end, j, j_end in matcher.get_opcodes():
            if how != "equal":
                removed, added = removed + i_end - i, added + j_end - j
        yield Difference(path, old, new, f"text: {added} lines added, {removed} removed")


def _masked(value: Any, path: str) -> Any:
    """A value without what looks like a secret."""
    if isinstance(value, Mapping):
        within = f"{path}.{value['name']}" if isinstance(value.get("name"), str) else path
        return {key: _masked(item, f"{within}.{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, path) for item in value]
    return HIDDEN if isinstance(value, str) and _TELLING.search(path) else value


def _written(path: Path) -> str:
    """A path as people write it; keys with other signs than letters, digits, `-` and `_` stand in brackets."""
    text = ""
    for step in path:
        if not text or step.startswith("["):
            text += step
        else:
            text += f".{step}" if step.replace("_", "").replace("-", "").isalnum() else f"[{step}]"
    return text


def _named(items: Sequence[Any]) -> Mapping[Any, Any] | None:
    """A list's items by what tells them apart; None if nothing does."""
    for key in _KEYS:
        if all(isinstance(item, Mapping) and isinstance(item.get(key), str | int) for item in items):
            found = {item[key]: item for item in items}
            return found if len(found) == len(items) else None
    return None


def _document(text: str) -> Mapping[str, Any] | None:
    """What YAML or JSON in a text says, if it is a mapping."""
    try:
        found = json.loads(text) if text.lstrip().startswith("{") else yaml.load(text, Loader=yaml.CSafeLoader)
    except (ValueError, yaml.YAMLError):
        return None
    return found if isinstance(found, Mapping) else None
