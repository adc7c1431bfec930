"""The program with the unpatched SDK of Pulumi, and with versions that the patches were not written for."""

from __future__ import annotations

import gc
import importlib.metadata
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest
from pulumi.runtime import resource, rpc, rpc_manager
from pulumi.runtime.settings import SETTINGS

from commands.stackfiles import ROOT
from engine import patches, program, sdk, start

pytestmark = pytest.mark.slow

RECORD = """
import dataclasses, gc, json, sys
from commands import render
from pulumi.runtime import resource, rpc
found = [dataclasses.asdict(one) for one in render.record(sys.argv[1])]
patched = [rpc.contains_unknowns.__module__, resource._get_stack_trace.__module__, resource.log.__class__.__name__]
tuned = [gc.get_threshold()[0] != 700, gc.get_freeze_count() > 0]
print(json.dumps([patched, tuned, sorted(found, key=lambda one: one["urn"])], default=sorted))
"""


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Clears the cached comparison of versions."""
    sdk.unknown_versions.cache_clear()
    yield
    sdk.unknown_versions.cache_clear()


def recorded(stack: str, **environment: str) -> tuple[list[str], list[bool], list[dict[str, Any]]]:
    """The modules of some functions of the SDK, whether the garbage collector is tuned, and a stack's resources."""
    command = [sys.executable, "-c", RECORD, stack]
    kept = {name: value for name, value in os.environ.items() if name != sdk.PLAIN}
    done = subprocess.run(
        command, cwd=ROOT, env={**kept, **environment}, capture_output=True, text=True, check=True, timeout=60
    )
    patched, tuned, found = json.loads(done.stdout)
    return patched, tuned, found


@pytest.mark.parametrize("stack", ["dev", "hardened", "today"])
def test_the_unpatched_sdk_registers_the_same_resources(stack: str) -> None:
    patched, tuned, ours = recorded(stack)
    assert (patched, tuned) == (["engine.patches", "engine.patches", "QuietLog"], [True, True])
    plain, untuned, theirs = recorded(stack, MESH_PLAIN_SDK="1")
    assert (plain, untuned) == (["pulumi.runtime.rpc", "pulumi.runtime.resource", "module"], [False, False])
    assert len(ours) > 100
    assert ours == theirs


def test_the_patches_were_written_for_the_installed_versions() -> None:
    pinned = dict(line.split("==") for line in (ROOT / "requirements.txt").read_text().splitlines())
    assert {name: pinned[name] for name in sdk.WRITTEN_FOR} == sdk.WRITTEN_FOR
    assert not sdk.is_plain()


@pytest.mark.parametrize("package", sdk.WRITTEN_FOR)
def test_another_version_is_not_patched_and_one_warning_names_both_versions(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    real = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "9.9.9" if name == package else real(name))
    monkeypatch.setattr(pulumi.log, "warn", said.append)
    monkeypatch.setattr(rpc, "contains_unknowns", "untouched")
    patches.apply()
    (text,) = said
    assert f"{package} 9.9.9 is installed" in text
    assert sdk.WRITTEN_FOR[package] in text
    assert str(rpc.contains_unknowns) == "untouched"


def test_mesh_plain_sdk_switches_the_patches_off_without_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setenv(sdk.PLAIN, "1")
    monkeypatch.setattr(pulumi.log, "warn", said.append)
    monkeypatch.setattr(rpc, "contains_unknowns", "untouched")
    patches.apply()
    assert said == []
    assert str(rpc.contains_unknowns) == "untouched"


def test_with_an_unpatched_sdk_the_state_is_requested_only_when_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def invoke(*args: Any) -> Any:
        asked.append(args)
        return SimpleNamespace(value={"outputs": {}})

    monkeypatch.setenv(sdk.PLAIN, "1")
    monkeypatch.setattr(pulumi.runtime, "invoke", invoke)
    monkeypatch.setattr(gc, "set_threshold", lambda _: pytest.fail("the garbage collector was tuned"))
    state = start.request_state()
    assert asked == []
    assert state() is state()
    assert len(asked) == 1


def test_with_an_unpatched_sdk_the_program_ends_by_sys_exit(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setenv(sdk.PLAIN, "1")
    monkeypatch.setattr(pulumi.log, "error", said.append)
    monkeypatch.setattr(os, "_exit", lambda _: pytest.fail("the process was ended"))
    with pytest.raises(SystemExit) as end:
        program._end("no")
    assert (said, end.value.code) == (["no"], program.MESSAGE_WAS_SHOWN)


def test_debug_shows_the_programs_messages_but_not_the_sdks_about_each_resource(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[str] = []

    class Engine:
        def Log(self, request: Any) -> None:
            shown.append(request.message)

    patches.apply()
    monkeypatch.setattr(SETTINGS, "engine", Engine())
    pulumi.log.debug("our own")
    for module in (resource, rpc_manager):
        module.log.debug("registering resource: ty=a, name=b")
        module.log.debug("RPC failed with exception:")
    assert shown == ["our own", "RPC failed with exception:", "RPC failed with exception:"]


def test_the_sdks_messages_about_each_resource_have_the_expected_beginnings() -> None:
    files = (Path(module.__file__ or "") for module in (resource, rpc_manager))
    source = re.sub(r"\(\s+", "(", "".join(file.read_text() for file in files))
    for head in patches._OF_EACH_RESOURCE:
        assert f'log.debug(f"{head}' in source
