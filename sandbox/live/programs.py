"""The command lines of pilot, the proxies and our own two processes.

A command line names files by a digest of what is in them: so a process whose command line is as it should be is up to
date, and any other is started anew.
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sandbox.files import replace
from sandbox.live import pilot, proxies, scraping
from sandbox.live.folder import Folder
from sandbox.live.plan import ADMIN_PORT, APP_PORT, PILOT, STAND_INS, SYNC, XDS_PORT, Plan

TREE: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Program:
    """A process of the live data plane, and where it answers when it is ready: address, port, path."""

    name: str
    command: tuple[str, ...]
    listener: tuple[str, int]
    health: str | None = None
    """Path of its health check over HTTP; None: it is ready when it listens."""


@dataclass(frozen=True)
class Binaries:
    """The programs that are not ours."""

    pilot: Path
    envoy: Path


def programs(plan: Plan, folder: Folder, built: Binaries) -> Iterator[Program]:
    """All of them, in the order in which they are started; writes the files that they read."""
    file = folder.plan(_digest(plan.text, _sources()))
    replace(file, plan.text)
    replace(folder.scraping, scraping.config(plan))
    yield Program(PILOT, pilot.command(plan, folder, built.pilot), (plan.pilot, XDS_PORT))
    yield Program(STAND_INS, _own("stand-ins", file, folder.switches), (plan.workloads[0].address, APP_PORT))
    for proxy in plan.proxies:
        name = f"live-proxy-{proxy.name}"
        text = json.dumps(proxies.bootstrap(plan, proxy), indent=1)
        config = folder.bootstrap(proxy.name, _digest(text))
        replace(config, text)
        yield Program(name, proxies.command(built.envoy, config), (proxy.address, ADMIN_PORT), "/ready")
    yield Program(SYNC, _own("sync", file), ("", 0))


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]


def _sources() -> str:
    """What our own processes are made of."""
    files = sorted(path for path in (TREE / "sandbox").rglob("*") if path.suffix in (".py", ".html"))
    return _digest(*(path.read_text() for path in files))


def _own(process: str, *files: Path) -> tuple[str, ...]:
    python = ("/usr/bin/env", f"PYTHONPATH={TREE}", sys.executable, "-m", "sandbox.live")
    return (*python, process, *map(str, files))
