"""The processes of the live data plane: pilot, the proxies and two Python processes, with their command lines.

The name of each file on a command line contains a digest of the file's content. So a process with the right command
line is up to date, and every other process has to be restarted.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sandbox.files import replace
from sandbox.live import agent, pilot, proxies, registry, scraping
from sandbox.live.folder import Folder
from sandbox.live.plan import ADMIN_PORT, APP_PORT, PILOT, STAND_INS, SYNC, XDS_PORT, Plan, Proxy
from sandbox.live.snapshot import Snapshot
from sandbox.sources import digest, digest_of, own


@dataclass(frozen=True)
class Program:
    """A process of the live data plane."""

    name: str
    command: tuple[str, ...]
    listener: tuple[str, int]
    """Address and port on which it listens when it is ready; the address is empty if it does not listen."""
    health: str | None = None
    """URL path of its health check over HTTP; None if it is ready as soon as it listens."""


@dataclass(frozen=True)
class Binaries:
    """Paths of the programs that are built or fetched."""

    pilot: Path
    envoy: Path
    agent: Path | None = None
    """Istio's agent; None if the proxies have no certificates."""


def programs(seen: Snapshot, plan: Plan, folder: Folder, built: Binaries) -> Iterator[Program]:
    """The processes in the order in which they are started. Writes the files that they read."""
    file = folder.plan(digest_of(plan.text, digest()))
    replace(file, plan.text)
    replace(folder.scraping, scraping.config(plan))
    yield Program(PILOT, pilot.command(plan, folder, built.pilot), (plan.pilot, XDS_PORT))
    for first in plan.workloads[:1]:
        yield Program(STAND_INS, _own("stand-ins", str(file), str(folder.switches)), (first.address, APP_PORT))
    if built.agent:
        replace(folder.envoy, agent.envoy(built.envoy))
        folder.envoy.chmod(0o700)
    yield from (_proxy(seen, plan, proxy, folder, built) for proxy in plan.proxies)
    yield Program(SYNC, _own("sync", folder.layout.context, str(file)), ("", 0))


def _proxy(seen: Snapshot, plan: Plan, proxy: Proxy, folder: Folder, built: Binaries) -> Program:
    """An Envoy, with its agent if it has a certificate. A proxy without a pod gets no certificate, and waits for it."""
    text = json.dumps(proxies.bootstrap(plan, proxy), indent=1)
    config = folder.bootstrap(proxy.key, digest_of(text))
    replace(config, text)
    name, listener = f"live-proxy-{proxy.key}", (proxy.address, ADMIN_PORT)
    if not built.agent:
        return Program(name, proxies.command(built.envoy, config), listener, "/ready")
    command = agent.command(seen, plan, proxy, folder, built.agent, config)
    return Program(name, command, listener, "/ready" if registry.pods(seen, proxy) else None)


def _own(process: str, *arguments: str) -> tuple[str, ...]:
    return (*own("sandbox.live"), process, *arguments)
