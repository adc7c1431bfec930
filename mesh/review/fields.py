"""The differences between two manifests, field by field."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

from mesh.core import disclosure
from mesh.core.diff import ABSENT, Comparison, Difference, Path
from mesh.core.disclosure import Disclosure

_KEYS: Final = ("name", "key", "port", "number")
"""Fields that identify the items of a list, if all items have a different value."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field whose value changes."""

    path: str
    """Such as `spec.template.spec.containers[istio-proxy].image`. It continues into YAML and JSON texts."""
    old: Any = None
    """None if the field is added."""
    new: Any = None
    """None if the field is removed."""
    note: str = ""
    """Describes the change if the values are too long or secret."""
    by: str = ""
    """The key of the patch that sets the field; empty if it comes from a setting."""


def _by_nobody(_path: Path, _value: Any) -> str:
    return ""


def differences(
    old: Any,
    new: Any,
    shown: Disclosure = disclosure.DEFAULT,
    patched_by: Callable[[Path, Any], str] = _by_nobody,
) -> Iterator[Field]:
    """The fields in which two values differ. Items of lists are matched by name if they have one. `[secret]` stands
    for values that are not `shown`. `patched_by` returns the key of the patch that sets the new value at a path."""
    for path, was, now, note in _Fields().walk(old, new):
        place = _written(tuple(disclosure.name(step) for step in path))
        before, after = (None if value is ABSENT else shown.masked(value, path) for value in (was, now))
        by = patched_by(path, now)
        yield Field(path=place, note=note, by=by) if note else Field(path=place, old=before, new=after, by=by)


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
        """Compares items without names: items at the same position are matched, the others are added or removed."""
        was, now = ([json.dumps(item, sort_keys=True) for item in items] for items in (old, new))
        for how, i, i_end, j, j_end in SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
            if how == "equal":
                continue
            pairs = min(i_end - i, j_end - j)  # the last ones, since the last route applies to all other requests
            yield from (Difference((*path, f"[{at}]"), old[at], ABSENT) for at in range(i, i_end - pairs))
            yield from (Difference((*path, f"[{at}]"), ABSENT, new[at]) for at in range(j, j_end - pairs))
            for back in range(pairs, 0, -1):
                yield from self.walk(old[i_end - back], new[j_end - back], (*path, f"[{j_end - back}]"))

    def compare_values(self, old: Any, new: Any, path: Path) -> Iterator[Difference]:
        """Compares YAML and JSON texts by field, other texts by line, and everything else by value."""
        if not (isinstance(old, str) and isinstance(new, str) and "\n" in old + new):
            yield Difference(path, old, new)
            return
        before, after = disclosure.document(old, path), disclosure.document(new, path)
        if before is not None and after is not None and before != after:
            yield from self.walk(before, after, path)
            return
        added = removed = 0
        matcher = SequenceMatcher(None, old.splitlines(), new.splitlines(), autojunk=False)
        for how, i, i_end, j, j_end in matcher.get_opcodes():
            if how != "equal":
                removed, added = removed + i_end - i, added + j_end - j
        yield Difference(path, old, new, f"text: {added} lines added, {removed} removed")


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
