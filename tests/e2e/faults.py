"""Fault injection: kills the engine during its work, and kills or pauses programs of the cluster."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.e2e.conftest import LIMIT, Checkout

STEP = re.compile(r"^ [-+~]+ .*(creating|created|updating|updated|deleting|deleted)", re.MULTILINE)
"""Pattern of a line of Pulumi's output about an operation on an object; a preview has no such line."""


class Run:
    """A run of a `make` target in a session of its own, with all processes that it starts."""

    def __init__(self, checkout: Checkout, target: str, *variables: str) -> None:
        self.log = checkout.root.parent / "run.log"
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                checkout.command(target, *variables),
                cwd=checkout.root,
                env=checkout.env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def text(self) -> str:
        return self.log.read_text(errors="replace")

    @property
    def steps(self) -> int:
        """The number of operations in the output so far."""
        return len(STEP.findall(self.text))

    def until(self, condition: Callable[[], bool]) -> bool:
        """Waits for a condition; whether it held before the run ended."""
        deadline = time.monotonic() + LIMIT
        while not condition():
            if self.process.poll() is not None:
                return False
            assert time.monotonic() < deadline, self.text
            time.sleep(0.02)
        return True

    def end(self) -> int:
        """Waits until the run ends; the exit code."""
        return self.process.wait(LIMIT)

    def kill_after(self, steps: int, pause: float, plugins: bool) -> None:
        """Kills the run `pause` seconds after more than `steps` operations, or waits until it has ended before."""
        reached = self.until(lambda: self.steps > steps)
        time.sleep(pause)
        self.kill(plugins) if reached else self.end()

    def kill(self, plugins: bool) -> None:
        """Sends SIGKILL to the whole process group; with `plugins` also to the engine's plugins, which have groups of
        their own."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        for pid in self.members() if plugins else []:
            with suppress(ProcessLookupError):  # it has ended by itself meanwhile
                os.kill(pid, signal.SIGKILL)

    def members(self) -> list[int]:
        """The running processes of the session."""
        return [pid for pid in _processes() if _session(pid) == self.process.pid]

    def plugin(self, name: str) -> int:
        """The process of one of the engine's plugins."""
        return next(pid for pid in self.members() if name in _command(pid))


def _command(pid: int) -> str:
    """The command line of a process; empty if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def _processes() -> Iterator[int]:
    return (int(folder.name) for folder in Path("/proc").glob("[0-9]*"))


def _session(pid: int) -> int:
    """The session of a running process; 0 if it is a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] == "Z" else int(fields[3])


def pid(checkout: Checkout, program: str) -> int:
    """The process number of a program of the embedded cluster."""
    record = checkout.cluster / "run" / f"{program}.json"
    return int(json.loads(record.read_text())["pid"])


@contextmanager
def stopped(checkout: Checkout, program: str) -> Iterator[None]:
    """Pauses a program of the cluster."""
    number = pid(checkout, program)
    os.kill(number, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(number, signal.SIGCONT)
