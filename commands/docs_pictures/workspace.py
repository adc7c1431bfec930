"""The workspace of the recordings: a copy of the project with clusters and state of its own, so that no picture depends
on what its maker has done."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

import toolchain
from commands import project_copy
from commands.docs_pictures.recorder import Terminal
from commands.stackfiles import ROOT, CommandError
from mesh.core.names import EMBEDDED_CLUSTERS
from sandbox.network import is_free, listener_on
from toolchain import checkers, envoy

_NOT_PASSED_ON: Final = ("PULUMI_", "MESH_", "KUBECONFIG", "MAKE", "MFLAGS", "CONTEXT", "STACK", "LIVE", "PYTHON")
"""Prefixes of the environment variables that would lead the commands elsewhere."""


@dataclass(frozen=True)
class Workspace:
    """A folder with a copy of the project, and further folders beside it."""

    root: Path

    @property
    def project(self) -> Path:
        return self.root / "mesh"

    @property
    def home(self) -> Path:
        """Its `MESH_HOME`."""
        return self.root / "home"

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment variables of the commands."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_PASSED_ON)}
        own = {"MESH_HOME": self.home, "PULUMI_HOME": self.root / "pulumi", "MESH_CACHE": toolchain.cache()}
        return {**kept, **{name: str(value) for name, value in own.items()}}

    def terminal(self, columns: int, rows: int) -> Terminal:
        """A terminal in the copy of the project."""
        return Terminal(columns=columns, rows=rows, folder=self.project, environment=self.environment)

    def run(self, *command: str) -> str:
        """Runs a command in the copy, and returns its output. Raises CommandError."""
        done = subprocess.run(
            command,
            cwd=self.project,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        if done.returncode:
            raise CommandError(f"{' '.join(command)} ended with code {done.returncode}:\n{done.stdout[-4000:]}")
        return done.stdout

    def without_paths(self, text: str) -> str:
        """The text of a picture, if it names neither the workspace nor the maker's home. Raises CommandError."""
        for place in (self.root, ROOT, Path.home()):
            if f"{place}/" in text:
                raise CommandError(f"a picture shows {place}, which says nothing to its readers")
        return text

    def require_free_port(self, stack: str) -> None:
        """Raises CommandError if another process listens on the node port of a stack's page."""
        config = yaml.safe_load((self.project / "stacks" / f"Pulumi.{stack}.yaml").read_text())["config"]
        port = config["mesh:ingressNodePorts"]["http2"]
        if not is_free(port):
            raise CommandError(
                f"port {port}, on which stack {stack} is recorded, is taken by {listener_on(port)}:"
                f" `make sandbox-stop STACK={stack}` frees it if that is your own cluster"
            )


@contextmanager
def temporary() -> Iterator[Workspace]:
    """A new workspace. It is deleted afterwards, with the clusters that were started in it. Missing programs are built
    first, so that no recording shows that."""
    for program in (toolchain.ensure, checkers.pilot, checkers.agent, envoy.envoy):
        program()
    with tempfile.TemporaryDirectory(prefix="mesh-pictures-") as folder:
        workspace = Workspace(Path(folder))
        project_copy.make(workspace.project)
        workspace.home.mkdir(mode=0o700)
        try:
            yield workspace
        finally:
            for context, name in EMBEDDED_CLUSTERS.items():
                if (workspace.home / name).exists():
                    workspace.run(".venv/bin/python", "-m", "sandbox", "reset", context)
