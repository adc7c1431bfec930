"""Connections to gateways and, in the live sandbox, to services that speak no HTTP, and who has answered them; for
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
"""What stand-ins are sent, which send it back. Nobody else is sent anything."""
PATIENCE: Final = 0.5
"""Seconds for which a connection stands before it counts as accepted: a proxy that cannot pass it on ends it sooner."""
_ANSWER: Final = re.compile(rb"([a-z0-9.-]+): ")
"""What the answer of a stand-in begins with: its name."""


def plain(sample: Sample, way: Way, _: str, number: int) -> Iterator[tuple[str, float]]:
    """Who has taken some connections, and the seconds that each took."""
    return _each(sample, way, number, None)


def with_tls(sample: Sample, way: Way, _: str, number: int) -> Iterator[tuple[str, float]]:
    """Who has taken some connections with TLS, whose server name is the host, and the seconds that each took."""
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
    """Who has taken a connection."""
    if way.stand_ins:
        connection.sendall(LINE)
        return _named(connection.recv(1024)) or NO_ANSWER
    connection.settimeout(PATIENCE)
    try:
        return A_POD if connection.recv(1) else NO_ANSWER
    except TimeoutError:
        return A_POD


def _secured(connection: socket.socket, host: str, way: Way, context: ssl.SSLContext) -> str:
    """Who has taken a connection with TLS. A stand-in has no certificate: it sends back what the handshake begins with,
    or, if the gateway ends TLS, the line after it."""
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
    """What comes after the handshake; empty if nothing does."""
    while True:
        try:
            return channel.read(1024)
        except ssl.SSLWantReadError:
            data = connection.recv(1 << 16)
            if not data:
                return b""
            incoming.write(data)


def _named(data: bytes) -> str:
    """The name of the stand-in that has sent this; empty if none has."""
    found = _ANSWER.match(data)
    return found[1].decode() if found else ""
