"""The differences between two manifests, field by field."""

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
"""Fields that identify the items of a list, if all items have a different value."""
_TELLING: Final = re.compile(r"(password|passphrase|signing_?key|private_?key|client_?secret|_token)\W*(value)?$", re.I)
"""Ends of paths whose values are probably secrets, though not in a Secret."""
HIDDEN: Final = "(not shown)"
"""Stands for such a value."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field whose value changes."""

    path: str
    """Such as `spec.template.spec.containers[istio-proxy].image`. It goes on inside of YAML and JSON texts."""
    old: Any = None
    """None if the field is added."""
    new: Any = None
    """None if the field is removed."""
    note: str = ""
    """Describes the change in place of values that are too long or secret."""


def differences(old: Any, new: Any) -> Iterator[Field]:
    """The fields in which two values differ. Items of lists are matched by name where they have one."""
    for path, was, now, note in _Fields().walk(old, new):
        place = _written(path)
        before, after = (None if value is ABSENT else _masked(value, place) for value in (was, now))
        yield Field(path=place, note=note) if note else Field(path=place, old=before, new=after)


class _Fields(Comparison):
    """Compares Kubernetes objects, in which null means that a field is not set."""

    def normalized(self, value: Any, _path: Path) -> Any:
        return ABSENT if value is None else value

    def keys(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[str]:
        return sorted({*old, *new}, key=str)

    def compare_lists(self, old: Sequence[Any], new: Sequence[Any], path: Path) -> Iterator[Difference]:
        """Compares items with names by name, lists of plain values as a whole, and other items by position."""
        before, after = _named(old), _named(new)
        if before is not None and after is not None and (before or after):
            for name in dict.fromkeys([*before, *after]):
                yield from self.walk(before.get(name), after.get(name), (*path, f"[{name}]"))
        elif not any(isinstance(item, Mapping | list) for item in (*old, *new)):
            yield Difference(path, old, new)
        else:
            yield from self._sequence(old, new, path)

    def _sequence(self, old: Sequence[Any], new: Sequence[Any], path: Path) -> Iterator[Difference]:
        """Compares items without names: those at the same position are matched, the rest is added or removed."""
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
        """Compares YAML and JSON texts by their fields, other texts by their lines, and all else by value."""
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
    """A value in which probable secrets are hidden."""
    if isinstance(value, Mapping):
        within = f"{path}.{value['name']}" if isinstance(value.get("name"), str) else path
        return {key: _masked(item, f"{within}.{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, path) for item in value]
    return HIDDEN if isinstance(value, str) and _TELLING.search(path) else value


def _written(path: Path) -> str:
    """A path as text. Keys with characters other than letters, digits, `-` and `_` are in brackets."""
    text = ""
    for step in path:
        if not text or step.startswith("["):
            text += step
        else:
            text += f".{step}" if step.replace("_", "").replace("-", "").isalnum() else f"[{step}]"
    return text


def _named(items: Sequence[Any]) -> Mapping[Any, Any] | None:
    """The items of a list by the field that identifies them; None if there is none."""
    for key in _KEYS:
        if all(isinstance(item, Mapping) and isinstance(item.get(key), str | int) for item in items):
            found = {item[key]: item for item in items}
            return found if len(found) == len(items) else None
    return None


def _document(text: str) -> Mapping[str, Any] | None:
    """The mapping that a text holds as YAML or JSON; None if it holds none."""
    try:
        found = json.loads(text) if text.lstrip().startswith("{") else yaml.load(text, Loader=yaml.CSafeLoader)
    except (ValueError, yaml.YAMLError):
        return None
    return found if isinstance(found, Mapping) else None
