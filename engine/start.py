"""The program's first line: it asks for the stack's state while Python still loads the program.

This module loads little itself: while Python is busy with one processor, the engine reads the state with another.
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
"""The engine's function that answers from the backend which the user is logged in to."""


def begin() -> Callable[[], StackState]:
    """Begins to ask the engine for the state of the running program's stack; the function that is returned waits for
    the answer.

    Also has Python search for garbage rarely while it loads the rest. With a plain SDK both are left out: the engine is
    asked when the answer is wanted."""
    if sdk.is_plain():
        return cache(_ask)
    garbage.search_rarely()
    return _ask_early()


def _ask() -> StackState:
    """By the SDK's public call."""
    import pulumi

    return _state(pulumi.runtime.invoke(_READ, _arguments()).value)


def _ask_early() -> Callable[[], StackState]:
    """In a thread of its own."""
    from pulumi.runtime import invoke_async

    arguments = _arguments()

    def answer() -> StackState:
        # By the SDK's own call: where none was begun before the program's end, the SDK does not wait for those that are
        # under way then, but asks in a circle whether they are done, half a second of processors' time in a preview.
        return _state(asyncio.run(invoke_async(_READ, arguments)))

    pool = ThreadPoolExecutor(1)
    asked = pool.submit(copy_context().run, answer)  # the SDK keeps in the context whom to ask
    pool.shutdown(wait=False)
    return asked.result


def _arguments() -> dict[str, str]:
    import pulumi  # half a second, which a plain SDK and commands do without here

    return {"stackName": f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"}


def _state(said: Mapping[str, Any] | None) -> StackState:
    resources: Mapping[str, Mapping[str, Any]] = (said or {}).get("outputs", {})
    return StackState.of({urn: resource.get("outputs") or {} for urn, resource in resources.items()})
