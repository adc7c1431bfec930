"""Starts, stops and resets the embedded clusters."""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TextIO

import toolchain
from cluster.errors import Unreachable
from sandbox import definitions, files, node, paths
from sandbox import istiod as control_plane
from sandbox.api import Endpoints
from sandbox.errors import SandboxError
from sandbox.live.run import stop_all as stop_live
from sandbox.network import network, require_free
from sandbox.paths import Layout
from sandbox.process import Process, log_excerpt
from sandbox.programs import PROGRAMS, TUNNEL, WEBHOOK_PLUGINS, Program, Setting
from toolchain import checkers
from toolchain.locks import held
from toolchain.progress import Progress

START_LIMIT = 60.0
"""Seconds to wait until a program answers its health check; it usually takes less than 5."""

ISTIOD_LIMIT = 15.0
"""Seconds to wait until istiod answers; it usually takes 2."""

SOCKET_LIMIT = 103
"""The longest path of a Unix socket that works on every system, in bytes; macOS has the lowest limit."""

ETCD, API_SERVER, *CONTROLLERS = PROGRAMS
KWOK = CONTROLLERS[-1]
"""Simulates the node and its pods."""


def start(context: str, webhooks: bool | None = None, istiod: bool | None = None, out: TextIO | None = None) -> None:
    """Starts the programs of a cluster that are not running, and returns when pods can run.

    `istiod` says whether Istio's own istiod runs, for the releases of which it is the control plane; the first such
    start builds it. Other control planes are simulated. None keeps an earlier choice. `webhooks` says whether the API
    server calls admission webhooks. None keeps the current choice; by default it does. A program whose command line or
    release has changed is restarted. Progress goes to `out` (standard error). Raises SandboxError or ToolchainError.
    """
    built, serving = toolchain.ensure(out), checkers.serving(out)
    real = control_plane.chosen(paths.layout(context)) if istiod is None else istiod
    pilot = checkers.pilot(out) if real else None
    progress = Progress("sandbox", out)
    with _locked(context, progress) as layout:
        layout.root.mkdir(mode=0o700, exist_ok=True)
        kept = network(layout)
        _choose(layout, real)
        files.write(layout, kept, built.bin)
        calls_webhooks = next(one for one in (webhooks, _calls_webhooks(layout), True) if one is not None)
        setting = Setting(layout, kept, built.bin, calls_webhooks)
        endpoints = Endpoints(layout, kept)
        started = [_start([ETCD], setting, endpoints, progress), _start([API_SERVER], setting, endpoints, progress)]
        if started[-1]:  # kwok, unlike a kubelet, does not repeat writes that failed while the API server was away
            Process(KWOK.name, layout).stop(KWOK.patience)
            definitions.establish(endpoints.api)
        started.append(_start_supervisor(layout, control_plane.command(layout, serving, pilot)))
        node.ensure(endpoints.api)
        started.append(_start_controllers(setting, endpoints, progress))
        _wait_for_istiod(layout, endpoints, progress)
    progress.done(f"ready at {kept.server}" if any(started) else f"already running at {kept.server}")


def _start_controllers(setting: Setting, endpoints: Endpoints, progress: Progress) -> bool:
    """Starts the controllers, waits until pods can run, and returns whether any was started.

    kwok 0.7.0 can crash when it starts on a cluster that already has a node, so it is started a second time."""
    kwok, started = Process(KWOK.name, setting.layout), False
    for chance in (1, 2):
        try:
            started |= _start(CONTROLLERS, setting, endpoints, progress)
            _wait(lambda: node.usable(endpoints.api), "the node does not become ready", kwok)
            break
        except SandboxError:
            if chance == 2 or kwok.alive():
                raise
            progress.say("kwok has crashed at startup; starting it again")
    return started


def _start(programs: list[Program], setting: Setting, endpoints: Endpoints, progress: Progress) -> bool:
    """Starts the programs that do not run or have another command line, waits for all of them, and returns whether any
    was started."""
    due = []
    for program in programs:
        process, command = Process(program.name, setting.layout), program.command(setting)
        if process.alive() and process.command == command:
            continue
        process.stop(program.patience)
        for listener, port in setting.network.ports.items():
            if listener in (program.name, f"{program.name}-peer"):
                require_free(listener, port, setting.layout.context)
        process.start(command)
        due.append(program)
    for program in programs:
        process = Process(program.name, setting.layout)
        _wait(partial(endpoints.healthy, program.name, program.health), f"{program.name} does not answer", process)
    if due:
        progress.done(f"{', '.join(program.name for program in due)} ready")
    return bool(due)


