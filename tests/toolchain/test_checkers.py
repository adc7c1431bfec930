"""Building the checkers, with a small script on PATH in place of Go."""

import os
import sys
from pathlib import Path

import pytest

from toolchain import ToolchainError
from toolchain.checkers import ACTIONLINT, ISTIO, PROMETHEUS, SERVING, Module, checkers, pilot

MODULES = (ISTIO, PROMETHEUS, ACTIONLINT, SERVING)
PACKAGES = {name: package for module in MODULES for name, package in module.packages.items()}
FAKE_GO = f"""#!{sys.executable}
import os, pathlib, sys
pathlib.Path(os.environ["CALLS"]).open("a").write(" ".join(sys.argv[1:]) + "\\n")
if os.environ.get("BROKEN"):
    sys.exit("no such package")
for name, package in {PACKAGES!r}.items():
    if package in sys.argv:
        pathlib.Path(sys.argv[sys.argv.index("-o") + 1], name).write_text("program")
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which the fake Go records its calls."""
    go = tmp_path / "bin" / "go"
    go.parent.mkdir()
    go.write_text(FAKE_GO)
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{go.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("MESH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return tmp_path / "calls"


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.folder)
def test_the_checkers_are_built_once(module: Module, calls: Path) -> None:
    assert all((checkers(module) / name).exists() for name in module.packages)
    checkers(module)
    assert len(calls.read_text().splitlines()) == 1


def test_a_deleted_checker_is_built_again(calls: Path) -> None:
    (checkers() / "istioctl").unlink()
    assert all((checkers() / name).exists() for name in ISTIO.packages)
    assert len(calls.read_text().splitlines()) == 2


def test_a_failed_build_says_why_and_leaves_no_program(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKEN", "1")
    with pytest.raises(ToolchainError, match="no such package"):
        checkers()
    assert not list(calls.parent.glob("cache/istio/*/bin/*"))


def test_a_missing_go_is_reported(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(calls.parent))
    with pytest.raises(ToolchainError, match="no `go` on PATH"):
        checkers()


def test_pilot_is_built_alone_and_existing_programs_are_kept(calls: Path) -> None:
    program = pilot()
    assert program.exists()
    before = program.stat().st_mtime_ns
    assert "istioctl/cmd" not in calls.read_text()
    checkers()
    assert "pilot-discovery" not in calls.read_text().splitlines()[1]
    assert program.stat().st_mtime_ns == before
