"""An update as it happens: the engine's event log, read while it is written, since its own times are whole seconds."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from bench import chart, timeline
from bench.compare import say
from bench.place import STACK, Place
from bench.process import run
from bench.timeline import Bar


class _Reader(threading.Thread):
    """Reads the events that come through a pipe, and notes when."""

    def __init__(self, pipe: Path) -> None:
        super().__init__(daemon=True)
        self.events: list[tuple[float, dict[str, Any]]] = []
        os.mkfifo(pipe)
        self._pipe = pipe
        self.start()

    def run(self) -> None:
        with self._pipe.open() as lines:
            for line in lines:
                self.events.append((time.monotonic(), json.loads(line)))


_FLAGS: Final = "--skip-preview --event-log"


def record(at: Place, out: Path) -> str:
    """Records a cold `up`, and draws it to `out` as `timeline.svg`; what the critical path is, in Markdown."""
    at.change(0)
    pipe = at.folder("events") / "pipe"
    reader = _Reader(pipe)
    debug = {**os.environ, "PULUMI_DEBUG_COMMANDS": "true"}  # without it there is no --event-log
    made = run(["make", "--silent", "up", f"STACK={STACK}", f"ARGS={_FLAGS} {pipe}"], at.project, debug)
    reader.join(10)
    say(f"up without preview: {made.seconds:.1f} s")
    exported = run(["pulumi", "stack", "export", "--stack", STACK], at.project).output
    bars = timeline.bars(reader.events, json.loads(exported)["deployment"])
    path = timeline.critical_path(bars)
    out.mkdir(parents=True, exist_ok=True)
    title = (
        f"{len(bars)} objects of a cold up in {max(bar.end for bar in bars):.1f} s; red is what its length comes from"
    )
    (out / "timeline.svg").write_text(chart.draw(bars, path, title))
    return _words(path)


def _words(path: Sequence[Bar]) -> str:
    lines = ["| from | to | took | |", "| --- | --- | --- | --- |"]
    before = 0.0
    for bar in path:
        waited = f"{bar.start - before:.1f} s after what it waits for" if bar.start - before > 0.05 else ""
        lines.append(f"| {bar.start:.1f} s | {bar.end:.1f} s | {bar.end - bar.start:.1f} s | {bar.name}; {waited} |")
        before = bar.end
    return "\n".join(["The critical path:", "", *lines, ""])
