"""What a build shows while it runs, where it keeps its files, and its lock."""

import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from toolchain import build, golang, locks, paths
from toolchain.progress import Progress, duration

ROOT = Path(__file__).parents[2]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_rewritten_in_place_on_a_terminal() -> None:
    out = Terminal()
    progress = Progress("task", out)
    progress.show("1 of 2")
    progress.show("2 of 2")
    progress.say("done")
    assert "\n" not in out.getvalue().removesuffix("\n")
    assert out.getvalue().endswith("\r\033[Ktask: done\n")


def test_progress_is_printed_at_intervals_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    out = io.StringIO()
    progress = Progress("task", out)
    for step in range(40):
        now[0] += 1
        progress.show(f"step {step + 1}")
    assert out.getvalue().splitlines() == ["task: step 15, 15 s", "task: step 30, 30 s"]


@pytest.mark.parametrize(("seconds", "text"), [(0.44, "0.4 s"), (42.7, "42 s"), (370, "6 min 10 s")])
def test_a_duration_is_easy_to_read(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_progress_counts_compiled_packages_of_those_to_compile() -> None:
    out = Terminal()
    counter = build._Counter(Progress("task", out))
    shown = []
    for line in (None, "go: downloading a v1", None):
        counter.on_line(line)
        shown.append(out.getvalue().split("\033[K")[-1])
    counter.expect("a\nb\n")
    counter.building = True
    for line in (None, "a", "# a warning", None, "b", None):
        counter.on_line(line)
        shown.append(out.getvalue().split("\033[K")[-1])
    texts = list(dict.fromkeys(line.removeprefix("task: ").split(",")[0] for line in shown if line))
    assert texts == [
        "listing the packages to compile",
        "1 modules fetched",
        "0 of 2 packages",
        "1 of 2 packages",
        "linking",
    ]


def test_the_cache_follows_xdg_and_is_accessible_by_its_owner_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MESH_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", f"{tmp_path / 'xdg'}")
    assert paths.cache() == tmp_path / "xdg" / "mesh"
    assert paths.cache().stat().st_mode & 0o777 == 0o700
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", f"{tmp_path / 'home'}")
    assert paths.cache() == tmp_path / "home" / ".cache" / "mesh"


def test_a_lock_ends_with_its_holder_even_when_that_is_killed(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    code = (
        "import pathlib, sys, time; from toolchain.locks import held\n"
        "with held(pathlib.Path(sys.argv[1]), print): print('held', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, f"{lock}"]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        told: list[str] = []

        def waiting(whom: str) -> None:
            told.append(whom)
            holder.kill()

        with locks.held(lock, waiting):
            assert [name.split(",")[0] for name in told] == [f"process {holder.pid}"]


def test_go_versions_are_compared_as_numbers() -> None:
    assert golang._numbers("1.9.9") < golang._numbers("1.24") < golang._numbers("1.24.7")
