"""Faster replacements for functions that Pulumi's SDK calls for each resource.

They save most of the program's time (docs/speed.md has the numbers). The program registers the same resources; only the
stack traces that Pulumi keeps in the state differ.
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
from pulumi.output import Unknown
from pulumi.runtime import resource, rpc, rpc_manager
from pulumi.runtime.proto import source_pb2
from pulumi.runtime.settings import SETTINGS

from engine import garbage, sdk

CACHED: Final = (
    "input_type_py_to_pulumi_names",
    "input_type_types",
    "output_type_types",
    "resource_py_to_pulumi_names",
    "resource_pulumi_to_py_names",
    "resource_types",
)
"""Functions of `pulumi._types` that resolve the annotations of a class at each call. Their result depends on the class
alone, and the SDK only reads it, so it can be cached."""
_SENT_AS_THEY_ARE: Final = frozenset({str, bool, int, float, type(None)})
_py_properties: Final = _types._py_properties
_serialize_property: Final = rpc.serialize_property
_ROOT: Final = f"{Path(__file__).resolve().parent.parent}/"
_CONSTRUCTORS: Final = 3
"""Nested calls of `__init__` for one resource: two of the SDK, and that of its class."""
_TALKATIVE: Final[tuple[Any, ...]] = (resource, rpc_manager)
"""Modules of the SDK that log debug messages for each resource."""
_OF_EACH_RESOURCE: Final = (
    "beginning rpc ",
    "registering resource: ",
    "resource registration prepared: ",
    "resource registration successful: ",
    "register resource outputs prepared: ",
)
"""The beginnings of these messages."""


class Outstanding:
    """The queue of outputs that are not resolved yet. A removal from the SDK's own queue searches it from the start."""

    def __init__(self, some: Iterable[Future[Any]]) -> None:
        self._all = OrderedDict.fromkeys(some)
        self.append, self.clear = self._all.setdefault, self._all.clear

    def __iter__(self) -> Iterator[Future[Any]]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def remove(self, one: Future[Any]) -> None:
        """Raises ValueError if it is not in the queue."""
        try:
            del self._all[one]
        except KeyError:
            raise ValueError("not outstanding") from None

    def popleft(self) -> Future[Any]:
        return self._all.popitem(last=False)[0]


def contains_unknowns(val: Any) -> bool:
    """Whether a value contains an unknown. The SDK's own function compares each part of it with all earlier parts."""
    seen: set[int] = set()
    left = [val]
    while left:
        part = left.pop()
        if isinstance(part, Unknown):
            return True
        if isinstance(part, dict | list) and id(part) not in seen:
            seen.add(id(part))
            left += dict.values(part) if isinstance(part, dict) else part
    return False


@cache
def properties(cls: type) -> tuple[tuple[str, str, property], ...]:
    """The names and properties of a class of arguments or outputs. The SDK's own function looks through the class and
    its bases again for each object."""
    return tuple(_py_properties(cls))


async def serialize_property(value: Any, *arguments: Any, **more: Any) -> Any:
    """A value as it is sent to the engine. The SDK's own function asks of each text and number in ten ways whether it
    is something else; for these, the value itself is its result."""
    if type(value) in _SENT_AS_THEY_ARE and "return_protobuf_value" not in more:
        return value
    return await _serialize_property(value, *arguments, **more)


def project_frames() -> source_pb2.StackTrace:
    """The stack trace of a resource, innermost frame first, with the frames of this project only.

    The SDK's own function reads source lines and also records frames of the SDK and of Python, with their paths on this
    machine: these are a twentieth of a state, and differ between machines."""
    trace, frame, constructors = source_pb2.StackTrace(), sys._getframe(1), 0
    while frame := frame.f_back:  # type: ignore[assignment]  # the outermost has none
        file = frame.f_code.co_filename
        if constructors == _CONSTRUCTORS and file.startswith(_ROOT) and "/site-packages/" not in file:
            trace.frames.add(pc=source_pb2.SourcePosition(uri=Path(file).as_uri(), line=frame.f_lineno))
        constructors += constructors < _CONSTRUCTORS and frame.f_code.co_name == "__init__"
    return trace


class QuietLog:
    """The SDK's log without its debug messages about each resource.

    The SDK sends each of them to the engine and waits for an answer, although only `--debug` shows them."""

    def debug(self, message: str, *args: Any, **more: Any) -> None:
        """Logs a message, unless it is one about each resource."""
        if not message.startswith(_OF_EACH_RESOURCE):
            log.debug(message, *args, **more)

    def __getattr__(self, name: str) -> Any:
        return getattr(log, name)


def apply() -> None:
    """Patches the SDK for the rest of the process, unless `MESH_PLAIN_SDK` is set.

    If a package has another version than the patches were written for, nothing is patched, and a warning says so."""
    if sdk.is_plain():
        for mismatch in sdk.unknown_versions():
            log.warn(f"{mismatch}: Pulumi's SDK is used without patches, which makes the program slower")
        return
    for name in CACHED:
        function = getattr(_types, name)
        if not hasattr(function, "cache_info"):
            setattr(_types, name, cache(function))
    _types._py_properties = properties  # type: ignore[assignment]  # it returns a tuple
    with SETTINGS.lock:
        SETTINGS.outputs = Outstanding(SETTINGS.outputs)
    rpc.contains_unknowns = contains_unknowns
    rpc.serialize_property = serialize_property
    for module in _TALKATIVE:
        module.log = QuietLog()
    resource._get_stack_trace = project_frames
    garbage.freeze_loaded_objects()
