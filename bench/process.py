"""Runs a command, and measures it: time, processors' time, and the most memory that it and all it started held."""

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
"""Seconds between two looks at the processes."""
LIMIT: Final = 3600
"""Seconds that a command may take."""


class Failed(Exception):
    """A command ended with another code than 0; the text is the command and the end of its output."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a command took."""

    seconds: float
    cpu: float
    """Seconds of all processors, of everything that it started and waited for."""
    memory: int
    """Bytes, at most at one time. Memory that several processes share counts once."""
    programs: Mapping[str, float] = field(default_factory=dict)
    """Seconds of all processors by program, without what began and ended between two looks."""

    def data(self) -> dict[str, Any]:
        """For other programs to read."""
        return {"seconds": self.seconds, "cpu": self.cpu, "memory": self.memory, "programs": self.programs}


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> Run:
    """Runs the command in `folder` to its end. Raises Failed."""
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
    """Looks at the processes of a session until it is told to end."""

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
                    held += process.memory_full_info().pss  # with its share of what it shares with others
            self.memory = max(self.memory, held)


def _members(session: int) -> Iterator[psutil.Process]:
    """The processes of a session."""
    for pid in psutil.pids():
        with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
            if os.getsid(pid) == session:
                yield psutil.Process(pid)
