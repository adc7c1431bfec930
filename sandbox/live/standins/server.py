"""The process of the stand-ins, with one server for each, on its own loopback address. The server passes HTTP/1.1
requests to its stand-in, and forwards gRPC. It sends all other data back, with the workload's name in front.

A file of switches, which is read at each request, can inject faults by workload:
`{"ratings-v1": {"failEvery": 2, "delay": 0.5}}` fails every second request, and delays all requests by half a second.
"""

import itertools
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from pathlib import Path
from typing import Any, Final

from sandbox.live.plan import APP_PORT, GRPC_PORT, Plan, Workload
from sandbox.live.standins import generic, grpcs
from sandbox.live.standins.page import Page, Respond
from sandbox.live.standins.services import SERVICES

PREFACE: Final = b"PRI * HTTP/2"
"""The first bytes of an HTTP/2 connection."""
_REQUEST: Final = re.compile(rb"[A-Z]+ (/|\*|http)")
"""Pattern of the first bytes of an HTTP/1.1 request."""
IDLE: Final = 3600
"""Seconds after which a silent TCP connection ends."""


class Switches:
    """The faults that the user has switched on."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._counters: dict[str, Iterator[int]] = {}

    def fails(self, workload: Workload) -> bool:
        """Whether the workload should fail this request. Sleeps first if a delay is set."""
        wanted = self._wanted().get(workload.key, {})
        time.sleep(float(wanted.get("delay", 0)))
        every = int(wanted.get("failEvery", 0))
        count = next(self._counters.setdefault(workload.key, itertools.count(1)))
        return every > 0 and count % every == 0

    def _wanted(self) -> dict[str, Any]:
        try:
            wanted = json.loads(self._file.read_text())
        except (OSError, ValueError):  # no file, or one that is being written
            return {}
        return wanted if isinstance(wanted, dict) else {}


class Server(ThreadingHTTPServer):
    """The server of one stand-in."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, workload: Workload, respond: Respond, switches: Switches) -> None:
        super().__init__((workload.address, APP_PORT), Handler)
        self.workload, self.respond = workload, respond
        self._switches, self._grpc, self._lock = switches, False, threading.Lock()

    def fails(self) -> bool:
        """Whether the stand-in should fail this request."""
        return self._switches.fails(self.workload)

    def grpc(self) -> socket.socket:
        """A connection to the stand-in's gRPC server, which the first call starts."""
        with self._lock:
            if not self._grpc:
                grpcs.serve(self.workload, self.fails)
                self._grpc = True
        return socket.create_connection((self.workload.address, GRPC_PORT))


class Handler(BaseHTTPRequestHandler):
    """Accepts a connection in any protocol, and passes HTTP requests to its stand-in."""

    protocol_version = "HTTP/1.1"
    timeout = 60
    disable_nagle_algorithm = True  # Nagle's algorithm would delay each body until the header is acknowledged
    server: Server

    def handle(self) -> None:
        try:
            begin = self.connection.recv(len(PREFACE), socket.MSG_PEEK)
            if begin == PREFACE:
                _join(self.connection, self.server.grpc())
            elif begin and not _REQUEST.match(begin):
                self._echo()
            else:
                super().handle()
        except OSError:  # the other side has closed the connection, or sends nothing
            return

    def _echo(self) -> None:
        self.connection.settimeout(IDLE)
        name = f"{self.server.workload.name}: ".encode()
        while data := self.connection.recv(1 << 16):
            self.connection.sendall(name + data)

    def _answer(self) -> None:
        self._send(self._page())

    # http.server looks for a method with the name of the HTTP method.
    do_GET = do_POST = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer

    def _page(self) -> Page:
        body = b"".join(_body(self.rfile, self.headers)).decode(errors="replace")
        workload = self.server.workload
        if self.server.fails():
            return Page(500, {"error": f"{workload.name} fails on purpose"})
        headers = {name.lower(): value for name, value in self.headers.items()}
        return self.server.respond(workload, self.command, self.path, headers, body)

    def _send(self, page: Page) -> None:
        body = page.body
        if isinstance(body, dict | list):
            body = json.dumps(body)
        content = body.encode() if isinstance(body, str) else body
        own = {grpcs.STAND_IN: self.server.workload.name, "Content-Length": str(len(content))}
        headers = {"Content-Type": "application/json", **page.headers, **own}
        self.send_response(page.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Logs nothing: the proxies write access logs."""


def _body(stream: BufferedIOBase, headers: Any) -> Iterator[bytes]:
    """The parts of a request's body, which has a length or comes in chunks."""
    if "chunked" not in (headers.get("transfer-encoding") or ""):
        yield stream.read(int(headers.get("content-length") or 0))
        return
    while size := int(stream.readline().partition(b";")[0] or b"0", 16):
        yield stream.read(size)
        stream.readline()
    stream.readline()


def _join(one: socket.socket, other: socket.socket) -> None:
    """Copies data between two connections in both directions, until both have ended."""

    def copy(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(1 << 16):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return

    one.settimeout(IDLE)
    with other:
        back = threading.Thread(target=copy, args=(other, one), daemon=True)
        back.start()
        copy(one, other)
        back.join()


def main(plan: Path, switches: Path) -> None:
    """Serves the stand-ins of a plan file, until the process is killed."""
    shared, wanted = Switches(switches), Plan.of(json.loads(plan.read_text()))
    servers = [
        Server(one, SERVICES[one.bookinfo[0]] if wanted.is_bookinfo(one) else generic.respond, shared)
        for one in wanted.workloads
    ]
    for server in servers[1:]:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    servers[0].serve_forever()
