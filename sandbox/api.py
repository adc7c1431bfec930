"""A small client for the cluster's own HTTPS endpoints."""

import http.client
import json
import ssl
from collections.abc import Iterator
from typing import Any

from sandbox.errors import SandboxError
from sandbox.network import LOOPBACK, Network
from sandbox.places import Layout

LIMIT = 5.0
"""Seconds that one answer may take."""

WATCH = 300
"""Seconds after which the API server ends a watch."""


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
        connection = self._connection(listener, LIMIT)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def _connection(self, listener: str, limit: float) -> http.client.HTTPSConnection:
        port = self._network.ports[listener]
        return http.client.HTTPSConnection(LOOPBACK, port, timeout=limit, context=self._tls)
