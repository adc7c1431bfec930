"""The supervisor: runs `pilot-discovery` for each control plane that stands on the cluster, and the tunnel."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path
from typing import Final

from cluster.client import Api
from cluster.errors import ClusterError
from sandbox import paths, watching
from sandbox.api import Endpoints
from sandbox.istiod import tunnel
from sandbox.istiod.deployment import DEPLOYMENTS, PREFIX, SERVICES, Istiod, wanted
from sandbox.istiod.folder import Folder
from sandbox.istiod.run import PATIENCE, running
from sandbox.network import Network, network
from sandbox.paths import Layout
from sandbox.process import Process

LOOK: Final = 10.0
"""Seconds after which the cluster is read even without a change, for mounted Secrets and tokens."""
TICK: Final = 0.5
"""Seconds after which a process that has ended starts again."""


class Supervisor:
    """Keeps the processes of a cluster's control planes as their Deployments say."""

    def __init__(self, layout: Layout, network: Network, pilot: Path, api: Api) -> None:
        self._layout, self._network, self._pilot, self._api = layout, network, pilot, api
        self._wanted: list[Istiod] = []

    def look(self) -> None:
        """Reads what is to run. What was to run stays if the API server does not answer."""
        try:
            found = wanted(self._api)
            for istiod in found:
                Folder(self._layout, istiod).write(self._api, self._layout, self._network)
        except (OSError, ClusterError) as error:
            _say(f"the cluster does not answer: {error}")
        else:
            self._wanted = found

    def settle(self) -> None:
        """Ends the processes that are not to run, and starts those that are and do not."""
        names = {istiod.process for istiod in self._wanted}
        for name in set(running(self._layout)) - names:
            Process(name, self._layout).stop(PATIENCE)
            # A later control plane of the same name has another service account, for which this token is not valid.
            shutil.rmtree(self._layout.istiod / name.removeprefix(PREFIX), ignore_errors=True)
            _say(f"{name} stopped")
        for istiod in self._wanted:
            process, command = Process(istiod.process, self._layout), self._command(istiod)
            if process.alive() and process.command == command:
                continue
            process.stop(PATIENCE)
            process.start(command, Folder(self._layout, istiod).root)
            _say(f"{istiod.process} started")

    def _command(self, istiod: Istiod) -> list[str]:
        folder = Folder(self._layout, istiod)
        given = (f"{name}={value}" for name, value in istiod.environment.items())
        # Nothing of this process's environment, which the user's shell has set, reaches istiod.
        head = ("/usr/bin/env", "-i", f"HOME={folder.root}", *given, f"{self._pilot}")
        return [*head, *istiod.arguments, f"--kubeconfig={folder.kubeconfig}"]


def main(context: str, pilot: Path) -> None:
    """Runs the supervisor of a cluster until it is killed."""
    layout = paths.layout(context)
    kept = network(layout)
    endpoints = Endpoints(layout, kept)
    tunnel.start(layout.tunnel, endpoints.api)
    supervisor, changed = Supervisor(layout, kept, pilot, endpoints.api), threading.Event()
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
