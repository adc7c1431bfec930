"""The supervisor, which runs a process for each control plane on the cluster, and the tunnel."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Final

from cluster.client import Api
from cluster.errors import ClusterError
from mesh import releases
from sandbox import paths, watching
from sandbox.api import Endpoints
from sandbox.istiod import release, tunnel
from sandbox.istiod.deployment import DEPLOYMENTS, PREFIX, SERVICES, Istiod, wanted
from sandbox.istiod.run import PATIENCE, running
from sandbox.istiod.runners import Real, Runner, Simulation, discard
from sandbox.network import network
from sandbox.paths import Layout
from sandbox.process import Process

LOOK: Final = 10.0
"""Seconds after which the cluster is read even if nothing has changed, for mounted Secrets and tokens."""
TICK: Final = 0.5
"""Seconds after which a process that has ended starts again."""


class Supervisor:
    """Keeps the processes of a cluster's control planes in line with their Deployments."""

    def __init__(self, layout: Layout, api: Api, simulation: Runner, real: Runner | None) -> None:
        self._layout, self._api, self._simulation, self._real = layout, api, simulation, real
        self._wanted: list[Istiod] = []

    def look(self) -> None:
        """Reads which control planes are to run. If the API server does not answer, the previous ones remain."""
        try:
            found = wanted(self._api)
            for istiod in found:
                self._runner(istiod).prepare(istiod, self._api)
        except (OSError, ClusterError) as error:
            _say(f"the control planes stay as they are: {error}")
        else:
            self._wanted = found

    def settle(self) -> None:
        """Ends the processes that are not wanted, and starts the wanted processes that do not run."""
        names = {istiod.process for istiod in self._wanted}
        for name in set(running(self._layout)) - names:
            Process(name, self._layout).stop(PATIENCE)
            discard(self._layout, name.removeprefix(PREFIX))
            _say(f"{name} stopped")
        for istiod in self._wanted:
            runner = self._runner(istiod)
            process, command = Process(istiod.process, self._layout), runner.command(istiod)
            if process.alive() and process.command == command:
                continue
            process.stop(PATIENCE)
            process.start(command, runner.root(istiod.revision))
            _say(f"{istiod.process} started")

    def _runner(self, istiod: Istiod) -> Runner:
        """Istio's own program if it is available and is the control plane of the release, otherwise the simulation."""
        own = self._real if releases.get(release.of(istiod.template)).runs_istiod else None
        return own or self._simulation


def main(context: str, serving: Path, pilot: Path | None, digest: str) -> None:
    """Runs the supervisor of a cluster until it is killed. Without `pilot` all control planes are simulated."""
    layout = paths.layout(context)
    kept = network(layout)
    endpoints = Endpoints(layout, kept)
    tunnel.start(layout.tunnel, endpoints.api)
    real = Real(layout, kept, pilot) if pilot else None
    supervisor = Supervisor(layout, endpoints.api, Simulation(layout, serving, digest), real)
    changed = threading.Event()
    watching.watch(endpoints, (DEPLOYMENTS, SERVICES), changed)
    next_look = 0.0
    while True:
        if changed.wait(TICK) or time.monotonic() > next_look:
            changed.clear()
            supervisor.look()
            next_look = time.monotonic() + LOOK
        supervisor.settle()


def _say(text: str) -> None:
    print(time.strftime("%H:%M:%S"), text, flush=True)
