"""Starts and stops the supervisor, and checks whether the right control planes run."""

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
"""How a control plane runs: as Istio's own program, or as a simulation."""
PATIENCE: Final = 2.0
"""Seconds to wait after SIGTERM before SIGKILL."""


def chosen(layout: Layout) -> bool:
    """Whether the cluster uses the real istiod, for the releases of which it is the control plane. Otherwise all
    control planes are simulated."""
    return layout.istiod.exists()


def command(layout: Layout, serving: Path, pilot: Path | None) -> list[str]:
    """The supervisor's command line."""
    # The digest is an argument so that changed sources change the command line, and the supervisor is restarted.
    return [*own("sandbox.istiod"), layout.context, str(serving), str(pilot or ""), digest("sandbox", "mesh")]


def settled(api: Api, layout: Layout) -> bool:
    """Whether exactly the wanted control planes run, and all of them accept connections for webhooks. Raises
    ClusterError."""
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
    """Whether each running control plane of a cluster is `real` or `simulated`, by revision."""
    layout = paths.layout(context)
    return {
        name.removeprefix(PREFIX): SIMULATED if simulated.__name__ in Process(name, layout).command else REAL
        for name in running(layout)
    }


def stop_all(layout: Layout) -> None:
    """Stops the supervisor and all processes that it runs."""
    for name in (PROGRAM, *running(layout)):
        Process(name, layout).stop(PATIENCE)
