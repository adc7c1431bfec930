"""The kubeconfig context that a stack is applied to."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from cluster import kubectl
from cluster.errors import ClusterError
from mesh.core import errors
from mesh.core.names import EMBEDDED_CLUSTERS

ADOPT: Final = "MESH_ADOPT"
"""Environment variable that `make adopt` sets: the stack may take over objects without an owner."""
EMBEDDED: Final = "MESH_EMBEDDED"
"""Environment variable with a JSON object: the kubeconfig file of each embedded cluster, by context. The commands that
start the program set it, since the program itself does not know where the sandbox keeps its files."""
FORCE: Final = "MESH_FORCE"
"""Environment variable that `make up FORCE=1` sets: problems that would stop the update are only warnings."""
OFFLINE: Final = "MESH_OFFLINE"
"""Environment variable: if it is set, no request is sent to a cluster."""
PREVIEW: Final = "MESH_PREVIEW"
"""Environment variable that `make preview` sets: no update follows, so the program may warn where it would refuse an
update."""


@dataclass(frozen=True)
class Target:
    """A context of a kubeconfig."""

    context: str
    server: str
    kubeconfig: Path | None = None
    """The kubeconfig file; None for the user's own."""

    @classmethod
    def named(cls, context: str | None) -> Self:
        """The cluster of a context. Raises ClusterError if there is no context, or if the kubeconfig lacks it."""
        kubeconfig = _embedded(context)
        if offline():
            return cls(context or "(none)", "not asked", kubeconfig)
        if context and kubeconfig and not kubeconfig.exists():
            return cls(context, "not started", kubeconfig)
        config = json.loads(kubectl.output(kubeconfig, "config", "view", "-o", "json"))
        contexts = {c["name"]: c["context"] for c in config.get("contexts") or []}
        if not context:
            have = ", ".join(contexts) or "none"
            raise ClusterError(
                "no cluster is named: set mesh:context in the stack's file, or CONTEXT= on the command line."
                f" Contexts of the kubeconfig: {have}"
            )
        if context not in contexts:
            raise ClusterError(errors.invalid_choice("mesh:context", context, contexts))
        servers = {c["name"]: c["cluster"].get("server", "") for c in config.get("clusters") or []}
        return cls(context, servers.get(contexts[context].get("cluster", ""), "unknown"), kubeconfig)

    @property
    def command(self) -> list[str]:
        """The beginning of every kubectl command line for the cluster."""
        return kubectl.command(self.kubeconfig, "--context", self.context)

    def kubectl(self, *args: str, within: int = kubectl.TIMEOUT) -> str:
        """The output of a kubectl command for the cluster, whose requests may take `within` seconds. Raises the errors
        of `cluster.kubectl.output`."""
        return kubectl.output(self.kubeconfig, "--context", self.context, *args, within=within)


def offline() -> bool:
    """Whether no request may be sent to a cluster. A preview then compares with the recorded state only."""
    return bool(os.environ.get(OFFLINE))


def adopting() -> bool:
    """Whether `make adopt` runs the program, to take over an Istio that it has compared with the stack."""
    return bool(os.environ.get(ADOPT))


def previewing() -> bool:
    """Whether the program runs for a preview only. The preview that is part of an update does not count."""
    return bool(os.environ.get(PREVIEW))


def forced() -> bool:
    """Whether an update continues in spite of problems, such as running proxies that lose their control plane."""
    return bool(os.environ.get(FORCE))


def _embedded(context: str | None) -> Path | None:
    """The kubeconfig file of an embedded cluster; None for a context of the user's own kubeconfig.

    Raises ClusterError for an embedded cluster whose file is not known, and for a malformed MESH_EMBEDDED."""
    given = os.environ.get(EMBEDDED) or "{}"
    try:
        files = json.loads(given)
    except ValueError:
        files = None
    if not isinstance(files, dict) or not all(isinstance(file, str) for file in files.values()):
        raise ClusterError(
            f"{EMBEDDED}: expected a JSON object with a kubeconfig file by context, got {errors.show(given)}."
            ' Run `eval "$(make -s env)"` before `pulumi`'
        )
    if context and context in files:
        return Path(files[context])
    if context in EMBEDDED_CLUSTERS:
        raise ClusterError(
            f"mesh:context: {context} is an embedded cluster, and {EMBEDDED} does not say where it is."
            ' Run `eval "$(make -s env)"` before `pulumi`'
        )
    return None
