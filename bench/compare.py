"""Compares this project with its alternatives, which are measured in turn, in several rounds, on one cluster."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench import sides, tables, workspace
from bench.figures import Figure, ratio
from bench.process import Run, run
from bench.sides import FIGURES, Side
from commands.render import FOLDERS

OURS: Final = "ours"
FLOOR: Final = "floor"
TARGETS: Final[Mapping[tuple[str, str], float]] = {
    ("configfile", "preview"): 0.6,
    ("configfile", "up"): 0.7,
    ("configfile", "refresh"): 0.8,
    ("configfile", "down"): 0.7,
    ("kubectl", "up"): 4,
}
"""Targets for the largest ratio of our time to theirs, by side and figure."""
SHARE: Final = 2.0
"""Target for a no-change preview: at most this many seconds more than a preview of three resources."""


@dataclass
class Results:
    """All runs by side and figure, in the order of the rounds."""

    sides: Sequence[Side]
    objects: int = 0
    runs: dict[tuple[str, str], list[Run]] = field(default_factory=dict)

    def times(self, side: str, figure: str) -> Figure:
        return Figure([one.seconds for one in self.runs[side, figure]])

    def memory(self, side: str) -> Figure:
        """The peak memory of a side's commands, for each round."""
        rows = [[one.memory for one in some] for (name, _), some in self.runs.items() if name == side]
        return Figure([max(values) for values in zip(*rows, strict=True)])

    def data(self) -> dict[str, Any]:
        """The runs as data for JSON."""
        return {
            side.name: {figure: [one.data() for one in self.runs[side.name, figure]] for figure in side.commands}
            for side in self.sides
        }


def measure(at: workspace.Workspace, rounds: int) -> Results:
    """Measures all sides. Each round starts with a different side."""
    found = Results(sides.all_of(at))
    for number in range(rounds):
        shift = number % len(found.sides)
        for side in [*found.sides[shift:], *found.sides[:shift]]:
            _cycle(at, side, number, found)
    found.objects = sum(1 for part in FOLDERS for _ in (at.folder("rendered") / part).iterdir())
    return found


def _cycle(at: workspace.Workspace, side: Side, number: int, found: Results) -> None:
    """Measures the commands of one side in order, from installation to removal."""
    for figure in FIGURES:
        if figure in ("up", "changed preview"):
            sides.change(at, 2 * number + (figure != "up"))
        if figure in side.commands:
            made = run(["sh", "-c", side.commands[figure]], side.folder)
            found.runs.setdefault((side.name, figure), []).append(made)
            say(f"round {number + 1}, {side.title}, {figure}: {made.seconds:.2f} s")
        if figure == "up":
            workspace.describe(workspace.CONTEXT)


def say(text: str) -> None:
    """Prints a line of progress with the time of day."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def report(found: Results) -> str:
    """The report, in Markdown."""
    others = [side for side in found.sides if side.name not in (OURS, FLOOR)]
    head = ["", "this project", *(part for side in others for part in (side.title, "ours / theirs", "target"))]
    rows = [_row(found, others, figure) for figure in FIGURES]
    memory = found.memory(OURS)
    rows.append(["peak memory", tables.mebibytes(memory)])
    for side in others:
        theirs = found.memory(side.name)
        rows[-1] += [tables.mebibytes(theirs), tables.times(ratio(memory, theirs)), ""]
    floor = found.times(FLOOR, "preview")
    share = found.times(OURS, "preview").middle - floor.middle
    return (
        f"{found.objects} objects. Times are medians with the smallest and largest of n rounds.\n\n"
        f"{tables.table(head, rows)}\n\n"
        f"No-change preview of three resources: {tables.seconds(floor)}. Above that floor, ours takes"
        f" **{share:.2f} s** (target: at most {SHARE:.0f} s).\n"
    )


def _row(found: Results, others: Sequence[Side], figure: str) -> list[str]:
    ours = found.times(OURS, figure)
    row = [FIGURES[figure], tables.seconds(ours)]
    for side in others:
        if figure not in side.commands:
            row += ["none", "", ""]
            continue
        theirs = found.times(side.name, figure)
        target = TARGETS.get((side.name, figure))
        row += [tables.seconds(theirs), tables.times(ratio(ours, theirs)), f"at most {target:g}" if target else ""]
    return row


def write(text: str, data: Mapping[str, Any], out: Path, name: str) -> None:
    """Prints a report, and writes it with its data to `<out>/<name>.md` and `.json`."""
    import json

    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.md").write_text(text)
    (out / f"{name}.json").write_text(json.dumps(data, indent=2) + "\n")
    print(text)
