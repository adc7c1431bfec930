"""What is read of a stack without changing anything."""

import stat
from pathlib import Path

import pytest

from commands import engine

EXPORT = """{"version": 3, "deployment": {"resources": [
  {"urn": "urn:pulumi:dev::mesh::pulumi:providers:kubernetes::cluster", "type": "pulumi:providers:kubernetes",
   "outputs": {"clusterIdentifier": "uid"}},
  {"urn": "urn:pulumi:dev::mesh::mesh:istio:Base$kubernetes:core/v1:Namespace::istio-system",
   "type": "kubernetes:core/v1:Namespace", "outputs": {"metadata": {"annotations": {"mesh/id": "id"}}}}
]}}"""


def pulumi(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """The only program on PATH, called with its arguments in `$@`."""
    program = folder / "pulumi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder))


def test_the_recorded_state_is_read_without_making_a_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi(tmp_path, monkeypatch, f"echo \"$@\" > {tmp_path}/arguments\necho '{EXPORT}'")
    found = engine.recorded("dev")
    assert found is not None
    assert found.provider == {"clusterIdentifier": "uid"}
    assert found.owner_id("istio-system") == "id"
    assert (tmp_path / "arguments").read_text().split() == ["stack", "export", "--stack", "dev"]


def test_a_stack_that_was_never_made_has_recorded_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi(tmp_path, monkeypatch, "echo \"error: no stack named 'dev' found\" >&2; exit 255")
    found = engine.recorded("dev")
    assert found is not None
    assert not found.resources


def test_a_state_that_cannot_be_read_is_not_an_empty_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi(tmp_path, monkeypatch, "echo 'error: could not reach the backend' >&2; exit 255")
    assert engine.recorded("dev") is None


def test_without_pulumi_nothing_is_known_of_the_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert engine.recorded("dev") is None
