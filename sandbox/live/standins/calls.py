"""Calls of a stand-in to other services, through its own sidecar."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from sandbox.live.plan import Workload, bound

FORWARDED: Final = frozenset(
    {
        "authorization",
        "b3",
        "baggage",
        "cookie",
        "end-user",
        "traceparent",
        "tracestate",
        "user-agent",
        "x-b3-flags",
        "x-b3-parentspanid",
        "x-b3-sampled",
        "x-b3-spanid",
        "x-b3-traceid",
        "x-request-id",
    }
)
"""Headers that a service forwards: headers of tracing, and headers that routes match."""


@dataclass(frozen=True)
class Answer:
    """The answer to a call. `status` is 0 if no answer arrived in time."""

    status: int
    data: Any = None

    @property
    def good(self) -> bool:
        return self.status == 200


def forwarded(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of a request that a service forwards."""
    return {name.lower(): value for name, value in headers.items() if name.lower() in FORWARDED}


def way_out(workload: Workload, port: int) -> tuple[str, int]:
    """Address and port on which a workload's proxy accepts calls to a port of any Service."""
    return workload.outbound, bound(port)


def call(workload: Workload, url: str, headers: Mapping[str, str], patience: float) -> Answer:
    """Requests `url`, such as `http://ratings:9080/ratings/0`, with a timeout of `patience` seconds."""
    where = urlsplit(url)
    path = f"{where.path or '/'}{f'?{where.query}' if where.query else ''}"
    address, port = way_out(workload, where.port or 80)
    connection = http.client.HTTPConnection(address, port, timeout=patience)
    try:
        connection.request("GET", path, headers={**headers, "Host": where.netloc})
        response = connection.getresponse()
        body = response.read()
        return Answer(response.status, json.loads(body) if response.status == 200 else body.decode(errors="replace"))
    except (OSError, http.client.HTTPException, ValueError):
        return Answer(0)
    finally:
        connection.close()
