"""`kubectl proxy`, the way to an API server that needs no login of our own."""

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
def connect(at: Target) -> Iterator[Api]:
    """The cluster's API server, for as long as the context lasts; its socket is in a folder that is its owner's alone.

    Unreachable if kubectl does not start."""
    with tempfile.TemporaryDirectory(prefix="mesh-") as folder:
        path = Path(folder) / "api"
        command = [*at.command, "proxy", f"--unix-socket={path}"]
        try:
            started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        except FileNotFoundError:
            raise NoKubectl from None
        with started as proxy:
            try:
                said = ""
                for line in proxy.stdout or ():  # warnings come first
                    said += line
                    if _listens(path):
                        break
                else:
                    raise Unreachable(said.strip() or "kubectl proxy failed without a word")
                yield HttpApi(lambda: _Connection(path))
            finally:
                proxy.terminate()


def _listens(path: Path) -> bool:
    """Whether somebody answers at a socket; the file is there a moment earlier."""
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
