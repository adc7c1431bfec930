"""The stand-in for any workload: over HTTP, gRPC and TCP, and its calls."""

from __future__ import annotations

import io
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.live.plan import Workload
from sandbox.live.standins import calls, generic, grpcs, server
from sandbox.live.standins.calls import Answer
from tests.sandbox.snapshots import workload

CART = workload("cart", "v2", "shop")


def asked(path: str, headers: Mapping[str, str] | None = None) -> tuple[int, dict[str, Any]]:
    page = generic.respond(CART, "GET", path, headers or {}, "")
    assert isinstance(page.body, dict)
    return page.status, page.body


def test_it_says_who_answers_what() -> None:
    assert asked("/a?b=c", {"accept": "*/*"}) == (
        200,
        {
            "name": "cart-v2",
            "namespace": "shop",
            "version": "v2",
            "method": "GET",
            "path": "/a?b=c",
            "headers": {"accept": "*/*"},
        },
    )


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/status/503", 503),
        ("/cart/status/404", 404),
        ("/status/503/x", 200),
        ("/status/999", 200),
        ("/status/100", 200),
    ],
)
def test_a_path_that_ends_in_a_status_is_answered_with_it(path: str, status: int) -> None:
    assert asked(path)[0] == status


def test_a_path_that_ends_in_a_delay_is_answered_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    assert [asked(path)[0] for path in ("/delay/2", "/cart/delay/0.5", "/delay/600", "/delay/x")] == [200] * 4
    assert slept == [2, 0.5, 10]


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, str]]]:
    """Records every call with its headers; each is answered."""
    made: list[tuple[str, dict[str, str]]] = []

    def answered(_: Workload, url: str, headers: dict[str, str], __: float) -> Answer:
        made.append((url, headers))
        return Answer(503, '{"name": "stock"}')

    monkeypatch.setattr(generic, "call", answered)
    return made


def test_a_chain_is_called_service_by_service_with_the_headers_of_tracing(called: list[Any]) -> None:
    status, body = asked("/?call=stock:9000/status/503,store", {"traceparent": "00-1", "accept": "*/*"})
    assert called == [("http://stock:9000/status/503", {"traceparent": "00-1", "x-call": "store"})]
    assert status == 200
    assert body["calls"] == [
        {"call": "http://stock:9000/status/503", "status": 503, "answer": {"name": "stock"}},
    ]


def test_a_header_and_repeated_parameters_name_several_services(called: list[Any]) -> None:
    asked("/?call=stock&call=store", {"x-call": "mail"})
    assert [url for url, _ in called] == ["http://stock", "http://store", "http://mail"]


@pytest.mark.parametrize(
    ("url", "error"),
    [("ftp://stock", "ftp:// is none of http://, grpc:// and tcp://"), ("stock:x", "Port could not be cast")],
)
def test_a_call_that_cannot_be_made_says_why(url: str, error: str) -> None:
    [made] = asked(f"/?call={url}")[1]["calls"]
    assert error in made["error"]


@pytest.mark.parametrize(("port", "way"), [(8080, 8080), (1024, 1024), (80, 64080), (443, 64443)])
def test_calls_to_ports_below_1024_go_to_others_of_the_proxy(port: int, way: int) -> None:
    assert calls.way_out(CART, port) == ("127.0.0.1", way)


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a running stand-in, whose every sixth answer fails."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        for module in (grpcs, server):
            monkeypatch.setattr(module, "GRPC_PORT", probe.getsockname()[1])
    monkeypatch.setattr(server, "APP_PORT", 0)
    switches = tmp_path / "switches.json"
    switches.write_text('{"cart-v2": {"failEvery": 6}}')
    made = server.Server(CART, generic.respond, server.Switches(switches))
    threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True).start()
    yield made.server_port
    made.shutdown()
    made.server_close()


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "POST"])
def test_every_method_is_answered_by_name(port: int, method: str) -> None:
    with requests.Session() as session:
        for data in (None, iter([b"in", b"chunks"]), None):
            answer = session.request(method, f"http://127.0.0.1:{port}/a", data=data, timeout=5)
            assert (answer.json()["method"], answer.headers["x-stand-in"]) == (method, "cart-v2")


def test_a_body_in_chunks_is_read_to_its_end() -> None:
    stream = io.BytesIO(b"2\r\nin\r\n6;x=1\r\nchunks\r\n0\r\n\r\nGET")
    assert list(server._body(stream, {"transfer-encoding": "chunked"})) == [b"in", b"chunks"]
    assert stream.read() == b"GET", "the next request"


def test_bytes_that_are_no_http_come_back_with_the_name(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        for data in (b"PING\r\n", b"\x00\x01"):
            connection.sendall(data)
            assert connection.recv(100) == b"cart-v2: " + data


def test_grpc_on_the_same_port_answers_health_checks_and_sends_messages_back(port: int) -> None:
    import grpc  # type: ignore[import-untyped]

    said = [grpcs.ask(("127.0.0.1", port), "cart:9000", method, {}, 5) for method in ("", "/shop.Cart/Get")]
    assert said == [{"status": "OK", "answer": "cart-v2"}] * 2
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        assert channel.unary_unary("/shop.Cart/Get")(b"abc", timeout=5) == b"abc"
        assert channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=5) == grpcs.SERVING
    grpcs.ask(("127.0.0.1", port), "cart:9000", "", {}, 5)
    failed = grpcs.ask(("127.0.0.1", port), "cart:9000", "", {}, 5)
    assert failed == {"status": "UNAVAILABLE", "answer": "cart-v2 fails on purpose"}


def test_an_answer_is_the_same_as_json(port: int) -> None:
    assert json.loads(requests.get(f"http://127.0.0.1:{port}/", timeout=5).text)["version"] == "v2"
