"""Which cluster a stack is for, and how it is asked.

Everything goes through `kubectl`, which knows every way to log in to a cluster.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import sandbox
from mesh.core import errors

ADOPT: Final = "MESH_ADOPT"
"""Environment variable by which `make adopt` tells the program what it is about."""

TIMEOUT: Final = 10
"""Seconds that the API server has for an answer."""


class ClusterError(errors.Refusal):
    """The cluster cannot or must not be used; the text says why and what to do."""


class Unreachable(ClusterError):
    """The cluster gave no answer."""


class NoKubectl(ClusterError):
    """There is no kubectl."""

    def __init__(self) -> None:
        super().__init__("kubectl is not on PATH: install it, or run `make toolchain`")


@dataclass(frozen=True)
class Target:
    """A context of a kubeconfig."""

    context: str
    server: str
    kubeconfig: Path | None = None
    """A kubeconfig file other than the user's own."""


def offline() -> bool:
    """Whether the user does not want a cluster to be asked: previews against the recorded state, and rendering."""
    return bool(os.environ.get("MESH_OFFLINE"))


def adopting() -> bool:
    """Whether an Istio without a mark is about to be taken over: `make adopt` has compared it with the stack."""
    return bool(os.environ.get(ADOPT))


def target(context: str | None) -> Target:
    """The named context; ClusterError if none is named or there is no such context."""
    kubeconfig = sandbox.kubeconfig() if context == sandbox.CONTEXT else None
    if offline():
        return Target(context or "(none)", "not asked", kubeconfig)
    if kubeconfig and not kubeconfig.exists():
        return Target(sandbox.CONTEXT, "not started", kubeconfig)
    config = json.loads(_kubectl(["config", "view", "-o", "json"], kubeconfig))
    contexts = {c["name"]: c["context"] for c in config.get("contexts") or []}
    if not context:
        have = ", ".join(contexts) or "none"
        raise ClusterError(
            "no cluster is named: set mesh:context in the stack's file, or CONTEXT= on the command line."
            f" Contexts of the kubeconfig: {have}"
        )
    if context not in contexts:
        raise ClusterError(errors.choice("mesh:context", context, contexts))
    servers = {c["name"]: c["cluster"].get("server", "") for c in config.get("clusters") or []}
    return Target(context, servers.get(contexts[context].get("cluster", ""), "unknown"), kubeconfig)


def get(at: Target, path: str) -> Any:
    """The answer of the API server to a GET of `path`, as data. ClusterError if it does not come."""
    try:
        return json.loads(output(at, "get", "--raw", path))
    except ValueError:
        raise ClusterError(f"{at.server} answers, but not as a Kubernetes API server does") from None


def output(at: Target, *args: str) -> str:
    """The output of a kubectl command. Unreachable without an answer; ClusterError if the cluster refuses."""
    return _kubectl(["--context", at.context, *args], at.kubeconfig)


def kubectl(at: Target) -> list[str]:
    """The beginning of a kubectl command for the cluster."""
    return ["kubectl", *_file(at.kubeconfig), "--context", at.context]


def _file(kubeconfig: Path | None) -> list[str]:
    return ["--kubeconfig", str(kubeconfig)] if kubeconfig else []


def _kubectl(args: list[str], kubeconfig: Path | None) -> str:
    command = ["kubectl", *_file(kubeconfig), f"--request-timeout={TIMEOUT}s", *args]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT * 2, check=False)
    except FileNotFoundError:
        raise NoKubectl from None
    except subprocess.TimeoutExpired:
        raise Unreachable(f"no answer within {TIMEOUT * 2} s") from None
    if done.returncode == 0:
        return done.stdout
    said = done.stderr.strip().splitlines()[-1:] or ["kubectl failed without a word"]
    if "Error from server" in said[0] or "must be logged in" in said[0] or "provide credentials" in said[0]:
        raise ClusterError(f"the cluster refuses: {said[0]}")
    raise Unreachable(said[0])
