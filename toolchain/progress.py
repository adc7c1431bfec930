"""One line of progress that moves: in place on a terminal, now and then a new line elsewhere."""

import sys
import time
from typing import TextIO

INTERVAL = 15.0
"""Seconds between two lines where a line cannot be rewritten."""


def duration(seconds: float) -> str:
    """`0.4 s`, `42 s` or `6 min 10 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


class Progress:
    """Says how far a long task is; `out` is standard error unless given, so that output stays clean."""

    def __init__(self, name: str, out: TextIO | None = None) -> None:
        self._name = name
        self._out = out or sys.stderr
        self._terminal = self._out.isatty()
        self._started = self._shown = time.monotonic()

    def show(self, text: str) -> None:
        """The current state, which the next call replaces."""
        now = time.monotonic()
        if self._terminal:
            print(f"\r\033[K{self._line(text)}", end="", file=self._out, flush=True)
        elif now - self._shown >= INTERVAL:
            self._shown = now
            print(self._line(text), file=self._out, flush=True)

    def say(self, text: str) -> None:
        """A line that stays."""
        clear = "\r\033[K" if self._terminal else ""
        print(f"{clear}{self._name}: {text}", file=self._out, flush=True)

    def done(self, text: str) -> None:
        """A line that stays, with the time since the beginning."""
        self.say(f"{text}, {duration(time.monotonic() - self._started)}")

    def _line(self, text: str) -> str:
        return f"{self._name}: {text}, {duration(time.monotonic() - self._started)}"
