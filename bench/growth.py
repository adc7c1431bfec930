"""Measures how time and memory grow with the number of services."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bench import generated, tables
from bench.compare import say
from bench.figures import Figure, exponent
from bench.process import Run, run
from bench.workspace import Workspace
from commands import analyze, render
from commands.stackfiles import PROJECT, ROOT
from engine import recorder
from mesh.analysis.analyse import analyse
from mesh.core.names import DEFAULT_NAMES

SIZES: Final = (10, 100, 1000)
"""Numbers of services."""
STEEPEST: Final = 1.15
"""The largest exponent that counts as linear."""
ANALYSIS: Final = 2.0
"""Target for the analysis of the largest number of services, in seconds."""
EACH: Final = 0.020
"""Target for a preview's time per resource, in seconds, after subtraction of the time without services."""
_PROGRAM: Final = """
import sys

sys.path.insert(0, {root!r})
from bench import generated

generated.program()
"""


@dataclass
class Results:
    """All measurements, by number of services; 0 stands for the program without services."""

    analysis: dict[int, list[float]]
    """Seconds."""
    previews: dict[int, list[Run]]
    plain: dict[int, list[Run]]
    """Previews of the same number of plain resources."""

    def data(self) -> dict[str, Any]:
        all_runs = {"previews": self.previews, "plain": self.plain}
        return {"analysis": self.analysis} | {
            name: {size: [one.data() for one in some] for size, some in runs.items()} for name, runs in all_runs.items()
        }


def measure(at: Workspace, rounds: int) -> Results:
    """Measures previews of generated services on an empty cluster, and the analysis of their objects."""
    found = Results(analysis={size: _analyses(size, rounds) for size in SIZES}, previews={}, plain={})
    folder = at.folder("growth")
    (folder / "Pulumi.yaml").write_text(f"name: {PROJECT}\nruntime: python\n")
    (folder / "__main__.py").write_text(_PROGRAM.lstrip().format(root=str(ROOT)))
    run(["pulumi", "stack", "init", "growth"], folder)
    for number in range(rounds):
        for size in (0, *SIZES):
            for runs, plain in ((found.previews, ""), (found.plain, "1")):
                environment = {**os.environ, generated.SERVICES: str(size), generated.PLAIN: plain}
                command = ["pulumi", "preview", "--stack", "growth", "--non-interactive"]
                made = run(command, folder, environment)
                runs.setdefault(size, []).append(made)
                what = f"{size * generated.EACH} plain resources" if plain else f"{size} services"
                say(f"round {number + 1}, preview of {what}: {made.seconds:.2f} s")
    return found


def _analyses(size: int, rounds: int) -> list[float]:
    """The times of the analysis of a number of services, in seconds."""
    os.environ[generated.SERVICES] = str(size)
    generated.write(size)
    with render.offline():
        resources = recorder.registered(generated.program, PROJECT, "growth", generated.settings(size))
    objects = list(analyze.objects(resources))
    times = []
    for _ in range(rounds):
        started = time.monotonic()
        found = analyse(objects, DEFAULT_NAMES)
        times.append(time.monotonic() - started)
        if found:
            raise RuntimeError(f"the generated services are faulty: {found[0]}")
    say(f"analysis of {size} services: {min(times):.2f} s")
    return times


def report(found: Results) -> str:
    """The report, in Markdown."""
    head = ["services", "resources", "analysis", "preview", "memory", "plain resources: preview", "memory"]
    rows = [_row(found, size) for size in (0, *SIZES)]
    rows.append(["exponent", "", *(f"{slope:.2f}" for slope in _slopes(found))])
    largest = SIZES[-1]
    analysis = Figure(found.analysis[largest]).middle
    each = _above(_times(found.previews), largest) / (largest * generated.EACH) * 1000
    return (
        "Times are medians with the smallest and largest of n runs. The values of the program without services are"
        f" subtracted before the exponent is computed; up to {STEEPEST} counts as linear.\n\n"
        f"{tables.table(head, rows)}\n\n"
        f"Analysis of {largest} services: **{analysis:.2f} s** (target: at most {ANALYSIS:.0f} s)."
        f" For each resource, a preview takes **{each:.1f} ms** more than without services (target:"
        f" at most {EACH * 1000:.0f} ms).\n"
    )


def _row(found: Results, size: int) -> list[str]:
    analysis = tables.seconds(Figure(found.analysis[size])) if size else ""
    row = [str(size), str(size * generated.EACH), analysis]
    for runs in (found.previews, found.plain):
        row.append(tables.seconds(Figure([one.seconds for one in runs[size]])))
        row.append(tables.mebibytes(Figure([one.memory for one in runs[size]])))
    return row


def _slopes(found: Results) -> list[float]:
    """The exponents, in the order of the table's columns."""
    analysis = {size: Figure(times).middle for size, times in found.analysis.items()}
    figures = [figure for runs in (found.previews, found.plain) for figure in (_times(runs), _memory(runs))]
    return [exponent(analysis), *(exponent({size: _above(of, size) for size in SIZES}) for of in figures)]


def _times(runs: Mapping[int, Sequence[Run]]) -> dict[int, float]:
    return {size: Figure([one.seconds for one in some]).middle for size, some in runs.items()}


def _memory(runs: Mapping[int, Sequence[Run]]) -> dict[int, float]:
    return {size: Figure([one.memory for one in some]).middle for size, some in runs.items()}


def _above(by_size: Mapping[int, float], size: int) -> float:
    """The value for a number of services, minus the value without services."""
    return by_size[size] - by_size[0]
