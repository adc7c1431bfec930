"""Background processes that outlive the command that starts them."""

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
"""Seconds to wait until a killed process has ended."""

_children: list[subprocess.Popen[bytes]] = []
"""Processes that this program has started. They are polled so that none remains a zombie."""


@dataclass(frozen=True)
class Process:
    """A named process of a cluster, with its record `run/<name>.json`.

    The process inherits a descriptor that locks the record. The kernel releases the lock when the process ends, so that
    a later process with the same process ID is never mistaken for it.
    """

    name: str
    layout: Layout

    @property
    def log(self) -> Path:
        return self.layout.logs / f"{self.name}.log"

    @property
    def _record(self) -> Path:
        return self.layout.run / f"{self.name}.json"

    def start(self, command: Sequence[str], folder: Path | None = None) -> None:
        """Starts `command` in a new session, in `folder` or else the cluster's. The log of the previous run is kept as
        `<name>.log.1`."""
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
        fresh = self._record.with_suffix(".new")
        with fresh.open("w") as record, self.log.open("wb") as log:
            fcntl.flock(record, fcntl.LOCK_EX)
            child = subprocess.Popen(
                command,
                cwd=folder or self.layout.root,
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
        """Whether it was started and has not been stopped since, so it should be running."""
        return self._record.exists()

    def alive(self) -> bool:
        """Whether it is running."""
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
        """The command line of its last start."""
        return list(self._recorded()["command"])

    @property
    def uptime(self) -> float:
        """Seconds since its last start."""
        return time.time() - float(self._recorded()["started"])

    def _recorded(self) -> dict[str, Any]:
        recorded: dict[str, Any] = json.loads(self._record.read_text())
        return recorded

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal if it is running."""
        if self.alive():
            os.kill(self.pid, number)

    def stop(self, limit: float) -> None:
        """Ends it with SIGTERM, or with SIGKILL after `limit` seconds. Then deletes its record."""
        self.signal(signal.SIGTERM)
        if not self._gone_within(limit):
            self.signal(signal.SIGKILL)
            self._gone_within(KILL_LIMIT)
        self._record.unlink(missing_ok=True)

    def rename(self, name: str) -> None:
        """Gives it another name, so that another process can have this one."""
        self._record.replace(Process(name, self.layout)._record)

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
    """The path of a process's log and its last lines, for an error message."""
    return "\n".join([f"  its log is {process.log}", *(f"  | {line}" for line in process.log_tail())])
