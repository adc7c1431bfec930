"""Connections to an API server through `kubectl proxy`, which logs in."""

from __future__ import annotations

import http.client
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster import kubectl
from cluster.client import Api, HttpApi
from cluster.errors import NoKubectl, Unreachable
from cluster.target import Target


@contextmanager
def connect(target: Target) -> Iterator[Api]:
    """Runs `kubectl proxy` as long as the `with` block lasts. Its socket is in a folder that only the user can enter.

    Raises NoKubectl, or Unreachable if kubectl ends before it listens."""
    with tempfile.TemporaryDirectory(prefix="mesh-") as folder:
        path = Path(folder) / "api"
        command = [*target.command, "proxy", f"--unix-socket={path}"]
        try:
            started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        except FileNotFoundError:
            raise NoKubectl from None
        with started as proxy:
            try:
                output = ""
                for line in proxy.stdout or ():  # warnings come first
                    output += line
                    if _listens(path):
                        break
                else:
                    raise Unreachable(output.strip() or "kubectl proxy failed without an error message")
                yield HttpApi(lambda: _Connection(path))
            finally:
                proxy.terminate()


def _listens(path: Path) -> bool:
    """Whether a process accepts connections at a socket; the file exists a moment before that."""
    with socket.socket(socket.AF_UNIX) as tried:
        return tried.connect_ex(str(path)) == 0


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=kubectl.TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
