"""Runs a command and measures it with all processes that it starts: time, processor time and peak memory."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil

PAUSE: Final = 0.1
"""Seconds between two samples of the processes."""
LIMIT: Final = 3600
"""Timeout of a command, in seconds."""


class Failed(Exception):
    """A command ended with an exit code other than 0. The message has the command and the end of its output."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """The measurements of one run of a command."""

    seconds: float
    cpu: float
    """Processor time in seconds, of the command and all processes that it started and waited for."""
    memory: int
    """Peak memory in bytes. Memory that several processes share is counted once."""
    programs: Mapping[str, float] = field(default_factory=dict)
    """Processor time in seconds by program, without processes that began and ended between two samples."""

    def data(self) -> dict[str, Any]:
        """The run as data for JSON."""
        return {"seconds": self.seconds, "cpu": self.cpu, "memory": self.memory, "programs": self.programs}


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> Run:
    """Runs a command in `folder` to its end. Raises Failed."""
    with tempfile.TemporaryFile("w+") as out:
        started = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        watch = _Watch(process.pid)
        before = os.times()
        try:
            code = process.wait(LIMIT)
        finally:
            seconds, after = time.monotonic() - started, os.times()
            if process.poll() is None:
                process.kill()
            watch.end()
        out.seek(0)
        text = out.read()
    if code:
        raise Failed(f"{' '.join(command)} ended with code {code}:\n{text[-4000:]}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Run(seconds=seconds, cpu=cpu, memory=watch.memory, programs=watch.programs)


class _Watch(threading.Thread):
    """Samples the processes of a session in a thread until `end` is called."""

    def __init__(self, session: int) -> None:
        super().__init__(daemon=True)
        self.memory = 0
        self._session, self._ended = session, threading.Event()
        self._used: dict[int, tuple[str, float]] = {}
        self.start()

    def end(self) -> None:
        self._ended.set()
        self.join()

    @property
    def programs(self) -> Mapping[str, float]:
        used: Counter[str] = Counter()
        for name, seconds in self._used.values():
            used[name] += seconds  # type: ignore[assignment]
        return dict(used.most_common())

    def run(self) -> None:
        while not self._ended.wait(PAUSE):
            held = 0
            for process in _members(self._session):
                with contextlib.suppress(psutil.Error), process.oneshot():
                    used = process.cpu_times()
                    self._used[process.pid] = process.name(), used.user + used.system
                    held += (
                        process.memory_full_info().pss
                    )  # the proportional set size, which divides shared memory among its users
            self.memory = max(self.memory, held)


def _members(session: int) -> Iterator[psutil.Process]:
    """The processes of a session."""
    for pid in psutil.pids():
        with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
            if os.getsid(pid) == session:
                yield psutil.Process(pid)
