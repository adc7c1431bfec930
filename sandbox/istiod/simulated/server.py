"""The HTTPS server of a simulated control plane, at the address of its Service."""

from __future__ import annotations

import base64
import json
import ssl
import threading
import traceback
from collections.abc import Callable, Mapping
from functools import cached_property
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from cluster.client import Api
from cluster.leftovers import INJECTORS, VALIDATORS
from sandbox import paths, watching
from sandbox.api import Endpoints
from sandbox.istiod.deployment import WEBHOOK_PORT
from sandbox.istiod.simulated import webhooks
from sandbox.istiod.simulated.plane import Plane
from sandbox.network import network

_TIMEOUT: Final = 90.0
"""Seconds after which a silent connection ends; the API server keeps its connections open."""


class Server(ThreadingHTTPServer):
    """Answers the webhooks of a control plane."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, plane: Plane, api: Api, port: int = WEBHOOK_PORT) -> None:
        super().__init__((plane.address, port), Handler)
        self._plane, self._api, self._lock = plane, api, threading.Lock()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(Path(plane.folder, "tls.crt"), Path(plane.folder, "tls.key"))
        # The handshake belongs to the connection's own thread.
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    @cached_property
    def _answers(self) -> Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]]:
        # The import takes a second, during which the server already listens.
        from sandbox.istiod.simulated import answers

        return answers.by_path(self._plane, self._api)

    def answers(self) -> Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]]:
        """The functions that answer the request of an AdmissionReview, by path."""
        with self._lock:
            return self._answers


class Handler(BaseHTTPRequestHandler):
    """Answers an AdmissionReview in the API version of the request."""

    protocol_version = "HTTP/1.1"
    timeout = _TIMEOUT
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = self.server.answers().get(self.path.partition("?")[0])
        if answer is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        try:
            review = json.loads(body)
            request = review["request"]
            response = answer(request)
        except Exception:  # whatever the error is, the API server gets an answer, and the log has the reason
            traceback.print_exc()
            self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR)
            return
        head = {"apiVersion": review["apiVersion"], "kind": review["kind"]}
        text = json.dumps({**head, "response": {"uid": request["uid"], **response}}).encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:
        """Does not log answers."""


def main(context: str, plane: Plane) -> None:
    """Serves a control plane of an embedded cluster until the process is killed."""
    layout = paths.layout(context)
    endpoints = Endpoints(layout, network(layout))
    server = Server(plane, endpoints.api)
    changed = threading.Event()
    watching.watch(endpoints, (INJECTORS, VALIDATORS), changed)
    bundle = base64.b64encode((layout.pki / "ca.crt").read_bytes()).decode()
    threading.Thread(target=webhooks.keep, args=(endpoints.api, plane, bundle, changed), daemon=True).start()
    threading.Thread(target=server.answers, daemon=True).start()
    server.serve_forever()
