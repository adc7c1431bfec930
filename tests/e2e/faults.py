"""Breaking things: an engine in the middle of its work, and processes of the cluster."""

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
"""A line of Pulumi's output that tells of an operation on an object; a preview has none."""


class Run:
    """A `make` target in a session of its own, with everything that it starts."""

    def __init__(self, checkout: Checkout, target: str, *variables: str) -> None:
        self.log = checkout.root.parent / "run.log"
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                ["make", "--silent", target, *variables],
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
        """How many lines told of an operation so far."""
        return len(STEP.findall(self.text))

    def until(self, condition: Callable[[], bool]) -> bool:
        """Waits; whether the condition held before the run ended."""
        deadline = time.monotonic() + LIMIT
        while not condition():
            if self.process.poll() is not None:
                return False
            assert time.monotonic() < deadline, self.text
            time.sleep(0.02)
        return True

    def end(self) -> int:
        """Waits for the end; the exit code."""
        return self.process.wait(LIMIT)

    def kill(self, plugins: bool) -> None:
        """SIGKILL for the whole process group; `plugins`: for the engine's plugins too, which have groups of their
        own."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        for pid in self.members() if plugins else []:
            with suppress(ProcessLookupError):  # it has ended by itself meanwhile
                os.kill(pid, signal.SIGKILL)

    def members(self) -> list[int]:
        """The living processes of the session."""
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
    """Of a living process; 0 if it only waits to be reaped."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] == "Z" else int(fields[3])


def pid(checkout: Checkout, program: str) -> int:
    """The process of a program of the embedded cluster."""
    record = checkout.home / "cluster" / "run" / f"{program}.json"
    return int(json.loads(record.read_text())["pid"])


@contextmanager
def stopped(checkout: Checkout, program: str) -> Iterator[None]:
    """A program of the cluster that does nothing meanwhile."""
    number = pid(checkout, program)
    os.kill(number, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(number, signal.SIGCONT)
