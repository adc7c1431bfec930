"""Runs a Pulumi program without an engine and records its resources, by means of Pulumi's mocks for tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.runtime import mocks, rpc
from pulumi.runtime.proto import resource_pb2
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


class Recorder(mocks.MockMonitor):
    """Pulumi's mock of the engine, which records every registration, and answers as an engine with an empty cluster
    would: the outputs of a resource are its inputs."""

    def __init__(self) -> None:
        super().__init__(_EmptyCluster())
        self.registered: list[Resource] = []

    def RegisterResource(self, request: Any) -> Any:
        """Records a resource.

        The mock of the SDK reads the inputs, and writes the outputs anew; as sent, they save half of the time."""
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == "pulumi:pulumi:Stack":
            return resource_pb2.RegisterResourceResponse(urn=urn)
        inputs = _whole(rpc.deserialize_properties(request.object))
        used = frozenset(request.dependencies)
        self.registered.append(
            Resource(request.type, request.name, inputs, request.provider, urn, request.parent, used)
        )
        return resource_pb2.RegisterResourceResponse(urn=urn, id=f"{request.name}-id", object=request.object)


class _EmptyCluster(mocks.Mocks):
    """Answers about a cluster without objects."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        """Only asked for a resource that a program reads."""
        raise LookupError(f"{args.typ} {args.name} does not exist")

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]]]:  # noqa: ARG002
        return {}, []


def registered(program: Callable[[], None], project: str, stack: str, values: Mapping[str, str]) -> list[Resource]:
    """The resources that a program registers for a stack with the config `values`."""
    recorder = Recorder()
    mocks.set_mocks(recorder.mocks, project=project, stack=stack, preview=True, monitor=recorder)
    _forget_transformations()
    config.replace(values)
    pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]
    return recorder.registered


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
