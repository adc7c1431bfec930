"""Paths of fields in objects, such as `spec.http[*].route[*].weight`, where `[*]` is each item of a list."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

_PATH: Final = re.compile(r'(?:spec|data|metadata\.(?:labels|annotations))(?:\.[\w-]+|\[\*\]|\["[^"\]]+"\])+')
_STEP: Final = re.compile(r'\["(?P<quoted>[^"]+)"\]|(?P<each>\[\*\])|(?P<name>[^.\[]+)')
EACH: Final = "*"

Path = tuple[str | int, ...]
"""Keys of mappings and indexes of lists."""


class Pair(NamedTuple):
    """The paths of a field in two versions of an object."""

    old: Path
    new: Path


def checked(path: str) -> str:
    """The path. Raises ValueError if it is not the path of a field that a controller may set."""
    if not _PATH.fullmatch(path):
        raise ValueError(
            f"{path} is not the path of a field below spec, data, metadata.labels or metadata.annotations: write it"
            ' like spec.replicas, spec.http[*].route[*].weight or metadata.annotations["example.com/key"]'
        )
    return path


def is_in_list(path: str) -> bool:
    """Whether the field is one of a list's items."""
    return EACH in _steps(path)


def shared(paths: Iterable[str], old: Any, new: Any) -> list[Pair]:
    """The fields at the paths that two versions of an object have in common.

    Items of two lists belong together by `name`, by position if the lists have the same length, or else if they are
    equal except for the fields. In the last case, no items of the innermost list belong together, since its items, such
    as weights, depend on each other."""
    return [found for path in paths for found in _shared(_steps(path), old, new)]


def own(paths: Iterable[str], body: Mapping[str, Any]) -> list[Path]:
    """The fields at the paths that an object has."""
    return [pair.new for pair in shared(paths, body, body)]


def _steps(path: str) -> list[str]:
    return [step["quoted"] or (EACH if step["each"] else step["name"]) for step in _STEP.finditer(path)]


def _shared(steps: Sequence[str], old: Any, new: Any) -> Iterator[Pair]:
    first, rest = steps[0], steps[1:]
    for before, after in _parts(steps, old, new):
        inner = _shared(rest, old[before], new[after]) if rest else [Pair((), ())]
        yield from (Pair((before, *pair.old), (after, *pair.new)) for pair in inner)
    if first != EACH and not rest and isinstance(old, Mapping) and isinstance(new, Mapping) and first not in new:
        yield Pair((first,), (first,))


def _parts(steps: Sequence[str], old: Any, new: Any) -> list[tuple[Any, Any]]:
    """The parts of two values that belong together at the first step: keys or indexes."""
    first, rest = steps[0], steps[1:]
    if first != EACH:
        both = isinstance(old, Mapping) and isinstance(new, Mapping) and first in new and (first in old or not rest)
        return [(first, first)] if both else []
    if not (isinstance(old, list) and isinstance(new, list)):
        return []
    places = {item["name"]: i for i, item in enumerate(old) if isinstance(item, Mapping) and "name" in item}
    names = [item.get("name") if isinstance(item, Mapping) else None for item in new]
    if len(places) == len(old) and all(names):
        return [(places[name], i) for i, name in enumerate(names) if name in places]
    if len(old) == len(new):
        return [(i, i) for i in range(len(new))]
    return list(_equal(rest, old, new)) if EACH in rest else []


def _equal(rest: Sequence[str], old: list[Any], new: list[Any]) -> Iterator[tuple[int, int]]:
    """The indexes of items that are equal except for the fields at `rest`."""
    left = {i: _bare(rest, item) for i, item in enumerate(old)}
    for place, item in enumerate(new):
        bare = _bare(rest, item)
        if (found := next((i for i, one in left.items() if one == bare), None)) is not None:
            del left[found]
            yield found, place


def _bare(rest: Sequence[str], item: Any) -> Any:
    return without(item, [pair.new for pair in _shared(rest, item, item)])


def text(path: Path) -> str:
    """The path as Pulumi writes it: `spec.http[0].weight`, `metadata.annotations["example.com/key"]`."""
    parts = (f"[{one}]" if isinstance(one, int) else f".{one}" if one.isidentifier() else f'["{one}"]' for one in path)
    return "".join(parts).removeprefix(".")


def without(body: Mapping[str, Any], paths: Iterable[Path]) -> dict[str, Any]:
    """A copy of the object without the fields."""
    result = copy.deepcopy(dict(body))
    for path in paths:
        _put(result, path, None)
    return result


def laid_over(body: Mapping[str, Any], other: Mapping[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """A copy of the object whose fields at the paths are as in another version of it, as far as both have them."""
    result = copy.deepcopy(dict(body))
    for pair in shared(paths, other, body):
        found: Any = other
        for step in pair.old[:-1]:
            found = found[step]
        last = pair.old[-1]
        _put(result, pair.new, found.get(last) if isinstance(found, Mapping) else found[last])
    return result


def _put(body: Any, path: Path, value: Any) -> None:
    """Sets a field; without a value it is left out."""
    for step in path[:-1]:
        body = body[step]
    if value is None and isinstance(body, dict):
        body.pop(path[-1], None)
    else:
        body[path[-1]] = value
