"""The workspace of the measurements: a copy of this project with its own cluster and state."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import requests
import yaml

import sandbox
from commands import project_copy, pulumi_cli
from commands.stackfiles import ROOT
from sandbox import paths

STACK: Final = "dev"
CONTEXT: Final = "mesh-dev"
"""The embedded cluster of STACK."""
NAMESPACE: Final = "bookinfo"
"""Bookinfo's namespace. Every side creates it, since only ours can use an existing one without deleting it."""
_ANNOTATION: Final = "bench/value"
_OWN: Final = {
    "mesh:injectedNamespaces": {NAMESPACE: "create"},
    "mesh:bookinfo": {"namespace": NAMESPACE},
}


@dataclass(frozen=True)
class Workspace:
    """A folder with a copy of the project and other folders."""

    root: Path

    @property
    def project(self) -> Path:
        return self.root / "mesh"

    def folder(self, name: str) -> Path:
        """A folder next to the copy. It is created if it is missing."""
        found = self.root / name
        found.mkdir(exist_ok=True)
        return found

    def change(self, value: int) -> None:
        """Sets the field of the stack that the measurements change: an annotation of a Service."""
        service = {"serviceAnnotations": {_ANNOTATION: str(value)}}
        self._write({"mesh:gateways": {"istio-ingressgateway": service}})

    def _write(self, more: dict[str, Any]) -> None:
        name = f"stacks/Pulumi.{STACK}.yaml"
        content = yaml.safe_load((ROOT / name).read_text())
        content["config"] |= {**_OWN, **more}
        (self.project / name).write_text(yaml.safe_dump(content))


@contextmanager
def temporary() -> Iterator[Workspace]:
    """A new workspace with a running cluster, for which the environment variables of this process are set. Both are
    deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix="mesh-bench-") as folder:
        workspace = Workspace(Path(folder))
        project_copy.make(workspace.project)
        _use(workspace)
        sandbox.start(CONTEXT)
        try:
            yield workspace
        finally:
            sandbox.reset(CONTEXT)


def _use(workspace: Workspace) -> None:
    """Sets environment variables so that this process and those that it starts use the workspace."""
    for name in [name for name in os.environ if name.startswith(("PULUMI_", "KUBECONFIG", "MAKE", "CONTEXT"))]:
        del os.environ[name]
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # with it, every run would compile Python's modules again
    os.environ |= {
        "MESH_HOME": str(workspace.folder("home")),
        "PULUMI_HOME": str(workspace.folder("pulumi")),
        "LIVE": "0",
    }
    os.environ |= pulumi_cli.environment()
    os.environ["KUBECONFIG"] = str(sandbox.kubeconfig(CONTEXT))


def describe(context: str) -> None:
    """Requests the description of an embedded cluster's API, in the form that Pulumi's provider requests.

    After new definitions, the API server computes it at the first request. This takes 0.3 s, which must not count for a
    preview."""
    at = paths.layout(context)
    [cluster] = yaml.safe_load(at.kubeconfig.read_text())["clusters"]
    answer = requests.get(
        f"{cluster['cluster']['server']}/openapi/v2",
        headers={"Accept": "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"},
        cert=(str(at.pki / "client.crt"), str(at.pki / "client.key")),
        verify=str(at.pki / "ca.crt"),
        timeout=60,
    )
    answer.raise_for_status()
