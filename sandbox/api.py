"""A small client for the cluster's own HTTPS endpoints."""

import http.client
import json
import ssl
import time
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.errors import SandboxError
from sandbox.network import LOOPBACK, Network
from sandbox.places import Layout

LIMIT = 5.0
"""Seconds that one answer may take."""

WATCH = 300
"""Seconds after which the API server ends a watch."""

BUSY = 429
"""HTTP code: ask again later. So an API server answers for a kind whose definition has just come."""

TRIES = 10
"""How often it is asked at most."""


def exchange(
    connect: Callable[[], http.client.HTTPConnection],
    method: str,
    path: str,
    body: str | None = None,
    content: str = "application/json",
) -> tuple[int, bytes]:
    """Status code and content of an API server's answer. Whoever is told to ask again later does so, as Kubernetes' own
    clients do. OSError or HTTPException if no answer comes."""
    for _ in range(TRIES):
        connection = connect()
        try:
            connection.request(method, path, body, {"Content-Type": content})
            response = connection.getresponse()
            status, answer, later = response.status, response.read(), response.headers.get("Retry-After", "")
        finally:
            connection.close()
        if status != BUSY or not later.isdigit():
            break
        time.sleep(int(later))
    return status, answer


class Api:
    """Asks the cluster's processes, as its administrator."""

    def __init__(self, layout: Layout, network: Network) -> None:
        self._network = network
        self._tls = ssl.create_default_context(cafile=str(layout.pki / "ca.crt"))
        self._tls.load_cert_chain(layout.pki / "client.crt", layout.pki / "client.key")

    def healthy(self, listener: str, path: str) -> bool:
        """Whether the process that listens there answers its health check with 200."""
        try:
            return self._ask(listener, "GET", path)[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def get(self, path: str) -> Any:
        """The object at `path` of the API server, or None where there is none."""
        status, answer = self._ask("kube-apiserver", "GET", path)
        if status == 404:
            return None
        return self._decoded("GET", path, status, answer)

    def create(self, path: str, body: dict[str, Any]) -> Any:
        """Creates an object in the collection at `path`."""
        return self._decoded("POST", path, *self._ask("kube-apiserver", "POST", path, json.dumps(body)))

    def watch(self, path: str) -> Iterator[bytes]:
        """A line for each object of the collection at `path`, and for each change of one, until the watch ends."""
        connection = self._connection("kube-apiserver", WATCH + LIMIT)
        try:
            connection.request("GET", f"{path}?watch=true&timeoutSeconds={WATCH}")
            response = connection.getresponse()
            if response.status == 200:
                yield from response
        finally:
            connection.close()

    def _decoded(self, method: str, path: str, status: int, answer: bytes) -> Any:
        if status >= 300:
            raise SandboxError(f"the API server refuses {method} {path}: {answer.decode(errors='replace')}")
        return json.loads(answer)

    def _ask(self, listener: str, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
        return exchange(lambda: self._connection(listener, LIMIT), method, path, body)

    def _connection(self, listener: str, limit: float) -> http.client.HTTPSConnection:
        port = self._network.ports[listener]
        return http.client.HTTPSConnection(LOOPBACK, port, timeout=limit, context=self._tls)
