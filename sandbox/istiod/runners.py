"""The two ways to run a control plane: Istio's own program, and a simulation of it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Protocol

from cluster.client import Api
from sandbox.istiod import release, simulated
from sandbox.istiod.deployment import Istiod
from sandbox.istiod.folder import Folder
from sandbox.istiod.simulated.plane import Plane
from sandbox.network import Network
from sandbox.paths import Layout
from sandbox.sources import own


class Runner(Protocol):
    """A way to run a control plane."""

    def prepare(self, istiod: Istiod, api: Api) -> None:
        """Writes the files that are missing or have changed. Raises ClusterError or OSError."""

    def command(self, istiod: Istiod) -> list[str]:
        """The command line of its process."""

    def root(self, revision: str) -> Path:
        """The working folder of the process."""


class Real:
    """Istio's own program, `pilot-discovery`."""

    def __init__(self, layout: Layout, network: Network, pilot: Path) -> None:
        self._layout, self._network, self._pilot = layout, network, pilot

    def prepare(self, istiod: Istiod, api: Api) -> None:
        Folder(self._layout, istiod).write(api, self._layout, self._network)

    def command(self, istiod: Istiod) -> list[str]:
        folder = Folder(self._layout, istiod)
        given = (f"{name}={value}" for name, value in istiod.environment.items())
        # istiod gets nothing from the environment of this process, which the user's shell has set.
        head = ("/usr/bin/env", "-i", f"HOME={folder.root}", *given, f"{self._pilot}")
        return [*head, *istiod.arguments, f"--kubeconfig={folder.kubeconfig}"]

    def root(self, revision: str) -> Path:
        return self._layout.istiod / revision


class Simulation:
    """A simulated control plane. `serving` is the program that creates its certificate. `digest` changes with the
    sources that it runs."""

    def __init__(self, layout: Layout, serving: Path, digest: str) -> None:
        self._layout, self._serving, self._digest = layout, serving, digest

    def prepare(self, istiod: Istiod, api: Api) -> None:  # noqa: ARG002 - it reads the cluster itself
        folder = self.root(istiod.revision)
        if (folder / "tls.crt").exists():
            return
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{istiod.name}.{istiod.namespace}.svc"
        command: list[str | Path] = [self._serving, self._layout.pki, folder, name]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise OSError(f"the certificate of {name} cannot be created: {done.stderr.strip()}")

    def command(self, istiod: Istiod) -> list[str]:
        plane = Plane(
            release=release.of(istiod.template),
            revision=istiod.revision,
            namespace=istiod.namespace,
            service=istiod.name,
            address=istiod.address,
            folder=str(self.root(istiod.revision)),
        )
        return [*own(simulated.__name__), self._layout.context, plane.text(), self._digest]

    def root(self, revision: str) -> Path:
        return self._layout.simulated / revision


def discard(layout: Layout, revision: str) -> None:
    """Deletes the files of a deleted control plane. A later control plane with the same revision may have another
    account and namespace, for which the files are not valid."""
    for folder in (layout.istiod, layout.simulated):
        shutil.rmtree(folder / revision, ignore_errors=True)
