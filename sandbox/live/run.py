"""Starts and stops the live data plane."""

import http.client
import json
import socket
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from cluster.client import Api
from cluster.errors import ClusterError
from mesh.core.names import EMBEDDED_CLUSTERS
from sandbox import paths
from sandbox.api import Endpoints
from sandbox.errors import SandboxError
from sandbox.live import capture, kubelet, pilot, programs, proxies, sync, workloads
from sandbox.live.folder import Folder
from sandbox.live.plan import PILOT, SYNC, Plan, Workload
from sandbox.live.programs import Binaries, Program
from sandbox.live.snapshot import Snapshot, take
from sandbox.live.sync import SEPARATOR
from sandbox.network import is_free, listener_on, network
from sandbox.paths import Layout
from sandbox.process import Process, log_excerpt
from toolchain import checkers, envoy
from toolchain.locks import held
from toolchain.progress import Progress

START_LIMIT = 30.0
"""Seconds to wait until a process is ready; it usually takes 1 to 3."""
PATIENCE = 3.0
"""Seconds to wait after SIGTERM before SIGKILL."""
RELOAD = 0.5
"""Seconds to wait until pilot has read changed files."""
DRAIN = 1.0
"""Seconds that old proxies have to finish their requests after new ones have taken over."""
Applied = Mapping[str, Sequence[Mapping[str, Any]]]
"""Objects by kind."""
PREFIX = "live-"
"""Prefix of the names of all processes of the live data plane."""
FORMER = f"{PREFIX}former-"
"""Prefix of the names of old processes, which are stopped when their replacements are ready."""


def start(context: str, stack: Mapping[str, Any], out: TextIO | None = None) -> None:
    """Starts or updates the live data plane of a running cluster, and returns when it serves requests.

    `stack` has the fields of Plan that do not depend on the cluster. The first call builds pilot and fetches Envoy.
    Progress goes to `out` (standard error). Raises SandboxError or ToolchainError.
    """
    agent = checkers.agent(out) if stack["identity"] else None
    built = Binaries(checkers.pilot(out), envoy.envoy(out), agent)
    progress = Progress("live", out)
    layout = paths.layout(context)
    with held(layout.lock, lambda holder: progress.say(f"waiting for another start or stop: {holder}")):
        kept = network(layout)
        plan = Plan(service_range=kept.service_range, **stack)
        started = _bring_up(plan, _plan_of(context), Endpoints(layout, kept).api, built, layout)
    progress.done(f"{started} processes started" if started else "already running")


def _bring_up(plan: Plan, former: Plan | None, api: Api, built: Binaries, layout: Layout) -> int:
    """Starts the processes that do not run or are out of date, waits for all of them, and returns the number of started
    ones. `former`: the plan of the running processes.

    If all proxies have to be restarted, the new ones start in addition to the old ones, with other addresses, as new
    pods do. The old ones are stopped when the new ones are ready, so that no request fails."""
    folder, ingress = Folder(layout), Process(f"{PREFIX}proxy-{plan.ingress}", layout)
    folder.make()
    _stop([name for name in running(layout) if name.startswith(FORMER)], layout)
    aside = former if former and ingress.alive() and plan.starts_anew(former) and former.leaves_room else None
    if aside:
        _set_aside(layout)
    plan, seen = _first_files(api, plan, former.places if former else {}, aside, folder)
    ports = capture.open_ports(seen, plan)
    if not aside and not ingress.alive():
        _require_free(ports, plan)
    wanted = list(programs.programs(seen, plan, folder, built))
    folder.tidy(program.command for program in wanted)
    names = {program.name for program in wanted}
    if not aside:
        _stop([name for name in running(layout) if name not in names], layout)
    doors = {gateway.address for gateway in plan.gateways if aside}
    started = 0
    for group in ([p for p in wanted if p.listener[0] not in doors], [p for p in wanted if p.listener[0] in doors]):
        started += sum([_start(program, layout) for program in group])
        for program in group:
            _wait(program, layout)
    time.sleep(RELOAD)
    if said := pilot.refusal(layout):
        raise SandboxError(f"pilot rejects the configuration on the cluster and keeps the previous one: {said}")
    for name, said in proxies.rejections(plan).items():
        raise SandboxError(f"the proxy of {name} rejects a part of its configuration: {said}")
    _wait_for_ports(ports, ingress)
    if aside:
        proxies.drain(aside)
        time.sleep(DRAIN)
        _stop([name for name in running(layout) if name not in names], layout)
    return started


def _set_aside(layout: Layout) -> None:
    """Renames the running processes. Stops pilot and the sync process, which would send the new configuration to the
    old proxies."""
    _stop([PILOT, SYNC], layout)
    for name in list(running(layout)):
        Process(name, layout).rename(f"{FORMER}{name}")


