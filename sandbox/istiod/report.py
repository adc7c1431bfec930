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

SIMULATED: Final = "simulated: the kubelet, nodes, what pods' containers do, load balancers; docs/live.md says more"


def lines(context: str) -> list[str]:
    """The lines of `make status` about the control planes of a cluster; none if it was not started."""
    layout = paths.layout(context)
    if not Process(PROGRAM, layout).known:
        return []
    names, kind = list(running(layout)), kinds(context)
    return [
        *(line for name in names for line in _line(Process(name, layout), kind).splitlines()),
        *([] if names else ["no control plane stands that is scaled to at least one"]),
        SIMULATED,
    ]


def _line(process: Process, kind: Mapping[str, str]) -> str:
    if not process.alive():
        return f"{process.name} has ended; it is started again and again\n{log_excerpt(process)}"
    revision = process.name.removeprefix(PREFIX)
    what = (
        f"built from Istio's sources of {checkers.istio_date()}, not of the release"
        if kind[revision] == REAL
        else "simulated, it injects and validates as its release does"
    )
    return f"revision {revision}: process {process.pid}, up {duration(process.uptime)}, {what}"


def look(layout: Layout) -> Iterator[tuple[bool, str]]:
    """Whether each of the processes runs, and the line of `python -m sandbox status` that says so."""
    for name in (PROGRAM, *running(layout)):
        process = Process(name, layout)
        if process.known and process.alive():
            yield True, f"{name:<24} process {process.pid:<8} up {duration(process.uptime)}"
        else:
            yield False, f"{name} has ended\n{log_excerpt(process)}"
