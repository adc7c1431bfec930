"""An API server that has no objects: pilot does not start without one, and reads Istio's objects from files here."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PORT = 6443
DEFINITIONS = "customresourcedefinitions"


class Handler(BaseHTTPRequestHandler):
    """Lists nothing, finds nothing, and holds every watch open."""

    protocol_version = "HTTP/1.1"
    ended = threading.Event()

    def do_GET(self) -> None:
        if "sendInitialEvents" in self.path:
            self._send(400, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 400})
        elif "watch=" in self.path:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.ended.wait()
        elif self.path.startswith("/version"):
            self._send(200, {"major": "1", "minor": "33", "gitVersion": "v1.33.3"})
        elif "/configmaps/" in self.path:
            missing = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
            self._send(404, missing)
        else:
            kind = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1"}
            listed = {"metadata": {"resourceVersion": "1"}, "items": []}
            self._send(200, {**(kind if DEFINITIONS in self.path else {}), **listed})

    def _send(self, code: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Logs nothing."""


@contextmanager
def serving(address: str, kubeconfig: Path) -> Iterator[None]:
    """Serves at an address, and writes the kubeconfig for it."""
    Handler.ended.clear()
    server = ThreadingHTTPServer((address, PORT), Handler)
    server.daemon_threads = True
    named = {"cluster": {"server": f"http://{address}:{PORT}"}, "name": "empty"}
    context = {"context": {"cluster": "empty", "user": "empty"}, "name": "empty"}
    kubeconfig.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [named],
                "contexts": [context],
                "users": [{"name": "empty", "user": {}}],
                "current-context": "empty",
            }
        )
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        Handler.ended.set()
        server.shutdown()
        server.server_close()