def _first_files(
    api: Api, plan: Plan, places: Mapping[str, int], aside: Plan | None, folder: Folder
) -> tuple[Plan, Snapshot]:
    """Writes the files that pilot and the agents read when they start. Returns the plan with the cluster's workloads,
    and the snapshot of the cluster. `places`: the places of the running proxies. `aside`: the plan of the old proxies
    that keep running meanwhile."""
    try:
        seen = take(api, plan)
        found = workloads.declared(api, seen, plan)
        plan = plan.serving(found, {}, {*aside.places.values()}) if aside else plan.serving(found, places)
        sync.write(seen, plan, folder)
        kubelet.mount(api, seen, plan, folder)
        return plan, seen
    except ClusterError as error:
        raise SandboxError(f"the embedded cluster does not answer: {error}") from None


def _require_free(ports: Mapping[str, int], plan: Plan) -> None:
    for name, port in ports.items():
        if not is_free(port):
            raise SandboxError(
                f"node port {port}, {name} of {plan.ingress}, is in use by {listener_on(port)}. End that process, or"
                " choose another port: mesh:ingressNodePorts in the stack's file"
            )


def _wait_for_ports(ports: Mapping[str, int], proxy: Process) -> None:
    deadline = time.monotonic() + START_LIMIT
    for name, port in ports.items():
        while is_free(port):
            if time.monotonic() > deadline:
                raise SandboxError(f"nothing listens on node port {port} ({name})\n{log_excerpt(proxy)}")
            time.sleep(0.05)


def _start(program: Program, layout: Layout) -> bool:
    process = Process(program.name, layout)
    if process.alive() and tuple(process.command) == program.command:
        return False
    process.stop(PATIENCE)
    address, port = program.listener
    if address and not is_free(port, address):
        raise SandboxError(f"port {port} of {address}, for {program.name}, is in use by {listener_on(port)}: end it")
    process.start(program.command)
    return True


def _wait(program: Program, layout: Layout) -> None:
    """Waits until a process is ready. Raises SandboxError with the end of its log if it ends or takes too long."""
    process, deadline = Process(program.name, layout), time.monotonic() + START_LIMIT
    while not _is_ready(program):
        if not process.alive():
            raise SandboxError(f"{program.name} has ended\n{log_excerpt(process)}")
        if time.monotonic() > deadline:
            raise SandboxError(f"{program.name} is not ready within {START_LIMIT:.0f} s\n{log_excerpt(process)}")
        time.sleep(0.05)


def _is_ready(program: Program) -> bool:
    address, port = program.listener
    if not address:
        return True
    try:
        if program.health is None:
            socket.create_connection((address, port), timeout=1).close()
            return True
        return proxies.ask(address, port, program.health)[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def stop(context: str, out: TextIO | None = None) -> None:
    """Stops the live data plane of a cluster, if it runs."""
    progress, layout = Progress("live", out), paths.layout(context)
    with held(layout.lock, lambda holder: progress.say(f"waiting for another start or stop: {holder}")):
        if stop_all(layout):
            progress.done("stopped")


def stop_all(layout: Layout) -> bool:
    """Stops the live data plane for a caller that holds the cluster's lock. Returns whether it was running."""
    names = list(running(layout))
    _stop(names, layout)
    return bool(names)


def _stop(names: list[str], layout: Layout) -> None:
    for name in names:
        Process(name, layout).stop(PATIENCE)


def current(context: str) -> dict[str, Any] | None:
    """The plan file of the live data plane that runs on a cluster; None if none runs. Another version of this program
    may have written it."""
    process = Process(SYNC, paths.layout(context))
    try:
        kept: dict[str, Any] = json.loads(Path(process.command[-1]).read_text())
    except FileNotFoundError:
        return None
    return kept


def _plan_of(context: str) -> Plan | None:
    """The plan of the live data plane that runs on a cluster; None if none runs, or if another version of this program
    started it."""
    kept = current(context)
    try:
        return Plan.of(kept) if kept else None
    except TypeError:
        return None


def serving(context: str) -> Sequence[Workload]:
    """The stand-ins that serve on a cluster; none if no live data plane runs, or if another version of this program
    started it."""
    plan = _plan_of(context) if context in EMBEDDED_CLUSTERS else None
    if not plan:
        return ()
    served = json.loads(Folder(paths.layout(context)).notes.read_text())["serving"]
    return [workload for workload in plan.workloads if workload.key in served]


def identified(context: str) -> Sequence[Workload]:
    """The stand-ins that serve on a cluster if the proxies have certificates; otherwise none."""
    kept = current(context) if context in EMBEDDED_CLUSTERS else None
    return serving(context) if kept and kept.get("identity") else ()


def applied(context: str, kinds: Collection[str]) -> Applied | None:
    """The objects that the live data plane of a cluster applies, by kind, for the given kinds; None if none runs."""
    if context not in EMBEDDED_CLUSTERS or not current(context):
        return None
    text = Folder(paths.layout(context)).objects.read_text()
    found = [one for one in map(json.loads, filter(str.strip, text.split(SEPARATOR))) if one["kind"] in kinds]
    return {kind: [one for one in found if one["kind"] == kind] for kind in kinds}


def running(layout: Layout) -> Iterator[str]:
    """Names of the processes that should be running."""
    return (record.stem for record in sorted(layout.run.glob(f"{PREFIX}*.json")))
