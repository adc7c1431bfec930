"""JSON patches (RFC 6902). This module applies them itself, since objects contain values that cannot be copied: those
that are known only during an update."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import Field

from mesh.core.errors import nearest, not_one_of, show
from mesh.core.typed import Documented, Findings
from mesh.patches.paths import PatchError, Path, is_plain, shown

LAST: Final = "-"
"""The last step of a pointer: behind the last item of a list."""
_INDEX: Final = re.compile("0|[1-9][0-9]*")
_SHOWN: Final = 12  # keys that a message lists


class Operation(Documented):
    """An operation of a JSON patch (RFC 6902)."""

    op: Literal["add", "remove", "replace", "move", "copy", "test"]
    """What to do at `path`. `test` refuses the patch if the value differs from `value`."""
    path: str
    """A JSON pointer, such as `/spec/template/spec/containers/0/args/-`. `-` is the place behind the last item of a
    list; `/` in a key is written `~1`, and `~` is written `~0`."""
    from_: str | None = Field(default=None, alias="from")
    """Of `move` and `copy`: the pointer to the value."""
    value: Any = None
    """Of `add`, `replace` and `test`: the value."""

    def check(self) -> Findings:
        for name, pointer in (("path", self.path), ("from", self.from_)):
            if pointer is not None and not pointer.startswith("/"):
                yield (name,), f'{show(pointer)} is not a JSON pointer: write it like "/spec/replicas"'
        moves, sets = self.op in ("move", "copy"), self.op in ("add", "replace", "test")
        if moves != (self.from_ is not None):
            yield ("from",), f"is {'required' if moves else 'only'} for move and copy"
        if sets != ("value" in self.model_fields_set):
            yield ("value",), f"is {'required' if sets else 'only'} for add, replace and test"

    @property
    def steps(self) -> Sequence[str]:
        """The steps of `path`."""
        return steps(self.path)


def steps(pointer: str) -> list[str]:
    """The steps of a JSON pointer."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def applied(body: Mapping[str, Any], operation: Operation) -> Any:
    """The object after an operation; `body` stays as it is. Raises PatchError."""
    path = operation.steps
    if operation.op == "test":
        _test(_at(body, path), operation.value, _path(path))
        return body
    if operation.op == "remove":
        return _changed(body, path, _removed)
    if operation.op == "replace":
        return _changed(body, path, lambda node, step, at: _set(node, step, at, operation.value))
    source = steps(operation.from_ or "")
    value = operation.value if operation.op == "add" else _at(body, source)
    if operation.op == "move":
        if list(path[: len(source)]) == source and path != source:
            raise PatchError(_path(path), "is inside the value that would be moved")
        body = _changed(body, source, _removed)
    return _changed(body, path, lambda node, step, at: _added(node, step, at, value))


def _path(path: Sequence[str]) -> Path:
    return tuple(int(step) if _INDEX.fullmatch(step) else step for step in path)


Change = Callable[[Any, str, Path], Any]
"""Changes a mapping or list at one of its keys or indexes. The path is that of the mapping or list in the object."""


def _changed(node: Any, path: Sequence[str], change: Change, at: Path = ()) -> Any:
    step, *rest = path
    if not rest:
        _refuse_others(node, at)
        return change(node, step, at)
    inner = _changed(_child(node, step, at), rest, change, (*at, *_path([step])))
    return _set(node, step, at, inner)


def _at(node: Any, path: Sequence[str]) -> Any:
    for i, step in enumerate(path):
        node = _child(node, step, _path(path[:i]))
    return node


def _child(node: Any, step: str, at: Path) -> Any:
    _refuse_others(node, at)
    if not isinstance(node, Mapping):
        return node[_index(node, step, at)]
    if step not in node:
        raise _missing(node, step, at)
    return node[step]


def _refuse_others(node: Any, at: Path) -> None:
    if not is_plain(node):
        raise PatchError(at, "is known only during an update, so that nothing in it can be patched")
    if not isinstance(node, Mapping | list | tuple):
        raise PatchError(at, f"{show(node)} has no parts")


def _missing(node: Mapping[str, Any], step: str, at: Path) -> PatchError:
    known = sorted(map(str, node))
    listed = ", ".join(known[:_SHOWN]) + (" …" if len(known) > _SHOWN else "") if known else "none"
    return PatchError((*at, step), f"is not in the object{nearest(step, known)} (keys there: {listed})")


def _index(node: Sequence[Any], step: str, at: Path, most: int = 0) -> int:
    """The index in a list, up to `most` behind its last item."""
    last = len(node) - 1 + most
    if not _INDEX.fullmatch(step) or int(step) > last:
        choices = [str(i) for i in range(last + 1)] + ([LAST] if most else [])
        raise PatchError(at, f"index {not_one_of(step, choices[:_SHOWN])}")
    return int(step)


def _removed(node: Any, step: str, at: Path) -> Any:
    if isinstance(node, Mapping):
        if step not in node:
            raise _missing(node, step, at)
        return {key: value for key, value in node.items() if key != step}
    index = _index(node, step, at)
    return [*node[:index], *node[index + 1 :]]


def _set(node: Any, step: str, at: Path, value: Any) -> Any:
    """A mapping or list with another value at a key or index that it has."""
    if isinstance(node, Mapping):
        if step not in node:
            raise _missing(node, step, at)
        return {**node, step: value}
    index = _index(node, step, at)
    return [*node[:index], value, *node[index + 1 :]]


def _added(node: Any, step: str, at: Path, value: Any) -> Any:
    if isinstance(node, Mapping):
        return {**node, step: value}
    index = len(node) if step == LAST else _index(node, step, at, most=1)
    return [*node[:index], value, *node[index:]]


def _test(found: Any, wanted: Any, at: Path) -> None:
    if not is_plain(found):
        raise PatchError(at, "is known only during an update, so that it cannot be tested")
    if json.dumps(found, sort_keys=True, default=str) != json.dumps(wanted, sort_keys=True, default=str):
        raise PatchError(at, f"is {shown(found, at)}, and not {shown(wanted, at)}")
