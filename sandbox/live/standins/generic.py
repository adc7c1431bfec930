"""The stand-in for any workload. It answers with its name and the request, and calls other services on demand."""

import json
import re
import socket
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from sandbox.live.plan import Workload
from sandbox.live.standins import grpcs
from sandbox.live.standins.calls import call, forwarded, way_out
from sandbox.live.standins.page import Page

CALL: Final = "call"
"""Query parameter with the services to call. With `cart,stock:9000`, the stand-in calls cart, which calls stock. If the
parameter occurs twice, both are called, one after the other."""
CALL_HEADER: Final = "x-call"
"""Header with the same meaning."""
PATIENCE: Final = 30.0
"""Timeout of a call, in seconds."""
LONGEST: Final = 10.0
"""The longest delay, in seconds; httpbin has the same limit."""
_STATUS: Final = re.compile(r"/status/([2-5]\d\d)/?$")
_DELAY: Final = re.compile(r"/delay/(\d+(?:\.\d+)?)/?$")


def respond(workload: Workload, method: str, path: str, headers: Mapping[str, str], _: str) -> Page:
    """The answer to one request. The end of the path may set the status (`/status/503`) or a delay in seconds
    (`/delay/2`)."""
    asked = urlsplit(path)
    if late := _DELAY.search(asked.path):
        time.sleep(min(float(late[1]), LONGEST))
    status = _STATUS.search(asked.path)
    wanted = [*parse_qs(asked.query).get(CALL, []), *filter(None, [headers.get(CALL_HEADER)])]
    said: dict[str, object] = {
        "name": workload.name,
        "namespace": workload.namespace,
        "version": workload.version,
        "method": method,
        "path": path,
        "headers": dict(headers),
    }
    if wanted:
        said["calls"] = [_called(workload, chain, headers) for chain in wanted]
    return Page(int(status[1]) if status else 200, said)


def _called(workload: Workload, chain: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """Calls the first service of a chain, such as `cart` or `grpc://stock:9000`, and passes it the rest of the
    chain."""
    first, _, rest = chain.partition(",")
    url = first if "://" in first else f"http://{first}"
    given = {**forwarded(headers), **({CALL_HEADER: rest} if rest else {})}
    try:
        return {CALL: url, **dict(_answer(workload, url, given))}
    except ValueError as error:  # the port is not a number
        return {CALL: url, "error": str(error)}


def _answer(workload: Workload, url: str, headers: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    where = urlsplit(url)
    address = way_out(workload, where.port or 80)
    match where.scheme:
        case "grpc":
            yield from grpcs.ask(address, where.netloc, where.path, headers, PATIENCE).items()
        case "tcp":
            yield "answer", _echo(address)
        case "http":
            found = call(workload, url, headers, PATIENCE)
            yield "status", found.status
            yield "answer", _parsed(found.data)
        case other:
            yield "error", f"{other}:// is none of http://, grpc:// and tcp://"


def _parsed(data: Any) -> Any:
    """The data of an answer. The body of a failed answer is text, which is parsed if it is JSON."""
    try:
        return json.loads(data) if isinstance(data, str) else data
    except ValueError:
        return data


def _echo(address: tuple[str, int]) -> str:
    """The answer of a TCP service to a line of text; empty if there is none."""
    try:
        with socket.create_connection(address, timeout=PATIENCE) as connection:
            connection.sendall(b"hello\n")
            return connection.recv(1024).decode(errors="replace")
    except OSError:
        return ""
