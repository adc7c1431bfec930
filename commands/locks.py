"""What stands in a folder with state, and what a killed run leaves: its lock on the stack, plugins without an engine.

A state in a folder (`file://`) is locked by files `.pulumi/locks/organization/<project>/<stack>/*.json`, each with the
`pid`, `username`, `hostname` and `timestamp` of its holder. Other backends are left to Pulumi's own refusal.
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

RUN: Final = "MESH_RUN"
"""Environment variable by which the processes of a run are known: the stack's file."""

PLUGINS: Final = ("pulumi-resource", "pulumi-languag")
"""Beginnings of the names of an engine's plugins; the kernel keeps 15 characters of a name."""

PATIENCE: Final = 5.0
"""Seconds that a killed process may take to be gone."""


@dataclass(frozen=True)
class Lock:
    """Who holds a stack."""

    pid: int
    username: str
    hostname: str
    timestamp: str
    """ISO 8601, UTC."""

    @property
    def here(self) -> bool:
        """Whether it was taken on this machine."""
        return self.hostname == socket.gethostname()

    @property
    def abandoned(self) -> bool:
        """Whether it was taken on this machine by a process that is gone."""
        return self.here and "pulumi" not in _name(self.pid)

    def __str__(self) -> str:
        return f"process {self.pid} of {self.username} on {self.hostname}, since {self.timestamp[:19]}Z"


def locks(backend: str, stack: str) -> list[Lock]:
    """The locks of a stack; none where the backend's are not files."""
    root = _root(backend)
    found = (root / "locks" / "organization" / PROJECT / stack).glob("*.json") if root else ()
    return [_lock(json.loads(file.read_text())) for file in found]


def recorded(backend: str, stack: str) -> bool:
    """Whether the stack is there for sure; what other backends hold than files, only Pulumi can tell."""
    root = _root(backend)
    return root is not None and (root / "stacks" / PROJECT / f"{stack}.json").exists()


def _root(backend: str) -> Path | None:
    """The folder in which Pulumi keeps its files; None where they are none."""
    if not backend.startswith("file://"):
        return None
    return Path(backend.removeprefix("file://").partition("?")[0]).expanduser() / ".pulumi"


def _lock(content: dict[str, Any]) -> Lock:
    return Lock(content["pid"], content["username"], content["hostname"], content["timestamp"])


def refuse(held: list[Lock], stack: str) -> None:
    """CommandError if somebody works on the stack, or may do so on another machine."""
    for lock in held:
        if lock.abandoned:
            continue
        way_out = (
            "Wait until it has ended"
            if lock.here
            else f"Wait until it has ended; if it was killed: pulumi cancel {stack}, with the variables of `make env`"
        )
        raise CommandError(f"stack {stack} is locked by {lock}. {way_out}")


def end_orphans(run: str) -> int:
    """Ends the plugins of earlier runs on the same stack (`run`: their value of RUN) whose engine is gone: they would
    carry on for minutes, and an object could still appear after it was looked for. Returns how many there were."""
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
        ours = process.environ().get(RUN) == run and _name(process.pid).startswith(PLUGINS)
        return ours and _name(process.ppid()) != "pulumi"
    except psutil.Error:
        return False


def _name(pid: int) -> str:
    """The name of a living process, without a path; empty if there is none. One that only waits to be reaped has
    ended."""
    try:
        process = psutil.Process(pid)
        return "" if process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD) else process.name()
    except psutil.NoSuchProcess:
        return ""
