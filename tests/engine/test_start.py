"""The recorded state of a stack, as the running program gets it from the engine."""

from collections.abc import Mapping
from typing import Any

import pytest
from pulumi.runtime import mocks

from cluster.state import StackState
from engine.start import request_state

URN = "urn:pulumi:dev::mesh::mesh:istio:Base$kubernetes:core/v1:Namespace::istio-system"
STACK = "urn:pulumi:dev::mesh::pulumi:pulumi:Stack::mesh-dev"


class Backend(mocks.Mocks):
    """A fake engine that has a state."""

    def __init__(self, state: Mapping[str, Any]) -> None:
        self.state = state
        self.asked: list[str] = []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        raise AssertionError(args.name)

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]]]:
        self.asked.append(args.args["stackName"])
        return dict(self.state), []


def test_the_state_of_the_running_stack_is_requested_from_the_engine() -> None:
    annotations = {"mesh/id": "x"}
    state = {URN: {"outputs": {"metadata": {"annotations": annotations}}}, STACK: {"outputs": {"profile": "demo"}}}
    backend = Backend({"outputs": state})
    mocks.set_mocks(backend, project="mesh", stack="dev", organization="organization")
    found = request_state()()
    assert backend.asked == ["organization/mesh/dev"]
    assert found.outputs == {"profile": "demo"}
    assert found.owner_id("istio-system") == "x"
    assert found.urns[URN] == {"metadata": {"annotations": annotations}}


def test_a_stack_that_was_never_updated_has_an_empty_state() -> None:
    mocks.set_mocks(Backend({}), project="mesh", stack="dev", organization="organization")
    assert request_state()() == StackState()


def test_a_state_that_cannot_be_read_raises_when_the_answer_is_read() -> None:
    class Broken(Backend):
        def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]]]:
            raise ValueError(f"no key for {args.args['stackName']}")

    mocks.set_mocks(Broken({}), project="mesh", stack="dev", organization="organization")
    answer = request_state()
    with pytest.raises(ValueError, match="no key for organization/mesh/dev"):
        answer()
