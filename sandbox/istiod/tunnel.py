"""The API server's tunnel into the cluster's network: an HTTP CONNECT proxy on a Unix socket.

The API server connects to a Service at its address and port. For a webhook that is port 443, on which only root may
listen. The tunnel connects to the target port at the same address instead. It passes on connections to other addresses,
such as the kubelet's.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from cluster import client
from cluster.client import Api
from cluster.errors import ClusterError
from sandbox.istiod.deployment import wanted

_HEAD_LIMIT: Final = 10.0
"""Seconds within which a request must arrive."""
_START: Final = 5.0
"""Seconds that istiod may take until it listens. Its simulated pod is ready as soon as it exists, so the API server
already calls its webhooks, which time out after 10 seconds."""
_PAUSE: Final = 0.1
_CHUNK: Final = 65536


def start(socket: Path, api: Api) -> None:
    """Listens on `socket` in a thread of its own. Raises OSError if it cannot."""
    socket.unlink(missing_ok=True)
    loop = asyncio.new_event_loop()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            await _answer(reader, writer, api)
        writer.close()

    loop.run_until_complete(asyncio.start_unix_server(answer, socket))
    socket.chmod(0o600)
    threading.Thread(target=loop.run_forever, daemon=True).start()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, api: Api) -> None:
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _HEAD_LIMIT)
    host, _, port = head.split()[1].decode().rpartition(":")
    try:
        ports = await asyncio.to_thread(_ports, api, host, int(port))
        beyond_reader, beyond_writer = await _connect(host, ports, api)
    except (OSError, ClusterError) as error:
        print(f"{host}:{port} cannot be reached: {error}", flush=True)
        writer.write(f"HTTP/1.1 503 nothing listens at {host}:{port}\r\n\r\n".encode())
        return
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    await asyncio.gather(_copy(reader, beyond_writer), _copy(beyond_reader, writer))


async def _connect(host: str, ports: Sequence[int], api: Api) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the first of the ports that is open. If an istiod is starting there, it waits for that. Raises
    OSError if no port is open."""
    until = time.monotonic() + _START
    while True:
        for port in ports:
            with contextlib.suppress(OSError):
                return await asyncio.open_connection(host, port)
        if time.monotonic() > until or not await asyncio.to_thread(_runs, api, host):
            raise ConnectionRefusedError(f"none of the ports {', '.join(map(str, ports))} is open")
        await asyncio.sleep(_PAUSE)


def _runs(api: Api, host: str) -> bool:
    """Whether the address is that of an istiod that is to run."""
    return host in {istiod.address for istiod in wanted(api)}


def _ports(api: Api, host: str, port: int) -> Sequence[int]:
    """The ports to try for a port of an address: first the target port, if the address is a Service's."""
    found = client.items(api, f"/api/v1/services?fieldSelector=spec.clusterIP%3D{host}")
    declared: Sequence[dict[str, Any]] = [one for service in found for one in service["spec"].get("ports") or []]
    targets = [one.get("targetPort") for one in declared if one["port"] == port]
    return [*(target for target in targets if isinstance(target, int) and target != port), port]


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    writer.close()
