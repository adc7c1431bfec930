"""The API server's answers as data, a refusal among them: through `kubectl proxy`, which knows every way to log in."""

from __future__ import annotations

import http.client
import json
import re
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from cluster import kubectl
from cluster.kubectl import ClusterError, NoKubectl, Target, Unreachable
from sandbox.api import exchange

JSON: Final = "application/json"
APPLY: Final = "application/apply-patch+yaml"
"""Content types: of what is created, and of what is applied (JSON is YAML too)."""

_AT_ONCE: Final = 8
"""Requests under way at the same time."""

_DENIED: Final = re.compile(r'User ".*" cannot \w+ (resource|path)')


@dataclass(frozen=True)
class Request:
    """A request to the API server."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    content: str = JSON


@dataclass(frozen=True)
class Answer:
    """What came back: an object, or for an HTTP code from 400 on a `Status` that says why not."""

    code: int
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        return self.code < 400

    @property
    def message(self) -> str:
        return str(self.body.get("message") or f"HTTP code {self.code}")

    @property
    def denied(self) -> bool:
        """Whether the caller lacks a right; refusals by admission have the same code, but other words."""
        return self.code == 403 and bool(_DENIED.search(self.message))

    @property
    def about(self) -> str:
        """The resource that a `Status` is about, e.g. `namespaces`."""
        return str((self.body.get("details") or {}).get("kind", ""))

    @property
    def causes(self) -> Sequence[Mapping[str, str]]:
        """The single problems of a refused object, each with `field`, `reason` and `message`."""
        causes: Sequence[Mapping[str, str]] = (self.body.get("details") or {}).get("causes") or []
        return causes


class Refused(ClusterError):
    """The API server does not answer a question of ours; the text says why."""


class Api(Protocol):
    """Whoever answers requests."""

    def ask(self, request: Request) -> Answer:
        """The answer; Unreachable if none comes."""


def items(api: Api, path: str) -> Sequence[Mapping[str, Any]]:
    """The objects of a collection; Refused if they may not be listed."""
    answer = api.ask(Request("GET", path))
    if not answer.good:
        raise Refused(answer.message)
    found: Sequence[Mapping[str, Any]] = answer.body.get("items") or []
    return found


def ask_all(api: Api, requests: Sequence[Request]) -> list[Answer]:
    """The answers in the order of the requests."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(api.ask, requests))


@contextmanager
def proxied(at: Target) -> Iterator[Api]:
    """The cluster's API server, for as long as the context lasts; its socket is in a folder that is its owner's alone.

    Unreachable if kubectl does not start."""
    with tempfile.TemporaryDirectory(prefix="mesh-") as folder:
        path = Path(folder) / "api"
        command = [*kubectl.kubectl(at), "proxy", f"--unix-socket={path}"]
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
                yield _Proxied(path)
            finally:
                proxy.terminate()


def _listens(path: Path) -> bool:
    """Whether somebody answers at a socket; the file is there a moment earlier."""
    with socket.socket(socket.AF_UNIX) as tried:
        return tried.connect_ex(str(path)) == 0


@dataclass(frozen=True)
class _Proxied:
    socket: Path

    def ask(self, request: Request) -> Answer:
        body = None if request.body is None else json.dumps(request.body)
        try:
            code, text = exchange(lambda: _Connection(self.socket), request.method, request.path, body, request.content)
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"no answer to {request.method} {request.path}: {error}") from None
        return _answer(code, text)


def _answer(code: int, text: bytes) -> Answer:
    """An API server answers in JSON, but for a path that nothing is behind. An error in plain text is the proxy's own,
    which could not log in to the server or not reach it."""
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    if isinstance(body, dict):
        return Answer(code, body)
    if code >= 500:
        raise Unreachable(text.decode(errors="replace").strip().partition("\n")[0])
    return Answer(code)


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=kubectl.TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
