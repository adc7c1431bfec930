"""Which embedded cluster a stack is for, and what `make sandbox…` does to it."""

from __future__ import annotations

import json
from typing import Any

import pytest

import sandbox
from commands import __main__ as main
from commands import stack_cluster
from commands.pulumi_cli import PulumiCli
from commands.stackfiles import CommandError
from mesh.config import loading

RECORDED = {"dev": "mesh-dev", "today": "mesh-today", "demo": "mesh-today"}
"""The contexts of the clusters on which stacks stand."""


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What is done to which cluster or state; nothing is really done."""
    made: list[tuple[Any, ...]] = []

    class Fake:
        def __init__(self, stack: str) -> None:
            self.stack = stack

        def state(self) -> dict[str, Any]:
            provider = {"type": "pulumi:providers:kubernetes", "inputs": {"context": RECORDED.get(self.stack)}}
            return {"resources": [provider]}

        def forget(self) -> None:
            made.append(("forget", self.stack))

    for verb in ("start", "stop", "reset"):
        monkeypatch.setattr(
            sandbox, verb, lambda context, verb=verb, **chosen: made.append((verb, context, *chosen.values()))
        )
    monkeypatch.setattr(stack_cluster, PulumiCli.__name__, Fake)
    monkeypatch.delenv("CONTEXT", raising=False)
    return made


@pytest.mark.parametrize(("stack", "context", "istiod"), [("dev", "mesh-dev", None), ("today", "mesh-today", True)])
def test_the_cluster_that_is_started_and_stopped_is_the_stacks_with_the_istiod_of_its_release(
    stack: str, context: str, istiod: bool | None, calls: list[tuple[Any, ...]]
) -> None:
    main.COMMANDS["sandbox"](stack, None)  # type: ignore[arg-type]
    main.COMMANDS["sandbox-stop"](stack, None)  # type: ignore[arg-type]
    assert calls == [("start", context, istiod), ("stop", context)]


@pytest.mark.parametrize(("stack", "istiod"), [("dev", ()), ("demo", (None,))])
def test_a_context_on_the_command_line_that_is_not_the_stacks_own_keeps_its_istiod(
    stack: str, istiod: tuple[None, ...], calls: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTEXT", "mesh-today")
    main.COMMANDS["sandbox"](stack, None)  # type: ignore[arg-type]
    assert calls == [("start", "mesh-today", *istiod)]


def test_a_reset_deletes_the_state_of_the_stacks_on_that_cluster_alone(calls: list[tuple[Any, ...]]) -> None:
    assert stack_cluster.reset("today") == 0
    assert calls == [("forget", "demo"), ("forget", "today"), ("reset", "mesh-today")]


def test_up_starts_the_stacks_cluster_and_no_other(calls: list[tuple[Any, ...]]) -> None:
    for context in ("mesh-today", "elsewhere"):
        stack_cluster.start_if_embedded(loading.load({"mesh:context": context}).settings)
    assert calls == [("start", "mesh-today", None)]


@pytest.mark.parametrize(
    ("release", "context", "own"),
    [("1.30", "mesh-dev", True), ("1.10", "mesh-today", False), ("1.30", "elsewhere", False)],
)
def test_istiod_is_a_process_of_the_embedded_cluster_if_the_release_can_be_run(
    release: str, context: str, own: bool
) -> None:
    settings = loading.load({"mesh:release": release, "mesh:context": context}).settings
    assert stack_cluster.has_real_istiod(settings) is own


def test_a_further_control_plane_is_a_process_as_the_first_is() -> None:
    further = {"1-30-3": {"release": "1.30", "profile": "minimal"}}
    settings = loading.load({"mesh:context": "mesh-dev", "mesh:controlPlanes": json.dumps(further)}).settings
    assert stack_cluster.has_real_istiod(settings)


def test_a_context_on_the_command_line_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTEXT", "mesh-today")
    assert stack_cluster.embedded("demo") == stack_cluster.embedded("dev") == "mesh-today"


@pytest.mark.parametrize(
    ("context", "said"), [("", "names no context"), ("mine", "is for mine, which is not an embedded")]
)
def test_a_stack_on_a_cluster_of_ones_own_has_none_to_start(
    context: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTEXT", context)
    with pytest.raises(CommandError, match=rf"stack demo {said}.*mesh-dev and mesh-today: .*CONTEXT=.*STACK="):
        stack_cluster.embedded("demo")
