"""The patches of Pulumi's SDK return what the SDK's own functions return."""

from __future__ import annotations

import asyncio
import importlib.util
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pytest
from pulumi import UNKNOWN, _types
from pulumi.runtime import rpc

from engine import patches

CLASSES = {
    "input_type_py_to_pulumi_names": k8s.core.v1.ServiceSpecArgs,
    "input_type_types": k8s.core.v1.ServiceSpecArgs,
    "output_type_types": k8s.core.v1.outputs.ServiceSpec,
    "resource_py_to_pulumi_names": k8s.core.v1.Service,
    "resource_pulumi_to_py_names": k8s.core.v1.Service,
    "resource_types": k8s.core.v1.Service,
}


@pytest.fixture
def own() -> dict[str, Any]:
    """The SDK's own functions, unpatched."""
    return {name: getattr(getattr(_types, name), "__wrapped__", getattr(_types, name)) for name in patches.CACHED}


def test_each_cached_function_exists_in_the_sdk(own: dict[str, Any]) -> None:
    assert set(own) == set(CLASSES)


@pytest.mark.parametrize("name", patches.CACHED)
def test_a_cached_function_returns_what_the_sdks_own_returns(name: str, own: dict[str, Any]) -> None:
    patches.apply()
    quick, cls = getattr(_types, name), CLASSES[name]
    assert quick(cls) == own[name](cls) != {}
    assert quick(cls) is quick(cls)


CIRCLE: list[Any] = ["a"]
CIRCLE.append({"b": CIRCLE})


@pytest.mark.parametrize(
    ("value", "unknown"),
    [
        ("text", False),
        (UNKNOWN, True),
        ({"a": [1, {"b": "c"}]}, False),
        ({"a": [1, {"b": UNKNOWN}]}, True),
        (CIRCLE, False),
        ([CIRCLE, UNKNOWN], True),
        (["same", "same", UNKNOWN], True),
    ],
)
def test_unknowns_are_found_at_any_depth(value: Any, unknown: bool) -> None:
    assert patches.contains_unknowns(value) is unknown


def test_the_sdk_calls_the_faster_functions() -> None:
    patches.apply()
    assert rpc.contains_unknowns is patches.contains_unknowns
    assert rpc.serialize_property is patches.serialize_property
    assert isinstance(_types._py_properties(k8s.core.v1.Service), tuple)


@pytest.mark.parametrize("cls", [k8s.core.v1.ServiceSpecArgs, k8s.core.v1.outputs.ServiceSpec])
def test_the_properties_of_a_class_are_those_that_the_sdk_finds(cls: type) -> None:
    assert patches.properties(cls) == tuple(patches._py_properties(cls)) != ()


def on_a_loop(function: Callable[[], Any]) -> Any:
    """The result of an asynchronous function, on an event loop of its own: that of the thread belongs to the SDK."""
    loop = asyncio.new_event_loop()

    async def run() -> Any:
        return await function()

    try:
        return loop.run_until_complete(run())
    finally:
        loop.close()


@pytest.mark.parametrize(
    "value",
    [
        *("", "text", UNKNOWN, 1, 1.5, True, None, [1, "a", None], {"a": {"b": [True]}}),
        k8s.core.v1.ServicePortArgs(port=80, target_port="http", node_port=None),
        [k8s.core.v1.ServicePortArgs(port=80, target_port="http")],
        pytest.param(pulumi.Output.secret, id="a secret"),
    ],
)
def test_values_are_sent_as_the_sdk_sends_them(value: Any) -> None:
    def sent(function: Any) -> Any:
        def send() -> Any:
            given = value("text") if callable(value) else value
            return function(given, [], "key", None, None, None, keep_output_values=True)

        return on_a_loop(send)

    assert sent(patches.serialize_property) == sent(patches._serialize_property)


def test_a_value_in_the_form_of_the_protocol_is_made_by_the_sdk() -> None:
    made = on_a_loop(lambda: patches.serialize_property("text", [], None, return_protobuf_value=True))
    assert made.string_value == "text"


def test_outstanding_outputs_are_removed_in_the_order_in_which_they_were_added() -> None:
    loop = asyncio.new_event_loop()
    first, second, third = (loop.create_future() for _ in range(3))
    loop.close()
    for queue in (deque([first]), patches.Outstanding([first])):
        queue.append(second)
        queue.append(third)
        queue.remove(second)
        with pytest.raises(ValueError, match="not"):
            queue.remove(second)
        assert len(queue) == 2
        assert [queue.popleft(), queue.popleft()] == [first, third]
        assert len(queue) == 0


def their_trace() -> Callable[[], Any]:
    """The SDK's function from a fresh copy of its module, since other tests patch it."""
    spec = importlib.util.find_spec("pulumi.runtime.resource")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Callable[[], Any] = module._get_stack_trace
    return found


class Outer:
    """A class with three nested constructors, as a resource has them."""

    def __init__(self) -> None:
        self.theirs, self.ours = (trace() for trace in (their_trace(), patches.project_frames))


class Middle(Outer):
    def __init__(self) -> None:
        super().__init__()


class Inner(Middle):
    def __init__(self) -> None:
        super().__init__()


def test_a_stack_trace_is_the_sdks_own_without_frames_of_python_and_the_sdk() -> None:
    def make() -> Inner:
        return Inner()

    made = make()
    here = Path(__file__).as_uri()
    assert [frame for frame in made.theirs.frames if frame.pc.uri == here] == list(made.ours.frames)
    assert [frame.pc.line - make.__code__.co_firstlineno for frame in made.ours.frames] == [1, 3]
    assert len(made.theirs.frames) > 10
