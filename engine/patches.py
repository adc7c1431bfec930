"""Faster replacements for what Pulumi's SDK does again and again for each resource.

They save most of the program's time (docs/speed.md has the numbers). What the program registers stays the same, but for
the stack traces that Pulumi keeps in the state.
"""

from __future__ import annotations

import sys
from asyncio import Future
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

from pulumi import _types, log
from pulumi.runtime import known_types, resource, rpc, rpc_manager
from pulumi.runtime.proto import source_pb2
from pulumi.runtime.settings import SETTINGS

from engine import garbage, sdk

REMEMBERED: Final = (
    "input_type_py_to_pulumi_names",
    "input_type_types",
    "output_type_types",
    "resource_py_to_pulumi_names",
    "resource_pulumi_to_py_names",
    "resource_types",
)
"""Functions that resolve the annotations of a class each time they are called. Their result depends on the class alone,
and the SDK only reads it, so it can be remembered."""
_ROOT: Final = f"{Path(__file__).resolve().parent.parent}/"
_CONSTRUCTORS: Final = 3
"""Constructors that run for one resource: two of the SDK, and that of its class."""
_TALKATIVE: Final[tuple[Any, ...]] = (resource, rpc_manager)
"""Modules of the SDK that send debug messages for each resource."""
_OF_EACH_RESOURCE: Final = (
    "beginning rpc ",
    "registering resource: ",
    "resource registration prepared: ",
    "resource registration successful: ",
    "register resource outputs prepared: ",
)
"""How these messages begin."""


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


def own_frames() -> source_pb2.StackTrace:
    """Where in this project a resource is made, innermost first.

    The SDK's own reads the sources' lines, and also records its frames and Python's, by their paths on this machine:
    a twentieth of a state, and another one on each machine."""
    trace, frame, constructors = source_pb2.StackTrace(), sys._getframe(1), 0
    while frame := frame.f_back:  # type: ignore[assignment]  # the outermost has none
        file = frame.f_code.co_filename
        if constructors == _CONSTRUCTORS and file.startswith(_ROOT) and "/site-packages/" not in file:
            trace.frames.add(pc=source_pb2.SourcePosition(uri=Path(file).as_uri(), line=frame.f_lineno))
        constructors += constructors < _CONSTRUCTORS and frame.f_code.co_name == "__init__"
    return trace


class QuietLog:
    """The SDK's log without what it says of every single resource. The SDK tells the engine each time, and waits for
    an answer; the engine shows it to those who ask for `--debug`."""

    def debug(self, message: str, *args: Any, **more: Any) -> None:
        """Logs a message unless it is one of those."""
        if not message.startswith(_OF_EACH_RESOURCE):
            log.debug(message, *args, **more)

    def __getattr__(self, name: str) -> Any:
        return getattr(log, name)


def apply() -> None:
    """Changes the SDK for the rest of the running program, unless it is to stay plain; a version that the changes were
    not written for is left alone with a warning."""
    if sdk.is_plain():
        for told in sdk.unknown_versions():
            log.warn(f"{told}: Pulumi's SDK is used without patches, which makes the program slower")
        return
    for name in REMEMBERED:
        function = getattr(_types, name)
        if not hasattr(function, "cache_info"):
            setattr(_types, name, cache(function))
    with SETTINGS.lock:
        SETTINGS.outputs = Outstanding(SETTINGS.outputs)
    rpc.contains_unknowns = contains_unknowns
    for module in _TALKATIVE:
        module.log = QuietLog()
    resource._get_stack_trace = own_frames
    garbage.keep_what_is_loaded()
