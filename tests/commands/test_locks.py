"""Locks and plugins of killed runs."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from commands import locks
from commands.locks import Lock
from commands.stackfiles import CommandError

GONE = 2**22 + 1  # above the kernel's largest number of a process


def lock(pid: int, hostname: str = "") -> Lock:
    return Lock(pid, "alice", hostname or socket.gethostname(), "2026-11-23T07:51:29.576881022Z")


@contextmanager
def process(name: str, folder: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A running process with this name."""
    program = folder / name
    shutil.copy2(shutil.which("sleep") or "", program)
    running = subprocess.Popen([program, "60"], env={**os.environ, **environment})
    deadline = time.monotonic() + 5
    while locks._name(running.pid) != name and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        yield running
    finally:
        running.kill()
        running.wait()


def test_a_lock_whose_process_has_ended_is_abandoned() -> None:
    assert lock(GONE).abandoned
    locks.refuse_if_held([lock(GONE)], "dev")


def test_a_lock_whose_process_runs_is_refused_with_holder_and_time(tmp_path: Path) -> None:
    with (
        process("pulumi", tmp_path) as holder,
        pytest.raises(CommandError, match=rf"process {holder.pid} of alice on \S+, since 2026-11-23T07:51:29Z"),
    ):
        locks.refuse_if_held([lock(GONE), lock(holder.pid)], "dev")


def test_a_zombie_process_counts_as_ended(tmp_path: Path) -> None:
    with process("pulumi", tmp_path) as holder:
        assert not lock(holder.pid).abandoned
        holder.kill()
        deadline = time.monotonic() + 5
        while not lock(holder.pid).abandoned:  # nobody has waited for it: its number is still taken
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_a_process_number_that_another_program_got_meanwhile_is_no_holder() -> None:
    assert lock(os.getpid()).abandoned


def test_a_lock_of_another_machine_is_never_abandoned_and_the_message_names_pulumi_cancel() -> None:
    assert not lock(GONE, "elsewhere").abandoned
    with pytest.raises(CommandError, match=r"on elsewhere.*pulumi cancel dev"):
        locks.refuse_if_held([lock(GONE, "elsewhere")], "dev")


def test_locks_are_read_from_the_backends_folder(tmp_path: Path) -> None:
    folder = tmp_path / ".pulumi" / "locks" / "organization" / "mesh" / "dev"
    folder.mkdir(parents=True)
    content = {"pid": 1, "username": "alice", "hostname": "there", "timestamp": "2026-11-23T07:51:29Z"}
    (folder / "x.json").write_text(json.dumps(content))
    (folder / "x.json.attrs").write_text("{}")
    assert [found.username for found in locks.locks(f"file://{tmp_path}?no_tmp_dir=true", "dev")] == ["alice"]
    assert locks.locks(f"file://{tmp_path}", "demo") == []
    assert locks.locks("s3://bucket", "dev") == []


def test_only_plugins_without_an_engine_are_killed(tmp_path: Path) -> None:
    name = "pulumi-resource-kubernetes"
    with (
        process(name, tmp_path, MESH_RUN="this") as orphan,
        process("pulumi-language-python", tmp_path, MESH_RUN="another") as other,
        process("worker", tmp_path, MESH_RUN="this") as worker,
    ):
        assert locks.kill_orphaned_plugins("this") == 1
        assert orphan.wait(5) < 0
        assert other.poll() is None
        assert worker.poll() is None


def test_a_plugin_whose_engine_runs_is_not_killed(tmp_path: Path) -> None:
    plugin = tmp_path / "pulumi-resource-x"
    shutil.copy2(shutil.which("sleep") or "", plugin)
    engine = tmp_path / "pulumi"
    engine.symlink_to(sys.executable)
    start = f"import subprocess; p = subprocess.Popen(['{plugin}', '60']); print(p.pid, flush=True); p.wait()"
    with subprocess.Popen(
        [engine, "-c", start], env={**os.environ, "MESH_RUN": "this"}, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        try:
            assert locks.kill_orphaned_plugins("this") == 0
            assert locks._name(child)
        finally:
            parent.kill()
            os.kill(child, 9)
