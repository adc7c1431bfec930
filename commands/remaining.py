"""Patches for the differences between a stack and an installation that no setting explains; for `make import`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from commands.parity.compare import Difference
from commands.parity.normal import Amount
from mesh.analysis.objects import Ref
from mesh.core.diff import ABSENT

_ITEM: Final = "["
"""Prefix of a step into a list; the name of the item and a closing bracket follow."""


def patches(found: Iterable[Difference]) -> dict[Ref, dict[str, Any]]:
    """A patch (`mesh:patches`) for each object with fields that differ. The caller must try whether the patch can be
    applied and makes the object equal to the installation's: not every list has items with names."""
    merges: dict[Ref, dict[str, Any]] = {}
    for one in found:
        if not one.whole:
            _set(merges.setdefault(one.object, {}), one.steps, one.theirs)
    return {ref: {"object": str(ref), "merge": merge} for ref, merge in merges.items()}


def _set(part: Any, steps: Sequence[str], value: Any) -> None:
    """Sets a field of a strategic merge patch; ABSENT removes it."""
    step, rest = steps[0], steps[1:]
    if step.startswith(_ITEM):
        name = {"name": step[1:-1]}
        if not rest:
            part.append({**name, **({"$patch": "delete"} if value is ABSENT else _plain(value))})
            return
        if not (item := next((one for one in part if one["name"] == name["name"]), None)):
            part.append(item := name)
        _set(item, rest, value)
    elif not rest:
        part[step] = None if value is ABSENT else _plain(value)
    else:
        _set(part.setdefault(step, [] if rest[0].startswith(_ITEM) else {}), rest, value)


def _plain(value: Any) -> Any:
    """A value of the normal form, in the form of a manifest."""
    if isinstance(value, Amount):
        return value.text
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    items = {key: _plain(item) for key, item in value.items()}
    return [*items.values()] if items and all(key.startswith(_ITEM) for key in items) else items
