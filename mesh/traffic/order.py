"""Generated objects that come after others of their config entry: routes after subsets, denials after allow rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from mesh.analysis.objects import Ref
from mesh.traffic.objects import ConfigObject


def needs(objects: Iterable[ConfigObject]) -> Mapping[Ref, Sequence[Ref]]:
    """The objects that each late object needs: the others of its config entry, and of the keys below and above it."""
    at: dict[str, list[Ref]] = defaultdict(list)
    below: dict[tuple[str, str], list[Ref]] = defaultdict(list)
    late: list[ConfigObject] = []
    for item in objects:
        if item.late:
            late.append(item)
            continue
        at[item.path].append(item.ref)
        for path in (item.path, *_above(item.path)):
            below[path, item.namespace].append(item.ref)
    return {
        item.ref: [*below[item.path, item.namespace], *(one for path in _above(item.path) for one in at[path])]
        for item in late
    }


def _above(path: str) -> Iterator[str]:
    """The parents of a config key: `a.b` and `a` for `a.b.c`."""
    while "." in path:
        path = path.rpartition(".")[0]
        yield path
