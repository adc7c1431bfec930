"""Which fields of an object come from which patches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mesh.analysis.objects import Object, Ref, Writes
from mesh.patches.merge import DIRECTIVE
from mesh.patches.patch import Patch, key
from mesh.patches.paths import Merging, keys, merging

_NAMING: Final = ("name", "key", "port", "number", "containerPort", "mountPath", "topologyKey", "ip", "devicePath")
"""Fields by which comparisons name the items of lists."""
_Steps = tuple[frozenset[str], ...]


def of(patches: Sequence[Patch], obj: Object) -> Writes:
    """The fields that the patches have written in an object, each with the key of the patch."""
    how = merging(obj.kind)
    return tuple(
        (steps, key(i)) for i, one in enumerate(patches) if one.covers(obj.ref) for steps in _of(one, obj.body, how)
    )


def keys_of(patches: Sequence[Patch], ref: Ref) -> list[str]:
    """The keys of the patches that are about an object."""
    return [key(i) for i, one in enumerate(patches) if one.covers(ref)]


def _of(patch: Patch, body: Mapping[str, Any], how: Merging) -> Iterator[_Steps]:
    if patch.merge is not None:
        yield from _merged(patch.merge, body, how, (), ())
    for one in patch.json_ or ():
        if one.op != "test":
            yield _pointed(one.steps, body)
        if one.op == "move":
            yield _pointed((one.from_ or "").split("/")[1:], body)


def _merged(patch: Any, there: Any, how: Merging, path: tuple[str, ...], steps: _Steps) -> Iterator[_Steps]:
    if isinstance(patch, Mapping) and DIRECTIVE not in patch and patch and keys(path) not in how.replaced:
        for name, item in patch.items():
            inner = there.get(name) if isinstance(there, Mapping) else None
            yield from _merged(item, inner, how, (*path, name), (*steps, frozenset([name])))
    elif isinstance(patch, list) and keys(path) in how.lists and isinstance(there, list):
        for item in patch:
            yield from _item(item, there, how, path, steps)
    else:
        yield steps


def _item(
    item: Mapping[str, Any], there: list[Any], how: Merging, path: tuple[str, ...], steps: _Steps
) -> Iterator[_Steps]:
    name = how.lists[keys(path)]
    found = [i for i, one in enumerate(there) if isinstance(one, Mapping) and one.get(name) == item.get(name)]
    if DIRECTIVE in item or not found:
        yield (*steps, frozenset([f"[{item.get(name)}]"])) if name in item else steps
        return
    yield from _merged(item, there[found[0]], how, path, (*steps, _names(there[found[0]], found[0])))


def _pointed(pointer: Sequence[str], there: Any) -> _Steps:
    """The steps of a JSON pointer; a list whose items move is one value."""
    steps: list[frozenset[str]] = []
    for i, raw in enumerate(pointer):
        step = raw.replace("~1", "/").replace("~0", "~")
        if isinstance(there, list):
            if i == len(pointer) - 1 or not step.isdecimal() or int(step) >= len(there):
                break
            steps.append(_names(there[int(step)], int(step)))
            there = there[int(step)]
        else:
            steps.append(frozenset([step]))
            there = there.get(step) if isinstance(there, Mapping) else None
    return tuple(steps)


def _names(item: Any, index: int) -> frozenset[str]:
    """The steps by which comparisons identify an item of a list."""
    named = (item[field] for field in _NAMING if field in item) if isinstance(item, Mapping) else ()
    return frozenset([f"[{index}]", *(f"[{name}]" for name in named)])
