"""istiod's part of `make status` and of `python -m sandbox status`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from sandbox import paths
from sandbox.istiod.deployment import PREFIX
from sandbox.istiod.run import PROGRAM, REAL, kinds, running
from sandbox.paths import Layout
from sandbox.process import Process, log_excerpt
from toolchain import checkers
from toolchain.progress import duration

SIMULATED: Final = "simulated: the kubelet, nodes, containers of pods, load balancers; see docs/live.md"


def lines(context: str) -> list[str]:
    """The lines of `make status` about the control planes of a cluster; none if it was not started."""
    layout = paths.layout(context)
    if not Process(PROGRAM, layout).known:
        return []
    names, kind = list(running(layout)), kinds(context)
    return [
        *(line for name in names for line in _line(Process(name, layout), kind).splitlines()),
        *([] if names else ["there is no control plane with at least one replica"]),
        SIMULATED,
    ]


def _line(process: Process, kind: Mapping[str, str]) -> str:
    if not process.alive():
        return f"{process.name} has ended; it is restarted until it runs\n{log_excerpt(process)}"
    revision = process.name.removeprefix(PREFIX)
    what = (
        f"built from Istio's sources of {checkers.istio_date()}, not from those of the release"
        if kind[revision] == REAL
        else "simulated, it injects and validates as its release does"
    )
    return f"revision {revision}: process {process.pid}, up {duration(process.uptime)}, {what}"


def look(layout: Layout) -> Iterator[tuple[bool, str]]:
    """Whether each of the processes runs, with its line in `python -m sandbox status`."""
    for name in (PROGRAM, *running(layout)):
        process = Process(name, layout)
        if process.known and process.alive():
            yield True, f"{name:<24} process {process.pid:<8} up {duration(process.uptime)}"
        else:
            yield False, f"{name} has ended\n{log_excerpt(process)}"
