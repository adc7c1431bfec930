"""Runs kubectl, which supports every login to a cluster that a kubeconfig can describe."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from cluster.errors import ClusterError, NoKubectl, Unreachable

TIMEOUT: Final = 10
"""Timeout of a request to the API server, in seconds."""


def command(kubeconfig: Path | None, *args: str) -> list[str]:
    """A kubectl command line. Without `kubeconfig`, kubectl finds the user's own."""
    return ["kubectl", *(["--kubeconfig", str(kubeconfig)] if kubeconfig else []), *args]


def output(kubeconfig: Path | None, *args: str, within: int = TIMEOUT) -> str:
    """The standard output of a kubectl command, whose requests may take `within` seconds.

    Raises NoKubectl, Unreachable if the API server does not answer, or ClusterError if it refuses."""
    full = command(kubeconfig, f"--request-timeout={within}s", *args)
    try:
        done = subprocess.run(full, capture_output=True, text=True, timeout=within * 2, check=False)
    except FileNotFoundError:
        raise NoKubectl from None
    except subprocess.TimeoutExpired:
        raise Unreachable(f"no answer within {within * 2} s") from None
    if done.returncode == 0:
        return done.stdout
    errors = done.stderr.strip().splitlines()[-1:] or ["kubectl failed without an error message"]
    if any(words in errors[0] for words in ("Error from server", "must be logged in", "provide credentials")):
        raise ClusterError(f"the cluster refuses: {errors[0]}")
    raise Unreachable(errors[0])
