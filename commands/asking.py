"""Sends HTTP requests to gateways and, in the live sandbox, to services, and tells who answers; for `make smoke`."""

from __future__ import annotations

import base64
import http.client
import json
import os
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import TOO_MANY_REQUESTS
from typing import Final

from commands.shares import LIMITED, NO_ANSWER
from mesh.requests.expected import own
from mesh.requests.samples import Sample

TIMEOUT: Final = 20.0
"""Seconds to wait for one answer."""
STAND_IN: Final = "x-stand-in"
"""Header in which a stand-in of the live sandbox gives its name."""
FROM_POD: Final = "x-envoy-upstream-service-time"
"""Header that a proxy adds to answers that come from another proxy or from a pod."""
A_POD: Final = "a pod"
"""Name for a pod whose answers do not name it, because it runs its own container and no stand-in."""
REFUSAL: Final = b"RBAC:"
"""Start of the body with which the proxy of a pod refuses a request."""
_SERVER_ERRORS: Final = 500


@dataclass(frozen=True)
class Way:
    """The address and port of a proxy."""

    address: str
    port: int
    secure: bool = False
    stand_ins: bool = False
    """Whether stand-ins of the live sandbox answer. Then any certificate is accepted."""


class Connection(http.client.HTTPConnection):
    """A connection to a proxy. With TLS, the host is the server name (SNI)."""

    def __init__(self, way: Way, host: str) -> None:
        super().__init__(way.address, way.port, timeout=TIMEOUT)
        self._way, self._name = way, host

    def connect(self) -> None:
        super().connect()
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._way.secure:
            self.sock = trusted(self._way).wrap_socket(self.sock, server_hostname=self._name)


def trusted(way: Way) -> ssl.SSLContext:
    """The TLS context that decides which certificates are trusted."""
    context = ssl.create_default_context(cafile=os.environ.get("REQUESTS_CA_BUNDLE"))
    if way.stand_ins:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def asked(sample: Sample, way: Way, token: str, number: int) -> Iterator[tuple[str, float]]:
    """Sends `number` requests. Yields for each the name of its answer (the workload, or the status of a proxy's own
    answer) and the seconds that it took."""
    connection = Connection(way, sample.host)
    for _ in range(number):
        began = time.monotonic()
        try:
            name = _asked(connection, sample, token, way.stand_ins)
        except (OSError, http.client.HTTPException):
            connection.close()  # the next request opens it again
            name = NO_ANSWER
        yield name, time.monotonic() - began
    connection.close()


def _asked(connection: Connection, sample: Sample, token: str, stand_ins: bool) -> str:
    headers = {"Host": sample.request.authority, **dict(sample.headers)}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    connection.request(sample.method, sample.path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    return name_of(answer.status, {name.lower(): value for name, value in answer.getheaders()}, body, stand_ins)


def name_of(status: int, headers: Mapping[str, str], body: bytes, stand_ins: bool) -> str:
    """Who gave an answer with these headers. The names of headers are lower-case; `stand_ins`: all pods give their
    names."""
    from_pod = FROM_POD in headers and not stand_ins and not body.startswith(REFUSAL)
    name = headers.get(STAND_IN) or (A_POD if from_pod else "")
    if not name:
        return LIMITED if status == TOO_MANY_REQUESTS else own(status, headers.get("location", ""))
    return f"{name}, status {status}" if status >= _SERVER_ERRORS else name


def principal_of(token: str) -> str:
    """The request principal of a JSON Web Token, as issuer/subject; empty if the text is no such token."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return f"{claims['iss']}/{claims['sub']}"
    except (IndexError, KeyError, TypeError, ValueError):
        return ""
