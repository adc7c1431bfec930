"""Starts and stops the supervisor, and says whether the control planes run that are to run."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cluster.client import Api
from sandbox import paths
from sandbox.istiod import simulated
from sandbox.istiod.deployment import PREFIX, WEBHOOK_PORT, wanted
from sandbox.paths import Layout
from sandbox.process import Process
from sandbox.sources import digest, own

PROGRAM: Final = "istiod"
"""Name of the supervisor's process."""
REAL, SIMULATED = "real", "simulated"
"""How a control plane runs: Istio's own program, or what simulates it."""
PATIENCE: Final = 2.0
"""Seconds to wait after SIGTERM before SIGKILL."""


def chosen(layout: Layout) -> bool:
    """Whether the cluster has the real istiod for the releases whose control plane it is; otherwise all are
    simulated."""
    return layout.istiod.exists()


def command(layout: Layout, serving: Path, pilot: Path | None) -> list[str]:
    """The supervisor's command line."""
    # The digest is an argument so that other sources make another command line, and the supervisor starts anew.
    return [*own("sandbox.istiod"), layout.context, str(serving), str(pilot or ""), digest("sandbox", "mesh")]


def settled(api: Api, layout: Layout) -> bool:
    """Whether the control planes that are to run do, answer webhooks, and no other one runs. Raises ClusterError."""
    found = wanted(api)
    return {istiod.process for istiod in found} == set(running(layout)) and all(_listens(one.address) for one in found)


def _listens(address: str) -> bool:
    try:
        socket.create_connection((address, WEBHOOK_PORT), timeout=1).close()
    except OSError:
        return False
    return True


def running(layout: Layout) -> Iterator[str]:
    """Names of istiod's processes that should be running."""
    return (record.stem for record in sorted(layout.run.glob(f"{PREFIX}*.json")))


def kinds(context: str) -> dict[str, str]:
    """Whether each control plane on a cluster that is running is `real` or `simulated`, by revision."""
    layout = paths.layout(context)
    return {
        name.removeprefix(PREFIX): SIMULATED if simulated.__name__ in Process(name, layout).command else REAL
        for name in running(layout)
    }


def stop_all(layout: Layout) -> None:
    """Stops the supervisor and all that it runs."""
    for name in (PROGRAM, *running(layout)):
        Process(name, layout).stop(PATIENCE)
