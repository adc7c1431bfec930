"""A process that outlives the command which starts it."""

import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.paths import Layout

KILL_LIMIT = 5.0
"""Seconds that a killed process may take to be gone."""

_children: list[subprocess.Popen[bytes]] = []
"""Kept so that those who end while this program runs are reaped."""


@dataclass(frozen=True)
class Process:
    """One named process of a cluster, known by its record `run/<name>.json`.

    The record is locked through a descriptor that the process inherits: the kernel frees the lock when
    the process ends, however it ends. So no other process that got the same number is taken for it.
    """

    name: str
    layout: Layout

    @property
    def log(self) -> Path:
        return self.layout.logs / f"{self.name}.log"

    @property
    def _record(self) -> Path:
        return self.layout.run / f"{self.name}.json"

    def start(self, command: Sequence[str]) -> None:
        """Starts `command` in a session of its own. The log of the run before stays as `<name>.log.1`."""
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
        fresh = self._record.with_suffix(".new")
        with fresh.open("w") as record, self.log.open("wb") as log:
            fcntl.flock(record, fcntl.LOCK_EX)
            child = subprocess.Popen(
                command,
                cwd=self.layout.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=[record.fileno()],
            )
            _children.append(child)
            json.dump({"pid": child.pid, "started": time.time(), "command": list(command)}, record)
        fresh.replace(self._record)

    @property
    def known(self) -> bool:
        """Whether it was started and not stopped since: it should be alive."""
        return self._record.exists()

    def alive(self) -> bool:
        for child in _children:
            child.poll()
        if not self.known:
            return False
        with self._record.open() as record:
            try:
                fcntl.flock(record, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    @property
    def pid(self) -> int:
        return int(self._recorded()["pid"])

    @property
    def command(self) -> list[str]:
        """The command line that it was started with."""
        return list(self._recorded()["command"])

    @property
    def uptime(self) -> float:
        """Seconds since its start."""
        return time.time() - float(self._recorded()["started"])

    def _recorded(self) -> dict[str, Any]:
        recorded: dict[str, Any] = json.loads(self._record.read_text())
        return recorded

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal if it is alive."""
        if self.alive():
            os.kill(self.pid, number)

    def stop(self, limit: float) -> None:
        """SIGTERM, and SIGKILL after `limit` seconds; then it is unknown."""
        self.signal(signal.SIGTERM)
        if not self._gone_within(limit):
            self.signal(signal.SIGKILL)
            self._gone_within(KILL_LIMIT)
        self._record.unlink(missing_ok=True)

    def _gone_within(self, limit: float) -> bool:
        deadline = time.monotonic() + limit
        while self.alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def log_tail(self, count: int = 8) -> list[str]:
        """The last lines of its log."""
        if not self.log.exists():
            return []
        return self.log.read_text(errors="replace").splitlines()[-count:]


def log_excerpt(process: Process) -> str:
    """A process's log and its last lines."""
    return "\n".join([f"  its log is {process.log}", *(f"  | {line}" for line in process.log_tail())])
