"""What Pulumi's SDK does again and again for each resource, made cheaper: together most of the program's time
(docs/speed.md has the numbers). What the program registers stays the same."""

from __future__ import annotations

import gc
from asyncio import Future
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, Final

from pulumi import _types, log
from pulumi.runtime import known_types, rpc
from pulumi.runtime.settings import SETTINGS

REMEMBERED: Final = (
    "input_type_py_to_pulumi_names",
    "input_type_types",
    "output_type_types",
    "resource_py_to_pulumi_names",
    "resource_pulumi_to_py_names",
    "resource_types",
)
"""Functions of a class alone, whose results the SDK only reads: they resolve annotations, each time anew."""
_OBJECTS: Final = 50_000
"""New objects between two searches for garbage. Python's own 700 make it look, again and again, at everything that the
imports have made; and the program ends soon."""


class Outstanding:
    """Outputs that are not known yet, in order. The SDK's own queue searches all of them for each one that is done."""

    def __init__(self, some: Iterable[Future[Any]]) -> None:
        self._all = OrderedDict.fromkeys(some)
        self.append, self.clear = self._all.setdefault, self._all.clear

    def __iter__(self) -> Iterator[Future[Any]]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def remove(self, one: Future[Any]) -> None:
        """ValueError if it is not there."""
        try:
            del self._all[one]
        except KeyError:
            raise ValueError("not outstanding") from None

    def popleft(self) -> Future[Any]:
        return self._all.popitem(last=False)[0]


def contains_unknowns(val: Any) -> bool:
    """Whether something in a value is only known once it exists. The SDK's own compares each part with all before."""
    seen: set[int] = set()
    left = [val]
    while left:
        part = left.pop()
        if known_types.is_unknown(part):
            return True
        if isinstance(part, dict | list) and id(part) not in seen:
            seen.add(id(part))
            left += dict.values(part) if isinstance(part, dict) else part
    return False


def silent(*_: object, **__: object) -> None:
    """Says nothing. The SDK's own tells the engine four times for each resource what it is at, and waits for an answer
    each time; the engine shows it to those who ask for `--debug`."""


def speed_up() -> None:
    """For the rest of the running program."""
    for name in REMEMBERED:
        function = getattr(_types, name)
        if not hasattr(function, "cache_info"):
            setattr(_types, name, cache(function))
    with SETTINGS.lock:
        SETTINGS.outputs = Outstanding(SETTINGS.outputs)
    rpc.contains_unknowns = contains_unknowns
    log.debug = silent
    if not gc.get_freeze_count():
        gc.freeze()  # what the imports have made stays
    gc.set_threshold(_OBJECTS)
