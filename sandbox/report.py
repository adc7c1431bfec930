"""`python -m sandbox status`: reports the state of an embedded cluster."""

from dataclasses import dataclass
from enum import IntEnum

from cluster import client
from sandbox import istiod, paths
from sandbox.api import Endpoints
from sandbox.cluster import API_SERVER, exit_message
from sandbox.network import Network, network
from sandbox.paths import Layout
from sandbox.process import Process, log_excerpt
from sandbox.programs import PROGRAMS, Program
from toolchain.progress import duration


class State(IntEnum):
    """The cluster's state; the value is the exit code of `python -m sandbox status`."""

    RUNNING = 0
    BROKEN = 1
    STOPPED = 3


@dataclass(frozen=True)
class Status:
    """The cluster's state, and the lines that explain it."""

    state: State
    lines: tuple[str, ...]


def status(context: str) -> Status:
    """A cluster's state, from its processes and their health checks."""
    layout = paths.layout(context)
    if not any(Process(program.name, layout).known for program in PROGRAMS):
        kept = f"its objects are kept in {layout.root}" if layout.data.exists() else "it has no objects"
        return Status(State.STOPPED, (f"{context}: stopped; {kept}",))
    kept_network = network(layout)
    endpoints = Endpoints(layout, kept_network)
    findings = [_look(program, layout, kept_network, endpoints) for program in PROGRAMS]
    findings += [(fine, f"  {line}") for fine, line in istiod.look(layout)]
    state = State.RUNNING if all(fine for fine, _ in findings) else State.BROKEN
    head = f"{context}: {state.name.lower()}, {_version(endpoints)}, {kept_network.server}"
    return Status(state, (head, f"  KUBECONFIG={layout.kubeconfig}", *(line for _, line in findings)))


def _look(program: Program, layout: Layout, kept: Network, endpoints: Endpoints) -> tuple[bool, str]:
    process, port = Process(program.name, layout), kept.ports[program.name]
    if not process.known:
        return (
            False,
            f"  {program.name} was not started: `python -m sandbox start {layout.context}` starts the missing programs",
        )
    if not process.alive():
        return False, f"  {exit_message(process)}"
    line = f"  {program.name:<24} process {process.pid:<8} port {port}   up {duration(process.uptime)}"
    if not endpoints.healthy(program.name, program.health):
        return False, f"{line}, but it does not answer {program.health}\n{log_excerpt(process)}"
    return True, line


def _version(endpoints: Endpoints) -> str:
    if not endpoints.healthy(API_SERVER.name, API_SERVER.health):
        return "no API server"
    return f"Kubernetes {client.get(endpoints.api, '/version')['gitVersion']}"
