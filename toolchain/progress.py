"""Reports progress: on a terminal in one line that is rewritten, elsewhere in a new line from time to time."""

import sys
import time
from typing import TextIO

INTERVAL = 15.0
"""Seconds between two lines if the output is not a terminal."""


def duration(seconds: float) -> str:
    """A duration such as `0.4 s`, `42 s` or `6 min 10 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


class Progress:
    """The progress of a task, which is printed to `out` (standard error by default)."""

    def __init__(self, name: str, out: TextIO | None = None) -> None:
        self._name = name
        self._out = out or sys.stderr
        self._terminal = self._out.isatty()
        self._started = self._shown = time.monotonic()

    def show(self, text: str) -> None:
        """Prints the current state, which the next call replaces on a terminal."""
        now = time.monotonic()
        if self._terminal:
            print(f"\r\033[K{self._line(text)}", end="", file=self._out, flush=True)
        elif now - self._shown >= INTERVAL:
            self._shown = now
            print(self._line(text), file=self._out, flush=True)

    def say(self, text: str) -> None:
        """Prints a line."""
        clear = "\r\033[K" if self._terminal else ""
        print(f"{clear}{self._name}: {text}", file=self._out, flush=True)

    def done(self, text: str) -> None:
        """Prints a line with the time since the task began."""
        self.say(f"{text}, {duration(time.monotonic() - self._started)}")

    def _line(self, text: str) -> str:
        return f"{self._name}: {text}, {duration(time.monotonic() - self._started)}"
