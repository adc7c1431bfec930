"""Measures the steps before the first `up`: building the toolchain, and starting the cluster."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Final

import sandbox
from bench import tables
from bench.compare import say
from bench.figures import Figure
from bench.process import Run, run
from bench.workspace import CONTEXT, Workspace

STARTS: Final = 5
"""Number of measured starts of the cluster."""


def measure(at: Workspace) -> dict[str, list[Run]]:
    """The runs by name. Go's modules have to be fetched already. In the run `cold` none of them is compiled yet."""
    found: dict[str, list[Run]] = {"cluster, first start": [], "cluster, later start": []}
    start = [sys.executable, "-m", "sandbox", "start", CONTEXT]
    for _ in range(STARTS):
        sandbox.reset(CONTEXT)
        found["cluster, first start"].append(run(start, at.project))
        sandbox.stop(CONTEXT)
        found["cluster, later start"].append(run(start, at.project))
    for name in ("toolchain, compiled before", "toolchain, cold"):
        say(f"{name}: building")
        with tempfile.TemporaryDirectory(prefix="mesh-setup-") as folder:
            own = {"MESH_CACHE": str(Path(folder, "cache"))}
            if name.endswith("cold"):
                own["GOCACHE"] = str(Path(folder, "go"))
            found[name] = [run([sys.executable, "-m", "toolchain"], at.project, {**_without_built(), **own})]
            say(f"{name}: {found[name][0].seconds:.0f} s")
    return found


def _without_built() -> dict[str, str]:
    """The environment without the built toolchain on PATH."""
    folders = [part for part in os.environ["PATH"].split(os.pathsep) if "toolchain" not in part]
    return {**os.environ, "PATH": os.pathsep.join(folders)}


def report(found: dict[str, list[Run]]) -> str:
    """The report, in Markdown."""
    rows = []
    for name, runs in found.items():
        row = [name, tables.seconds(Figure([one.seconds for one in runs]))]
        if not name.startswith("cluster"):  # the cluster's processes do not belong to the command's session
            row.append(f"{Figure([one.cpu for one in runs]).middle:.0f} s")
            row.append(tables.mebibytes(Figure([one.memory for one in runs])))
        rows.append(row)
    return tables.table(["", "time", "processors' time", "peak memory"], rows) + "\n"
