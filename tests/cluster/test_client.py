"""The client of the API server, and its connection through `kubectl proxy`."""

import json
import os
import stat
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path

import pytest

from cluster import client, proxy
from cluster.client import Answer, Api, HttpApi, Request
from cluster.errors import NotFound, Refused, Unreachable
from cluster.target import Target
from tests.fake_api import FakeApi, denied, status

SERVER = """
import http.server, socketserver, sys, time
path = next(a.split("=")[1] for a in sys.argv if a.startswith("--unix-socket="))
class Handler(http.server.BaseHTTPRequestHandler):
    def address_string(self): return "local"
    def log_message(self, *_): pass
    asked = 0
    def do_GET(self):
        Handler.asked += 1
        young = Handler.asked == 1
        self.send_response(429 if young else 200)
        if young: self.send_header("Retry-After", "1")
        self.end_headers()
        self.wfile.write(b'{"message": "storage is (re)initializing"}' if young else b'{"items": [%d]}' % Handler.asked)
    def do_PATCH(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(409)
        self.end_headers()
        self.wfile.write(b'{"message": "%s %s"}' % (self.headers["Content-Type"].encode(), str(len(body)).encode()))
server = socketserver.UnixStreamServer(path, Handler, bind_and_activate=False)
server.server_bind()
print("W0101 a warning", flush=True)
time.sleep(0.2)
server.server_activate()
print("Starting to serve on", path, flush=True)
server.serve_forever()
"""


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fake kubectl, first on PATH; each test writes its content."""
    program = tmp_path / "kubectl"
    program.touch()
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return program


def test_requests_are_sent_through_kubectl_proxy_and_answers_come_back(kubectl: Path) -> None:
    kubectl.write_text(f"#!/usr/bin/env python3\n{SERVER}")
    with proxy.connect(Target("here", "https://here")) as found:
        answer = found.ask(Request("PATCH", "/api/v1/nodes/a", {"a": 1}, client.APPLY))
    assert (answer.code, answer.message) == (409, "application/apply-patch+yaml 8")


def test_a_request_answered_with_429_is_sent_again_after_the_given_time(
    kubectl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr("cluster.client.time.sleep", waited.append)
    kubectl.write_text(f"#!/usr/bin/env python3\n{SERVER}")
    with proxy.connect(Target("here", "https://here")) as found:
        answer = found.ask(Request("GET", "/apis/security.istio.io/v1beta1/authorizationpolicies"))
    assert (answer.code, answer.body) == (200, {"items": [2]})
    assert waited == [1]


def test_a_kubectl_proxy_that_fails_is_reported_with_its_own_message(kubectl: Path) -> None:
    kubectl.write_text("#!/bin/sh\necho error: no such context >&2\nexit 1\n")
    with pytest.raises(Unreachable, match="error: no such context"), proxy.connect(Target("here", "https://here")):
        pass


def test_kubectl_proxy_ends_with_the_context(kubectl: Path, tmp_path: Path) -> None:
    remember = f"import os; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))"
    kubectl.write_text(f"#!/usr/bin/env python3\n{remember}\n{SERVER}")
    with proxy.connect(Target("here", "https://here")):
        pid = int((tmp_path / "pid").read_text())
        os.kill(pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_404_in_plain_text_is_an_answer_without_a_status() -> None:
    assert client._answer(404, b"404 page not found\n") == Answer(404)
    assert client._answer(404, b"404 page not found\n").message == "HTTP code 404"


def test_an_error_of_a_proxy_in_between_means_that_the_api_server_is_unreachable() -> None:
    with pytest.raises(Unreachable, match=r"^dial tcp 127.0.0.1:1: connect: connection refused$"):
        client._answer(500, b"dial tcp 127.0.0.1:1: connect: connection refused\n")


def test_a_failed_login_is_reported_with_its_first_line() -> None:
    text = b"getting credentials: exec: executable aws not found\n\nIt looks like you are trying to use a plugin\n"
    with pytest.raises(Unreachable, match=r"^getting credentials: exec: executable aws not found$"):
        client._answer(500, text)


def test_a_forbidden_list_raises_refused_with_the_api_servers_message() -> None:
    with pytest.raises(Refused, match='User "dev" cannot list'):
        client.items(FakeApi({"GET /api/v1/nodes": denied("nodes")}), "/api/v1/nodes")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('pods is forbidden: User "jo" cannot create resource "pods" in API group ""', True),
        ('admission webhook "x" denied the request: pods cannot run as root', False),
        ("exceeded quota: compute", False),
    ],
)
def test_a_denial_by_rbac_is_told_apart_from_one_by_admission(message: str, expected: bool) -> None:
    assert status(403, message).denied is expected


def test_find_returns_none_for_an_object_that_does_not_exist() -> None:
    api = FakeApi({"GET /api/v1/nodes/a": Answer(200, {"kind": "Node"})})
    assert client.find(api, "/api/v1/nodes/a") == client.get(api, "/api/v1/nodes/a") == {"kind": "Node"}
    assert client.find(api, "/api/v1/nodes/b") is None
    with pytest.raises(NotFound, match="the cluster refuses: HTTP code 404"):
        client.get(api, "/api/v1/nodes/b")


@pytest.mark.parametrize("ask", [client.get, client.find, client.items])
def test_a_forbidden_read_raises_refused_and_does_not_count_as_empty(ask: Callable[[Api, str], object]) -> None:
    with pytest.raises(Refused, match=r'^the cluster refuses: nodes is forbidden: User "dev" cannot list') as refused:
        ask(FakeApi({"GET /api/v1/nodes": denied("nodes")}), "/api/v1/nodes")
    assert refused.value.reason.startswith("nodes is forbidden")


def test_create_raises_refused_if_the_api_server_rejects_the_object() -> None:
    api = FakeApi({"POST /api/v1/nodes": status(409, "exists")})
    with pytest.raises(Refused, match="exists"):
        client.create(api, "/api/v1/nodes", {"kind": "Node"})


def test_a_request_to_a_busy_server_is_given_up_after_the_last_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("cluster.client.time.sleep", waited.append)

    class Busy(HttpApi):
        def _exchange(self, request: Request) -> tuple[int, bytes, str]:
            return client.TOO_MANY_REQUESTS, json.dumps({"message": f"{request.path} is busy"}).encode(), "2"

    answer = Busy(lambda: pytest.fail("a connection was made")).ask(Request("GET", "/version"))
    assert (answer.code, answer.message) == (429, "/version is busy")
    assert waited == [2] * client.MAX_ATTEMPTS


def test_a_broken_connection_raises_unreachable() -> None:
    def connect() -> HTTPConnection:
        return HTTPConnection("127.0.0.1", 1, timeout=5)

    with pytest.raises(Unreachable, match=r"no answer to GET /version: .*refused"):
        HttpApi(connect).ask(Request("GET", "/version"))
