"""Running kubectl, which knows every way to log in to a cluster."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from cluster.errors import ClusterError, NoKubectl, Unreachable

TIMEOUT: Final = 10
"""Seconds that the API server has for an answer."""


def command(kubeconfig: Path | None, *args: str) -> list[str]:
    """A kubectl command; with the user's own kubeconfig if no other file is given."""
    return ["kubectl", *(["--kubeconfig", str(kubeconfig)] if kubeconfig else []), *args]


def output(kubeconfig: Path | None, *args: str) -> str:
    """The output of a kubectl command. Unreachable without an answer; ClusterError if the cluster refuses."""
    full = command(kubeconfig, f"--request-timeout={TIMEOUT}s", *args)
    try:
        done = subprocess.run(full, capture_output=True, text=True, timeout=TIMEOUT * 2, check=False)
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
