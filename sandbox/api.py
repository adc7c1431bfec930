"""The cluster's own HTTPS endpoints, asked as its administrator."""

import http.client
import ssl
from collections.abc import Iterator

from cluster.client import Api, HttpApi
from sandbox.network import LOOPBACK, Network
from sandbox.paths import Layout

LIMIT = 5.0
"""Seconds that one answer may take."""

WATCH = 300
"""Seconds after which the API server ends a watch."""

API_SERVER = "kube-apiserver"


class Endpoints:
    """The listening processes of one cluster."""

    def __init__(self, layout: Layout, network: Network) -> None:
        self._network = network
        self._tls = ssl.create_default_context(cafile=str(layout.pki / "ca.crt"))
        self._tls.load_cert_chain(layout.pki / "client.crt", layout.pki / "client.key")
        self.api: Api = HttpApi(lambda: self._connection(API_SERVER, LIMIT))
        """The API server."""

    def healthy(self, listener: str, path: str) -> bool:
        """Whether the process that listens there answers its health check with 200."""
        connection = self._connection(listener, LIMIT)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def watch(self, path: str) -> Iterator[bytes]:
        """A line for each object of the collection at `path` of the API server, and for each change of one, until the
        watch ends. OSError or HTTPException if no answer comes."""
        connection = self._connection(API_SERVER, WATCH + LIMIT)
        try:
            connection.request("GET", f"{path}?watch=true&timeoutSeconds={WATCH}")
            response = connection.getresponse()
            if response.status == http.client.OK:
                yield from response
        finally:
            connection.close()

    def _connection(self, listener: str, limit: float) -> http.client.HTTPSConnection:
        port = self._network.ports[listener]
        return http.client.HTTPSConnection(LOOPBACK, port, timeout=limit, context=self._tls)
