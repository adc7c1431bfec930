"""Runs a program without an engine: what it registers is recorded, by Pulumi's own means for tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pulumi
from pulumi.runtime import mocks
from pulumi.runtime.settings import get_monitor

from engine import config


@dataclass(frozen=True)
class Resource:
    """A resource that the program registered."""

    type: str
    """Pulumi's type token."""
    name: str
    inputs: Mapping[str, Any]
    provider: str | None
    urn: str = ""
    parent: str = ""
    """URN of the parent."""
    depends_on: frozenset[str] = frozenset()
    """URNs of what is created before it: named dependencies, and those whose outputs it uses."""


@dataclass
class Recorder(mocks.Mocks):
    """Keeps every registration, and answers as an engine with an empty cluster would."""

    resources: list[Resource] = field(default_factory=list)

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        self.resources.append(Resource(args.typ, args.name, _whole(args.inputs), args.provider))
        return f"{args.name}-id", args.inputs

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]]]:  # noqa: ARG002
        return {}, []


class Monitor(mocks.MockMonitor):
    """Pulumi's stand-in for the engine; adds to each resource its URN, its parent, and what it depends on."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder)
        self._resources = recorder.resources

    def RegisterResource(self, request: Any) -> Any:
        before = len(self._resources)
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        for place, resource in enumerate(self._resources[before:], before):
            if (resource.type, resource.name, resource.urn) == (request.type, request.name, ""):
                used = frozenset(request.dependencies)
                self._resources[place] = replace(resource, urn=response.urn, parent=request.parent, depends_on=used)
        return response


def registered(program: Callable[[], None], project: str, stack: str, values: Mapping[str, str]) -> list[Resource]:
    """What a program registers for a stack with this config."""
    recorder = Recorder()
    mocks.set_mocks(recorder, project=project, stack=stack, preview=True, monitor=Monitor(recorder))
    config.use(values)
    pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]
    return recorder.resources


def is_recording() -> bool:
    """Whether no engine is at the other end, and nothing is deployed from here."""
    return isinstance(get_monitor(), mocks.MockMonitor)


def _whole(value: Any) -> Any:
    """Numbers as they were: protocol buffers' structs know only floating point."""
    if isinstance(value, Mapping):
        return {k: _whole(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_whole(v) for v in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
