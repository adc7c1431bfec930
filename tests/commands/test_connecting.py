"""Connections of `make smoke`, and who has taken them."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any

import pytest

from commands import connecting
from commands.asking import Way
from commands.shares import NO_ANSWER
from mesh.requests.samples import Sample
from tests.commands.serving import served

SAMPLE = Sample(source="istio-system/edge", outside=True, host="a.example.com", port=443, secure=True)


class Site(ThreadingTCPServer):
    """A server whose connections a function takes."""

    daemon_threads = True

    def __init__(self, take: Callable[[Any], None]) -> None:
        class Handler(BaseRequestHandler):
            def handle(self) -> None:
                take(self.request)

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def port(self) -> int:
        return int(self.server_address[1])


def echo(connection: Any) -> None:
    """What a stand-in does with what is no HTTP."""
    connection.sendall(b"store-v2: " + connection.recv(1 << 16))


def silent(connection: Any) -> None:
    """Waits until the other side ends the connection."""
    assert connection.recv(100) == b"", "nothing is sent to what is no stand-in"


def asked(take: Callable[[Any], None], how: Callable[..., Iterator[tuple[str, float]]], stand_ins: bool) -> set[str]:
    with served(Site(take)) as site:
        way = Way("127.0.0.1", site.port, secure=True, stand_ins=stand_ins)
        return {name for name, _ in how(SAMPLE, way, "", 2)}


def test_a_stand_in_says_its_name_to_a_line() -> None:
    assert asked(echo, connecting.plain, True) == {"store-v2"}


def test_a_connection_that_stays_is_a_pods_and_one_that_ends_is_nobodys() -> None:
    assert asked(silent, connecting.plain, False) == {"a pod"}
    assert asked(lambda _: None, connecting.plain, False) == {NO_ANSWER}
    assert asked(lambda _: None, connecting.plain, True) == {NO_ANSWER}


def test_a_stand_in_says_its_name_to_a_handshake_that_a_gateway_passes_on() -> None:
    assert asked(echo, connecting.with_tls, True) == {"store-v2"}
    assert asked(lambda _: None, connecting.with_tls, True) == {NO_ANSWER}
    assert asked(echo, connecting.with_tls, False) == {NO_ANSWER}, "an echo is no handshake"


def certificate(folder: Path, host: str) -> tuple[Path, Path]:
    """A certificate that signs itself, and its key."""
    chain, key = folder / "tls.crt", folder / "tls.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}", "-keyout", str(key), "-out", str(chain)]
    subprocess.run([*command, *names], check=True, capture_output=True)
    return chain, key


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the certificate")
def test_a_gateway_that_ends_tls_passes_the_line_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chain, key = certificate(tmp_path, "a.example.com")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)

    def secured(connection: Any) -> None:
        with context.wrap_socket(connection, server_side=True) as inside:
            inside.sendall(b"store-v1: " + inside.recv(100))

    assert asked(secured, connecting.with_tls, True) == {"store-v1"}
    assert asked(secured, connecting.with_tls, False) == {NO_ANSWER}, "nobody trusts this certificate"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(chain))
    assert asked(secured, connecting.with_tls, False) == {"a pod"}


def test_nobody_at_the_address_is_no_answer() -> None:
    way = Way("127.0.0.1", 1)
    assert [name for how in (connecting.plain, connecting.with_tls) for name, _ in how(SAMPLE, way, "", 1)] == [
        NO_ANSWER
    ] * 2
