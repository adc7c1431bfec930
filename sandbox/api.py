"""Requests to the HTTPS endpoints of the cluster's programs, as the cluster's administrator."""

import http.client
import ssl
from collections.abc import Iterator
from typing import Any

from cluster import client
from cluster.client import Api, HttpApi
from sandbox.network import LOOPBACK, Network
from sandbox.paths import Layout

LIMIT = 5.0
"""Timeout of one request, in seconds."""

WATCH = 300
"""Seconds after which the API server ends a watch."""

API_SERVER = "kube-apiserver"


class Endpoints:
    """The HTTPS endpoints of one cluster."""

    def __init__(self, layout: Layout, network: Network) -> None:
        self._network = network
        self._tls = ssl.create_default_context(cafile=str(layout.pki / "ca.crt"))
        self._tls.load_cert_chain(layout.pki / "client.crt", layout.pki / "client.key")
        self.api: Api = HttpApi(lambda: self._connection(API_SERVER, LIMIT))
        """Client of the API server."""

    def healthy(self, listener: str, path: str) -> bool:
        """Whether a program answers its health check with status 200. `listener` is the name of its port."""
        connection = self._connection(listener, LIMIT)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def watch(self, path: str) -> Iterator[bytes]:
        """Watches a collection of the API server: yields an event, a line of JSON, for each object and each later
        change, until the watch ends. Raises OSError or HTTPException if the API server does not answer."""
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


def account_token(api: Api, namespace: str, account: str, **spec: Any) -> str:
    """A token of a service account. `spec` has the fields of a TokenRequest's spec. Raises NotFound if the account does
    not exist."""
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    return str(client.create(api, path, asked)["status"]["token"])
