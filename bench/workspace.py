"""Where the measuring happens: a copy of this project, with a cluster and a state of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

import sandbox
from commands import pulumi_cli
from commands.stackfiles import ROOT

STACK: Final = "dev"
NAMESPACE: Final = "bookinfo"
"""Of Bookinfo: its own, since no side but ours can take part in a namespace without deleting it in the end."""
_ANNOTATION: Final = "bench/value"
_OWN: Final = {
    "mesh:injectedNamespaces": {NAMESPACE: "create"},
    "mesh:bookinfo": {"namespace": NAMESPACE},
}


@dataclass(frozen=True)
class Workspace:
    """A copy of the project, as a user has it."""

    root: Path

    @property
    def project(self) -> Path:
        return self.root / "mesh"

    def folder(self, name: str) -> Path:
        """A folder beside the copy, made if it is not there."""
        found = self.root / name
        found.mkdir(exist_ok=True)
        return found

    def change(self, value: int) -> None:
        """Sets the one field of the stack that is different from time to time: an annotation of a Service."""
        service = {"serviceAnnotations": {_ANNOTATION: str(value)}}
        self._write({"mesh:gateways": {"istio-ingressgateway": service}})

    def _write(self, more: dict[str, Any]) -> None:
        name = f"stacks/Pulumi.{STACK}.yaml"
        content = yaml.safe_load((ROOT / name).read_text())
        content["config"] |= {**_OWN, **more}
        (self.project / name).write_text(yaml.safe_dump(content))


@contextmanager
def temporary() -> Iterator[Workspace]:
    """A fresh place with a running cluster. The environment leads to it; both are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="mesh-bench-") as folder:
        workspace = Workspace(Path(folder))
        skipped = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__")
        shutil.copytree(ROOT, workspace.project, ignore=skipped)
        (workspace.project / ".venv").symlink_to(ROOT / ".venv")
        _lead_to(workspace)
        sandbox.start()
        try:
            yield workspace
        finally:
            sandbox.reset()


def _lead_to(workspace: Workspace) -> None:
    """Makes this process, and what it starts, work there."""
    for name in [name for name in os.environ if name.startswith(("PULUMI_", "KUBECONFIG", "MAKE", "CONTEXT"))]:
        del os.environ[name]
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # who has it set would measure the compiling of Python
    os.environ |= {
        "MESH_HOME": str(workspace.folder("home")),
        "PULUMI_HOME": str(workspace.folder("pulumi")),
        "LIVE": "0",
    }
    os.environ |= pulumi_cli.environment()
    os.environ["KUBECONFIG"] = str(sandbox.kubeconfig())
