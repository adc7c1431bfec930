"""The request for the stack's recorded state, sent in the program's first line.

The engine reads the state on one processor while Python imports the program on another. Therefore this module imports
little itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache
from typing import Any, Final

from cluster.state import StackState
from engine import garbage, sdk

_READ: Final = "pulumi:pulumi:readStackResourceOutputs"
"""The engine's function that returns the outputs of a stack, from the backend that the user is logged in to."""


def request_state() -> Callable[[], StackState]:
    """Requests the recorded state of the running program's stack from the engine. The returned function waits for the
    answer.

    It also makes the garbage collector run rarely during the imports. With an unpatched SDK it does neither: the state
    is requested when the returned function is called."""
    if sdk.is_plain():
        return cache(_read)
    garbage.collect_rarely()
    return _request_now()


def _read() -> StackState:
    """The state, through the SDK's public function."""
    import pulumi

    return _state(pulumi.runtime.invoke(_READ, _arguments()).value)


def _request_now() -> Callable[[], StackState]:
    """Requests the state in a thread of its own, and returns the function that waits for it."""
    from pulumi.runtime import invoke_async

    arguments = _arguments()

    def answer() -> StackState:
        # Through the SDK: without any call before the program's end, the SDK polls for unfinished ones in a busy loop,
        # which costs half a second of processor time in a preview.
        return _state(asyncio.run(invoke_async(_READ, arguments)))

    pool = ThreadPoolExecutor(1)
    future = pool.submit(copy_context().run, answer)  # the SDK keeps the engine's address in the context
    pool.shutdown(wait=False)
    return future.result


def _arguments() -> dict[str, str]:
    import pulumi  # half a second, which an unpatched SDK and commands do not spend here

    return {"stackName": f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"}


def _state(answer: Mapping[str, Any] | None) -> StackState:
    resources: Mapping[str, Mapping[str, Any]] = (answer or {}).get("outputs", {})
    return StackState.of({urn: resource.get("outputs") or {} for urn, resource in resources.items()})
