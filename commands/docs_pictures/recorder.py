"""Records what commands write to a terminal, and when.

The commands run one after another in a pseudo-terminal, after a prompt and their typed text, as a user sees them.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from commands.stackfiles import CommandError

PROMPT: Final = b"\x1b[32m$\x1b[0m "
KEY: Final = 0.06
"""Seconds between two typed characters."""
BEFORE_ENTER: Final = 0.5
"""Seconds between the last typed character and the start of the command."""
BEFORE_ANSWER: Final = 1.2
"""Seconds between a question of a command and its answer."""
AFTER: Final = 1.0
"""Seconds between the end of a command and the next prompt."""
_CHUNK: Final = 65536


class RecordingFailed(CommandError):
    """A command ended with another exit code than 0, or did not end in time. The message has the end of its output."""


@dataclass(frozen=True)
class Output:
    """Bytes that a terminal got."""

    at: float
    """Seconds since the start of the recording."""
    data: bytes


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command, as it is shown and as it is run."""

    shown: str
    """The text that is typed."""
    argv: Sequence[str]
    answers: Mapping[str, str] = field(default_factory=dict)
    """Keys to press by the question that asks for them; each question is answered once."""
    limit: float = 600
    """Seconds that it may take."""


@dataclass(frozen=True, kw_only=True)
class Terminal:
    """Where commands are recorded."""

    columns: int
    rows: int
    folder: Path
    """The folder that the commands run in."""
    environment: Mapping[str, str]

    def record(self, commands: Sequence[Command]) -> Sequence[Output]:
        """Runs the commands, and returns the outputs in the order of their times. Raises RecordingFailed."""
        recorded: list[Output] = []
        clock = 0.0
        for command in commands:
            recorded += list(_typed(command.shown, clock))
            clock = recorded[-1].at + BEFORE_ENTER
            recorded.append(Output(clock, b"\r\n"))
            recorded += [Output(clock + output.at, output.data) for output in self._run(command)]
            clock = recorded[-1].at + AFTER
        return [*recorded, Output(clock, PROMPT)]

    def _run(self, command: Command) -> Sequence[Output]:
        """Runs a command to its end; the times count from its start."""
        parent, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", self.rows, self.columns, 0, 0))
        started, recorded = time.monotonic(), list[Output]()
        process = subprocess.Popen(
            command.argv,
            cwd=self.folder,
            env={**self.environment, "TERM": "xterm-256color", "COLUMNS": str(self.columns), "LINES": str(self.rows)},
            stdin=child,
            stdout=child,
            stderr=child,
            start_new_session=True,
        )
        os.close(child)
        try:
            for data in _read(parent, process, command, started + command.limit):
                recorded.append(Output(time.monotonic() - started, data))
            code = process.wait(10)
        except subprocess.TimeoutExpired:
            raise RecordingFailed(f"{command.shown} did not end:\n{_end(recorded)}") from None
        finally:
            os.close(parent)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if code:
            raise RecordingFailed(f"{command.shown} ended with code {code}:\n{_end(recorded)}")
        return recorded


def _typed(text: str, at: float) -> Iterator[Output]:
    """A prompt, and the text character by character."""
    yield Output(at, PROMPT)
    for number, sign in enumerate(text):
        yield Output(at + BEFORE_ENTER + KEY * number, sign.encode())


def _read(parent: int, process: subprocess.Popen[bytes], command: Command, end: float) -> Iterator[bytes]:
    """The output of a process, until it ends. Answers its questions. Raises TimeoutExpired."""
    waiting, seen = dict(command.answers), b""
    while True:
        if time.monotonic() > end:
            raise subprocess.TimeoutExpired(command.shown, command.limit)
        if not select.select([parent], [], [], 0.2)[0]:
            if process.poll() is not None:  # processes that it has started keep the terminal open
                return
            continue
        try:
            data = os.read(parent, _CHUNK)
        except OSError:  # every process has closed the terminal
            return
        if not data:
            return
        yield data
        seen = (seen + data)[-_CHUNK:]
        for question in [one for one in waiting if one.encode() in seen]:
            time.sleep(BEFORE_ANSWER)
            os.write(parent, waiting.pop(question).encode())


def _end(recorded: Sequence[Output]) -> str:
    return b"".join(output.data for output in recorded)[-4000:].decode(errors="replace")
