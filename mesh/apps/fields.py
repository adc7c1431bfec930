"""Paths of fields in objects, such as `spec.http[*].route[*].weight`, where `[*]` is each item of a list."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

_PATH: Final = re.compile(r'(?:spec|data|metadata\.(?:labels|annotations))(?:\.[\w-]+|\[\*\]|\["[^"\]]+"\])+')
_STEP: Final = re.compile(r'\["(?P<quoted>[^"]+)"\]|(?P<each>\[\*\])|(?P<name>[^.\[]+)')
EACH: Final = "*"

Path = tuple[str | int, ...]
"""Keys of mappings and indexes of lists."""


def checked(path: str) -> str:
    """The path. Raises ValueError if it is none of a field that a controller may set."""
    if not _PATH.fullmatch(path):
        raise ValueError(
            f"{path} is no path of a field below spec, data, metadata.labels or metadata.annotations: write it like"
            ' spec.replicas, spec.http[*].route[*].weight or metadata.annotations["example.com/key"]'
        )
    return path


def is_in_list(path: str) -> bool:
    """Whether the field is one of a list's items."""
    return EACH in _steps(path)


def common(paths: Iterable[str], old: Any, new: Any) -> list[Path]:
    """The fields at the paths that both objects may have: where a list has another length in each, its items cannot be
    told apart, and none of them is meant."""
    return [found for path in paths for found in _common(_steps(path), old, new)]


def _steps(path: str) -> list[str]:
    return [step["quoted"] or (EACH if step["each"] else step["name"]) for step in _STEP.finditer(path)]


def _common(steps: list[str], old: Any, new: Any) -> Iterator[Path]:
    first, rest = steps[0], steps[1:]
    if first == EACH:
        alike = isinstance(old, list) and isinstance(new, list) and len(old) == len(new)
        pairs = list(enumerate(zip(old, new, strict=True))) if alike else []
        found = [(index, *path) for index, pair in pairs for path in (_common(rest, *pair) if rest else [()])]
        yield from found
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        if not rest:
            yield (first,)
        elif first in old and first in new:
            yield from ((first, *path) for path in _common(rest, old[first], new[first]))


def text(path: Path) -> str:
    """The path as Pulumi writes it: `spec.http[0].weight`, `metadata.annotations["example.com/key"]`."""
    parts = (f"[{one}]" if isinstance(one, int) else f".{one}" if one.isidentifier() else f'["{one}"]' for one in path)
    return "".join(parts).removeprefix(".")


def without(body: Mapping[str, Any], paths: Iterable[Path]) -> Any:
    """A copy of the object without the fields."""
    return _changed(body, paths, lambda _path: None)


def laid_over(body: Mapping[str, Any], other: Mapping[str, Any], paths: Iterable[Path]) -> Any:
    """A copy of the object with another one's values of the fields."""

    def value(path: Path) -> Any:
        found: Any = other
        for step in path[:-1]:
            found = found[step]
        return found[path[-1]] if isinstance(path[-1], int) else found.get(path[-1])

    return _changed(body, paths, value)


def _changed(body: Mapping[str, Any], paths: Iterable[Path], value: Callable[[Path], Any]) -> Any:
    """A copy of the object with other values of fields; a field without a value is left out."""
    result = copy.deepcopy(dict(body))
    for path in paths:
        parent: Any = result
        for step in path[:-1]:
            parent = parent[step]
        if (new := value(path)) is not None:
            parent[path[-1]] = new
        elif isinstance(parent, dict):
            parent.pop(path[-1], None)
        else:
            parent[path[-1]] = None
    return result
