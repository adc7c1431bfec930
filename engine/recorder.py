"""Runs a Pulumi program without an engine and records its resources, by means of Pulumi's mocks for tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pulumi
from pulumi.runtime import mocks
from pulumi.runtime.settings import get_monitor, get_root_resource

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
    """URN of the parent; empty without one."""
    depends_on: frozenset[str] = frozenset()
    """URNs of the resources that must exist before: those in `depends_on`, and those whose outputs are inputs."""


@dataclass
class Recorder(mocks.Mocks):
    """Records every registration, and answers as an engine with an empty cluster would."""

    resources: list[Resource] = field(default_factory=list)

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        self.resources.append(Resource(args.typ, args.name, _whole(args.inputs), args.provider))
        return f"{args.name}-id", args.inputs

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]]]:  # noqa: ARG002
        return {}, []


class Monitor(mocks.MockMonitor):
    """Pulumi's mock of the engine; also records the URN, the parent and the dependencies of each resource."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder)
        self._resources = recorder.resources

    def RegisterResource(self, request: Any) -> Any:
        before = len(self._resources)
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        for position, resource in enumerate(self._resources[before:], before):
            if (resource.type, resource.name, resource.urn) == (request.type, request.name, ""):
                used = frozenset(request.dependencies)
                self._resources[position] = replace(resource, urn=response.urn, parent=request.parent, depends_on=used)
        return response


def registered(program: Callable[[], None], project: str, stack: str, values: Mapping[str, str]) -> list[Resource]:
    """The resources that a program registers for a stack with the config `values`."""
    recorder = Recorder()
    mocks.set_mocks(recorder, project=project, stack=stack, preview=True, monitor=Monitor(recorder))
    _forget_transformations()
    config.replace(values)
    pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]
    return recorder.resources


def _forget_transformations() -> None:
    """Removes what an earlier program registered at the root resource, which all programs of a process share."""
    if root := get_root_resource():
        root._transformations = []


def is_recording() -> bool:
    """Whether the program runs without an engine, so that nothing is deployed."""
    return isinstance(get_monitor(), mocks.MockMonitor)


def _whole(value: Any) -> Any:
    """The value with integers in position of whole floats, since protocol buffers' structs have floats only."""
    if isinstance(value, Mapping):
        return {k: _whole(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_whole(v) for v in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
