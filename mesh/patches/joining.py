"""Joins consecutive entries of `mesh:patches` about the same object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mesh.patches.merge import DIRECTIVE
from mesh.patches.paths import Merging

Entry = Mapping[str, Any]


def together(entries: Sequence[Entry], how: Merging) -> list[Entry]:
    """The entries, with consecutive merges joined into one, and consecutive JSON patches too."""
    found: list[Entry] = []
    for entry in entries:
        last = found[-1] if found else {}
        if "json" in last and "json" in entry:
            found[-1] = {**last, "json": [*last["json"], *entry["json"]]}
        elif "merge" in last and "merge" in entry and (both := _joined(last["merge"], entry["merge"], how, ())):
            found[-1] = {**last, "merge": both}
        else:
            found.append(entry)
    return found


def _joined(one: Any, other: Any, how: Merging, at: tuple[str, ...]) -> Any:
    """Two merges as one; None if the second one needs the result of the first."""
    if isinstance(one, Mapping) and isinstance(other, Mapping) and DIRECTIVE not in (*one, *other):
        both = {key: _joined(one[key], item, how, (*at, key)) for key, item in other.items() if key in one}
        return None if None in both.values() else {**one, **other, **both}
    if isinstance(one, list) and isinstance(other, list) and at in how.lists:
        return _joined_lists(one, other, how, at)
    return None


def _joined_lists(one: Sequence[Any], other: Sequence[Any], how: Merging, at: tuple[str, ...]) -> Any:
    field, found = how.lists[at], list(one)
    for item in other:
        same = next((i for i, mine in enumerate(found) if mine.get(field) == item.get(field)), None)
        if same is None and all(field in each for each in (item, *found)):
            found.append(item)
            continue
        mine, theirs = _unnamed(found[same] if same is not None else {DIRECTIVE: ""}, field), _unnamed(item, field)
        both = _joined(mine, theirs, how, at)
        if both is None:
            return None
        found[same or 0] = {field: item[field], **both}
    return found


def _unnamed(item: Entry, field: str) -> Entry:
    return {key: value for key, value in item.items() if key != field}
