"""The state of the running program's stack, asked for while Python still loads the program.

This module loads little itself: while Python is busy with one processor, the engine reads the state with another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from cluster.state import Recorded


def ask() -> Future[Recorded]:
    """Asks the engine, which answers from the backend that the user is logged in to."""
    import pulumi  # commands, which need the above alone, do without
    from pulumi.runtime import invoke_async

    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"

    def answer() -> Recorded:
        # By the SDK's own call: where none was begun before the program's end, the SDK does not wait for those that are
        # under way then, but asks in a circle whether they are done, half a second of processors' time in a preview.
        said = asyncio.run(invoke_async("pulumi:pulumi:readStackResourceOutputs", {"stackName": name}))
        resources: Mapping[str, Mapping[str, Any]] = (said or {}).get("outputs", {})
        return Recorded.of({urn: resource.get("outputs") or {} for urn, resource in resources.items()})

    pool = ThreadPoolExecutor(1)
    asked = pool.submit(copy_context().run, answer)  # the SDK keeps in the context whom to ask
    pool.shutdown(wait=False)
    return asked
