"""Calls of gRPC by `make smoke`, and who has answered them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest

from commands import calling
from commands.asking import Way
from commands.shares import LIMITED, NO_ANSWER
from mesh.requests.samples import Sample

SAMPLE = Sample(
    source="istio-system/edge",
    outside=True,
    host="stock.example.com",
    port=80,
    secure=False,
    path="/shop.Stock/Get",
    headers=(("X-Canary", "1"),),
)


class Stock(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Answers each call with its name, and keeps what it was sent."""

    def __init__(self) -> None:
        self.seen: dict[str, Any] = {}

    def service(self, called: Any) -> Any:
        self.seen = {"method": called.method, **dict(called.invocation_metadata)}

        def answer(_: bytes, context: Any) -> bytes:
            context.send_initial_metadata([("x-stand-in", "stock-v1")])
            return b""

        return grpc.unary_unary_rpc_method_handler(answer)


@pytest.fixture
def stock() -> Iterator[tuple[Stock, Way]]:
    handler = Stock()
    server = grpc.server(ThreadPoolExecutor(2), handlers=[handler])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield handler, Way("127.0.0.1", port, stand_ins=True)
    server.stop(None)


def test_a_call_has_the_path_the_headers_and_the_token_of_its_request(stock: tuple[Stock, Way]) -> None:
    handler, way = stock
    assert [name for name, _ in calling.asked(SAMPLE, way, "secret", 2)] == ["stock-v1"] * 2
    assert handler.seen["method"] == "/shop.Stock/Get"
    assert (handler.seen["x-canary"], handler.seen["authorization"]) == ("1", "Bearer secret")


def test_nobody_at_the_address_is_no_answer() -> None:
    for secure in (False, True):
        way = Way("127.0.0.1", 1, secure=secure, stand_ins=True)
        assert [name for name, _ in calling.asked(SAMPLE, way, "", 2)] == [NO_ANSWER] * 2


def done(code: str, details: str = "", **told: str) -> Any:
    """A call that has ended."""
    return SimpleNamespace(
        code=lambda: grpc.StatusCode[code],
        details=lambda: details,
        initial_metadata=lambda: None,
        trailing_metadata=lambda: tuple((name.replace("_", "-"), value) for name, value in told.items()),
    )


@pytest.mark.parametrize(
    ("ended", "stand_ins", "name"),
    [
        (done("OK", x_stand_in="stock-v1"), True, "stock-v1"),
        (done("UNAVAILABLE", x_stand_in="stock-v1"), True, "stock-v1, status UNAVAILABLE"),
        (done("UNIMPLEMENTED", x_envoy_upstream_service_time="1"), False, "a pod"),
        (done("INTERNAL", x_envoy_upstream_service_time="1"), False, "a pod, status INTERNAL"),
        (done("PERMISSION_DENIED", x_envoy_upstream_service_time="1"), False, "PERMISSION_DENIED"),
        (done("UNAVAILABLE", x_envoy_upstream_service_time="1"), True, "UNAVAILABLE"),
        (done("UNIMPLEMENTED"), False, "UNIMPLEMENTED"),
        (done("UNAVAILABLE", "local_rate_limited"), True, LIMITED),
        (done("UNAVAILABLE", "failed to connect to all addresses; last error: …"), True, NO_ANSWER),
    ],
)
def test_an_answer_is_a_pods_or_a_proxys_own(ended: Any, stand_ins: bool, name: str) -> None:
    assert calling.name_of(ended, stand_ins) == name
