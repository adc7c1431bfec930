"""The stand-in for any workload: says who answers what, and calls others as the request asks."""

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
"""Query parameter that names the services to call: `cart,stock:9000` is cart, which then calls stock. Given twice, both
are called, one after the other."""
CALL_HEADER: Final = "x-call"
"""Header that means the same."""
PATIENCE: Final = 30.0
"""Timeout of a call, in seconds."""
LONGEST: Final = 10.0
"""The longest delay, in seconds, as httpbin has it."""
_STATUS: Final = re.compile(r"/status/([2-5]\d\d)/?$")
_DELAY: Final = re.compile(r"/delay/(\d+(?:\.\d+)?)/?$")


def respond(workload: Workload, method: str, path: str, headers: Mapping[str, str], _: str) -> Page:
    """The answer to one request. Paths that end in `/status/503` or `/delay/2`, in seconds, are answered so."""
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
    """Calls the first service of a chain, such as `cart` or `grpc://stock:9000`, which gets the rest of it."""
    first, _, rest = chain.partition(",")
    url = first if "://" in first else f"http://{first}"
    given = {**forwarded(headers), **({CALL_HEADER: rest} if rest else {})}
    try:
        return {CALL: url, **dict(_answer(workload, url, given))}
    except ValueError as error:  # a port that is no number
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
    """The data of an answer; also of one that failed, whose body is text."""
    try:
        return json.loads(data) if isinstance(data, str) else data
    except ValueError:
        return data


def _echo(address: tuple[str, int]) -> str:
    """What a TCP service says to a line; empty if it does not answer."""
    try:
        with socket.create_connection(address, timeout=PATIENCE) as connection:
            connection.sendall(b"hello\n")
            return connection.recv(1024).decode(errors="replace")
    except OSError:
        return ""