def _choose(layout: Layout, real: bool) -> None:
    """Records for later starts whether the real istiod runs."""
    if len(os.fsencode(layout.tunnel)) > SOCKET_LIMIT:
        raise SandboxError(
            f"MESH_HOME is too long: a socket's path may have up to {SOCKET_LIMIT} bytes; {layout.tunnel} has more"
        )
    if real:
        layout.istiod.mkdir(mode=0o700, exist_ok=True)
    elif control_plane.chosen(layout):
        control_plane.stop_all(layout)
        shutil.rmtree(layout.istiod)


def _start_supervisor(layout: Layout, command: list[str]) -> bool:
    """Starts the supervisor of control planes unless it runs with this command; returns whether it was started."""
    process = Process(control_plane.PROGRAM, layout)
    if process.alive() and process.command == command:
        return False
    process.stop(control_plane.PATIENCE)
    process.start(command)
    return True


def _wait_for_istiod(layout: Layout, endpoints: Endpoints, progress: Progress) -> None:
    """Waits for the control planes that are to run. It is no error if one does not answer: the next `up` may be needed
    to correct its settings."""
    process = Process(control_plane.PROGRAM, layout)
    if not _holds_within(ISTIOD_LIMIT, lambda: control_plane.settled(endpoints.api, layout), process):
        progress.say("\n  ".join(("istiod does not answer", *control_plane.lines(layout.context))))


def _wait(condition: Callable[[], bool], failure: str, process: Process) -> None:
    """Waits until `condition` holds. Raises SandboxError with the end of the process's log if the process ends or it
    takes too long."""
    if not _holds_within(START_LIMIT, condition, process):
        raise SandboxError(f"{failure} within {START_LIMIT:.0f} s\n{log_excerpt(process)}")


def _holds_within(limit: float, condition: Callable[[], bool], process: Process) -> bool:
    """Waits up to `limit` seconds, and returns whether `condition` holds. Raises SandboxError if the process ends."""
    deadline = time.monotonic() + limit
    while not _holds(condition):
        if not process.alive():
            raise SandboxError(exit_message(process))
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _holds(condition: Callable[[], bool]) -> bool:
    try:
        return condition()
    except Unreachable:
        return False


def exit_message(process: Process) -> str:
    """The message about a process that has ended unexpectedly, with the end of its log."""
    return f"{process.name} (process {process.pid}) has ended\n{log_excerpt(process)}"


def _calls_webhooks(layout: Layout) -> bool | None:
    """Whether the API server calls admission webhooks. None if it was not started, or was started by a version of this
    program without the tunnel."""
    server = Process(API_SERVER.name, layout)
    if not server.known or not any(TUNNEL in flag for flag in server.command):
        return None
    return not any(WEBHOOK_PLUGINS[0] in flag for flag in server.command)


def stop(context: str, out: TextIO | None = None) -> None:
    """Stops a cluster; its objects, ports and certificates are kept."""
    progress = Progress("sandbox", out)
    with _locked(context, progress) as layout:
        _stop(layout, progress)


def reset(context: str, out: TextIO | None = None) -> None:
    """Stops a cluster and deletes its objects, certificates, ports and logs."""
    progress = Progress("sandbox", out)
    with _locked(context, progress) as layout:
        _stop(layout, progress)
        if layout.root.exists():
            shutil.rmtree(layout.root)
            progress.say(f"deleted {layout.root}")


def _stop(layout: Layout, progress: Progress) -> None:
    if stop_live(layout):
        progress.say("stopped the live sandbox of the cluster")
    running = [program for program in PROGRAMS if Process(program.name, layout).known]
    if not running:
        progress.say("not running")
        return
    control_plane.stop_all(layout)
    for program in CONTROLLERS:
        Process(program.name, layout).signal(signal.SIGTERM)
    for program in reversed(running):
        Process(program.name, layout).stop(program.patience)
    progress.done("stopped")


@contextmanager
def _locked(context: str, progress: Progress) -> Iterator[Layout]:
    """Holds the lock that excludes every other start, stop and reset of a cluster."""
    layout = paths.layout(context)
    with held(layout.lock, lambda holder: progress.say(f"waiting for another start or stop: {holder}")):
        yield layout


def running(context: str) -> bool:
    """Whether all programs of a cluster run and the API server is ready."""
    layout = paths.layout(context)
    if not all(Process(program.name, layout).alive() for program in PROGRAMS):
        return False
    if not all(fine for fine, _ in control_plane.look(layout)):
        return False
    return Endpoints(layout, network(layout)).healthy(API_SERVER.name, API_SERVER.health)


def kubeconfig(context: str) -> Path:
    """The path of a cluster's kubeconfig file, which the first start writes."""
    return paths.layout(context).kubeconfig


def kubeconfigs() -> dict[str, Path]:
    """The path of each embedded cluster's kubeconfig file, by context."""
    return {layout.context: layout.kubeconfig for layout in paths.layouts()}
