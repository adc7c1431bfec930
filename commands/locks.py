"""Locks of stacks whose state is in a folder, and the remains of a killed run: its lock, and plugins without an engine.

A state in a folder (`file://`) is locked by files `.pulumi/locks/organization/<project>/<stack>/*.json`, each with the
`pid`, `username`, `hostname` and `timestamp` of its holder. On other backends Pulumi itself refuses a locked stack.
"""

from __future__ import annotations

import contextlib
import json
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from commands.stackfiles import PROJECT, CommandError

RUN_VARIABLE: Final = "MESH_RUN"
"""Environment variable that marks the processes of a run; its value is the path of the copy of the stack file."""

PLUGINS: Final = ("pulumi-resource", "pulumi-languag")
"""Prefixes of the process names of an engine's plugins; the kernel keeps only 15 characters of a name."""

PATIENCE: Final = 5.0
"""Seconds to wait until a killed process has ended."""


@dataclass(frozen=True)
class Lock:
    """A lock on a stack, with its holder."""

    pid: int
    username: str
    hostname: str
    timestamp: str
    """ISO 8601, UTC."""

    @property
    def local(self) -> bool:
        """Whether its holder runs on this machine."""
        return self.hostname == socket.gethostname()

    @property
    def abandoned(self) -> bool:
        """Whether its holder was a process of this machine that has ended."""
        return self.local and "pulumi" not in _name(self.pid)

    def __str__(self) -> str:
        return f"process {self.pid} of {self.username} on {self.hostname}, since {self.timestamp[:19]}Z"


def locks(backend: str, stack: str) -> list[Lock]:
    """The locks of a stack; none if the backend is not a folder."""
    root = _root(backend)
    found = (root / "locks" / "organization" / PROJECT / stack).glob("*.json") if root else ()
    return [_lock(json.loads(file.read_text())) for file in found]


def stack_exists(backend: str, stack: str) -> bool:
    """Whether the backend's folder has the stack; False if the backend is not a folder, where only Pulumi can tell."""
    root = _root(backend)
    return root is not None and (root / "stacks" / PROJECT / f"{stack}.json").exists()


def _root(backend: str) -> Path | None:
    """The folder in which Pulumi keeps the backend's files; None if the backend is not a folder."""
    if not backend.startswith("file://"):
        return None
    return Path(backend.removeprefix("file://").partition("?")[0]).expanduser() / ".pulumi"


def _lock(content: dict[str, Any]) -> Lock:
    return Lock(content["pid"], content["username"], content["hostname"], content["timestamp"])


def refuse_if_held(held: list[Lock], stack: str) -> None:
    """Raises CommandError if a lock's holder still runs, or may still run on another machine."""
    for lock in held:
        if lock.abandoned:
            continue
        way_out = (
            "Wait until it has ended"
            if lock.local
            else f"Wait until it has ended; if it was killed: pulumi cancel {stack}, with the variables of `make env`"
        )
        raise CommandError(f"stack {stack} is locked by {lock}. {way_out}")


def kill_orphaned_plugins(run: str) -> int:
    """Kills the plugins of earlier runs on the same stack whose engine has ended, and returns their number.

    `run` is their value of RUN_VARIABLE. They would carry on for minutes, and could still create an object after the
    cluster was asked whether it exists."""
    orphans = [process for process in psutil.process_iter() if _is_orphan(process, run)]
    for process in orphans:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    deadline = time.monotonic() + PATIENCE
    while any(_name(process.pid) for process in orphans) and time.monotonic() < deadline:
        time.sleep(0.02)
    return len(orphans)


def _is_orphan(process: psutil.Process, run: str) -> bool:
    try:
        ours = process.environ().get(RUN_VARIABLE) == run and _name(process.pid).startswith(PLUGINS)
        return ours and _name(process.ppid()) != "pulumi"
    except psutil.Error:
        return False


def _name(pid: int) -> str:
    """The name of a running process, without a path; empty if there is none, or if it is a zombie."""
    try:
        process = psutil.Process(pid)
        return "" if process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD) else process.name()
    except psutil.NoSuchProcess:
        return ""
