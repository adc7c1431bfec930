"""Differences between two values of plain data, such as two manifests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

Path = tuple[str, ...]
"""Path of a part of a value: keys of mappings, and `[index]` or `[name]` for items of lists."""

ABSENT: Final[Any] = object()
"""Stands for a missing part."""


class Difference(NamedTuple):
    """A part of the value that differs."""

    path: Path
    old: Any
    new: Any
    note: str = ""
    """Text to show instead of the two values; empty: the values are shown."""


class Comparison:
    """Compares two values recursively. Subclasses define defaults, ignored parts, and how lists and strings are
    compared."""

    def walk(self, old: Any, new: Any, path: Path = ()) -> Iterator[Difference]:
        """Yields the parts that differ. A part that only one side has is one difference."""
        if self.ignores(old, new, path):
            return
        old, new = self.normalized(old, path), self.normalized(new, path)
        if old == new:
            return
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            for key in self.keys(old, new):
                yield from self.walk(old.get(key, ABSENT), new.get(key, ABSENT), (*path, key))
        elif isinstance(old, list) and isinstance(new, list):
            yield from self.compare_lists(old, new, path)
        else:
            yield from self.compare_values(old, new, path)

    def ignores(self, _old: Any, _new: Any, _path: Path) -> bool:
        """Whether a part is left out of the comparison."""
        return False

    def normalized(self, value: Any, _path: Path) -> Any:
        """The form in which a part is compared, for instance its default if it is ABSENT."""
        return value

    def keys(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[str]:
        """The keys of both mappings, in the order of the comparison."""
        return {**old, **new}

    def compare_lists(self, old: Sequence[Any], new: Sequence[Any], path: Path) -> Iterator[Difference]:
        """Compares lists item by item if they have the same length, otherwise as a whole."""
        if len(old) != len(new):
            yield Difference(path, old, new)
            return
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from self.walk(one, other, (*path, f"[{index}]"))

    def compare_values(self, old: Any, new: Any, path: Path) -> Iterator[Difference]:
        """Compares values that differ and that are not two lists or two mappings."""
        yield Difference(path, old, new)
