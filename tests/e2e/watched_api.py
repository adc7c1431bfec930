"""A fake API server with given objects for programs that list and watch, as far as `istioctl analyze` needs it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

KINDS = {
    "configmaps": "ConfigMap",
    "customresourcedefinitions": "CustomResourceDefinition",
    "deployments": "Deployment",
    "mutatingwebhookconfigurations": "MutatingWebhookConfiguration",
    "namespaces": "Namespace",
    "nodes": "Node",
    "pods": "Pod",
    "secrets": "Secret",
    "services": "Service",
    "validatingwebhookconfigurations": "ValidatingWebhookConfiguration",
}
ALL_SENT = {"k8s.io/initial-events-end": "true"}
"""Annotation of the event that ends the initial list of a watch."""


@contextmanager
def serving(objects: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The address of a running server with these objects."""
    over = Event()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Nothing."""

        def do_GET(self) -> None:
            with suppress(ConnectionError):  # who has seen enough leaves
                self.respond()

        def respond(self) -> None:
            asked = urlsplit(self.path)
            parts = asked.path.strip("/").split("/")
            group = "v1" if parts[0] == "api" else "/".join(parts[1:3])
            kind = KINDS.get(parts[-1], "")
            query = parse_qs(asked.query)
            chosen = [thing for thing in objects if thing["kind"] == kind and _has_labels(thing, query)]
            found = [_stored(thing, i) for i, thing in enumerate(chosen)]
            if "watch" in query:
                self.events(kind, group, found)
            elif kind:
                self.answer({"kind": f"{kind}List", "apiVersion": group, "metadata": {}, "items": found})
            elif parts[-2:-1] == ["namespaces"]:
                self.answer({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": parts[-1]}})
            else:
                self.answer({"kind": "Status", "apiVersion": "v1", "reason": "NotFound", "code": 404}, 404)

        def events(self, kind: str, group: str, found: Sequence[dict[str, Any]]) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            end = {"resourceVersion": "1", "annotations": ALL_SENT}
            last = {"type": "BOOKMARK", "object": {"kind": kind, "apiVersion": group, "metadata": end}}
            for event in [*({"type": "ADDED", "object": thing} for thing in found), last]:
                self.wfile.write(json.dumps(event).encode() + b"\n")
            self.wfile.flush()
            over.wait(60)

        def answer(self, content: dict[str, Any], status: int = 200) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.block_on_close = True, False
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        over.set()
        server.shutdown()
        server.server_close()


def _stored(thing: dict[str, Any], place: int) -> dict[str, Any]:
    return {**thing, "metadata": {**thing["metadata"], "uid": str(place), "resourceVersion": "1"}}


def _has_labels(thing: dict[str, Any], query: dict[str, list[str]]) -> bool:
    """Whether an object has the labels that are asked for, `key=value` with commas between them."""
    wanted = (pair.partition("=") for text in query.get("labelSelector", ()) for pair in text.split(","))
    labels = thing["metadata"].get("labels") or {}
    return all(labels.get(key) == value for key, _, value in wanted)
