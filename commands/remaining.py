"""Patches that make of a stack's objects what no setting says: what is left of the differences from an installation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from commands.parity.compare import Difference
from commands.parity.normal import Amount
from mesh.analysis.objects import Ref
from mesh.core.diff import ABSENT

_ITEM: Final = "["
"""How a step into a list begins; the name of the item follows, up to a bracket."""


def patches(found: Iterable[Difference]) -> dict[Ref, dict[str, Any]]:
    """A patch (`mesh:patches`) for each object of which fields differ. Whether it can be applied, and makes the object
    that of the installation, is to be tried: not every list has items with names."""
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
    """A value of the normal form as a manifest has it."""
    if isinstance(value, Amount):
        return value.text
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    items = {key: _plain(item) for key, item in value.items()}
    return [*items.values()] if items and all(key.startswith(_ITEM) for key in items) else items
