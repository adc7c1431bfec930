"""The process of the stand-ins: one HTTP server for each, on its own loopback address.

A file of switches, which is read at each request, can inject faults by workload:
`{"ratings-v1": {"failEvery": 2, "delay": 0.5}}` fails every second request, and delays all by half a second.
"""

import itertools
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from sandbox.live.plan import APP_PORT, Plan, Workload
from sandbox.live.standins import productpage
from sandbox.live.standins.productpage import Page
from sandbox.live.standins.services import SERVICES


class Switches:
    """The faults that the user has switched on."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._counters: dict[str, Iterator[int]] = {}

    def fails(self, workload: Workload) -> bool:
        """Whether the workload should fail this request. Sleeps first if a delay is set."""
        wanted = self._wanted().get(workload.name, {})
        time.sleep(float(wanted.get("delay", 0)))
        every = int(wanted.get("failEvery", 0))
        count = next(self._counters.setdefault(workload.name, itertools.count(1)))
        return every > 0 and count % every == 0

    def _wanted(self) -> dict[str, Any]:
        try:
            wanted = json.loads(self._file.read_text())
        except (OSError, ValueError):  # no file, or one that is being written
            return {}
        return wanted if isinstance(wanted, dict) else {}


class Server(ThreadingHTTPServer):
    """The HTTP server of one stand-in."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, workload: Workload, switches: Switches) -> None:
        super().__init__((workload.address, APP_PORT), Handler)
        self.workload, self.switches = workload, switches


class Handler(BaseHTTPRequestHandler):
    """Passes a request to its stand-in, and sends the answer."""

    protocol_version = "HTTP/1.1"
    timeout = 60
    disable_nagle_algorithm = True  # Nagle's algorithm would delay each body until the header is acknowledged
    server: Server

    def do_GET(self) -> None:
        self._send(self._page())

    do_POST = do_HEAD = do_GET

    def _page(self) -> Page:
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode(errors="replace")
        workload = self.server.workload
        if self.server.switches.fails(workload):
            return Page(500, {"error": f"{workload.name} fails on purpose"})
        headers = {name.lower(): value for name, value in self.headers.items()}
        if workload.app == "productpage":
            return productpage.respond(workload, self.command, self.path, headers, body)
        return Page(*SERVICES[workload.app](workload, self.path, headers))

    def _send(self, page: Page) -> None:
        body = page.body
        if isinstance(body, dict | list):
            body = json.dumps(body)
        content = body.encode() if isinstance(body, str) else body
        headers = {"Content-Type": "application/json", **page.headers, "Content-Length": str(len(content))}
        self.send_response(page.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Logs nothing: the proxies write access logs."""


def main(plan: Path, switches: Path) -> None:
    """Serves the stand-ins of a plan file, until the process is killed."""
    shared = Switches(switches)
    servers = [Server(workload, shared) for workload in Plan.of(json.loads(plan.read_text())).workloads]
    for server in servers[1:]:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    servers[0].serve_forever()
