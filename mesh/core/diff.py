"""What differs between two values of plain data, such as two manifests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

Path = tuple[str, ...]
"""The way to a part of a value: keys of mappings, and `[place]` or `[name]` for an item of a list."""

ABSENT: Final[Any] = object()
"""Stands for a part that is not there."""


class Difference(NamedTuple):
    """A part that is not the same on both sides."""

    path: Path
    old: Any
    new: Any
    note: str = ""
    """What is to be said in place of the values; empty if they are."""


class Comparison:
    """Walks through two values side by side. Subclasses say what else counts as the same, and how lists and texts are
    compared."""

    def walk(self, old: Any, new: Any, path: Path = ()) -> Iterator[Difference]:
        """The parts that differ, each as a whole where one side has nothing there."""
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
        """Whether a part is not to be compared."""
        return False

    def normalized(self, value: Any, _path: Path) -> Any:
        """What a part means; for instance the default of one that is ABSENT."""
        return value

    def keys(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[str]:
        """The keys of both mappings, in the order in which they are compared."""
        return {**old, **new}

    def compare_lists(self, old: Sequence[Any], new: Sequence[Any], path: Path) -> Iterator[Difference]:
        """Lists that differ: by the place of their items where both have as many, otherwise as a whole."""
        if len(old) != len(new):
            yield Difference(path, old, new)
            return
        for place, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from self.walk(one, other, (*path, f"[{place}]"))

    def compare_values(self, old: Any, new: Any, path: Path) -> Iterator[Difference]:
        """Values that differ and are not both lists or both mappings."""
        yield Difference(path, old, new)
