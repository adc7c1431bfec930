"""Opens connections to gateways and, in the live sandbox, to services without HTTP, and tells who answers; for
`make smoke`."""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Iterator
from typing import Final

from commands import asking
from commands.asking import A_POD, Way
from commands.shares import NO_ANSWER
from mesh.requests.samples import Sample

LINE: Final = b"hello\n"
"""The text for stand-ins, which send it back. Other workloads are sent nothing."""
PATIENCE: Final = 0.5
"""Seconds that a connection must stay open to count as accepted: a proxy that cannot forward it closes it sooner."""
_ANSWER: Final = re.compile(rb"([a-z0-9.-]+): ")
"""The start of a stand-in's answer: its name."""


def plain(sample: Sample, way: Way, _: str, number: int) -> Iterator[tuple[str, float]]:
    """Opens `number` connections. Yields for each who accepted it, and the seconds that it took."""
    return _each(sample, way, number, None)


def with_tls(sample: Sample, way: Way, _: str, number: int) -> Iterator[tuple[str, float]]:
    """Opens `number` TLS connections with the host as server name. Yields for each who accepted it, and the seconds."""
    return _each(sample, way, number, asking.trusted(way))


def _each(sample: Sample, way: Way, number: int, context: ssl.SSLContext | None) -> Iterator[tuple[str, float]]:
    for _ in range(number):
        began = time.monotonic()
        try:
            with socket.create_connection((way.address, way.port), timeout=asking.TIMEOUT) as connection:
                name = _secured(connection, sample.host, way, context) if context else _taken(connection, way)
        except OSError:
            name = NO_ANSWER
        yield name, time.monotonic() - began


def _taken(connection: socket.socket, way: Way) -> str:
    """Who accepted a connection."""
    if way.stand_ins:
        connection.sendall(LINE)
        return _named(connection.recv(1024)) or NO_ANSWER
    connection.settimeout(PATIENCE)
    try:
        return A_POD if connection.recv(1) else NO_ANSWER
    except TimeoutError:
        return A_POD


def _secured(connection: socket.socket, host: str, way: Way, context: ssl.SSLContext) -> str:
    """Who accepted a TLS connection. A stand-in has no certificate: it sends back the start of the handshake or, if the
    gateway terminates TLS, the line that follows."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    channel = context.wrap_bio(incoming, outgoing, server_hostname=host)
    while True:
        try:
            channel.do_handshake()
            break
        except ssl.SSLWantReadError:
            connection.sendall(outgoing.read())
            data = connection.recv(1 << 16)
            if not data:
                return NO_ANSWER
            if way.stand_ins and (name := _named(data)):
                return name
            incoming.write(data)
    connection.sendall(outgoing.read())
    if not way.stand_ins:
        return A_POD
    channel.write(LINE)
    connection.sendall(outgoing.read())
    return _named(_read(channel, connection, incoming)) or NO_ANSWER


def _read(channel: ssl.SSLObject, connection: socket.socket, incoming: ssl.MemoryBIO) -> bytes:
    """The data after the handshake; empty if there is none."""
    while True:
        try:
            return channel.read(1024)
        except ssl.SSLWantReadError:
            data = connection.recv(1 << 16)
            if not data:
                return b""
            incoming.write(data)


def _named(data: bytes) -> str:
    """The name of the stand-in that sent the data; empty if no stand-in did."""
    found = _ANSWER.match(data)
    return found[1].decode() if found else ""
