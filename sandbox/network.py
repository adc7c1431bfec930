"""The ports and the Service range of the cluster, which are chosen at the first start and then kept."""

import contextlib
import errno
import ipaddress
import json
import os
import random
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from sandbox.errors import SandboxError

LOOPBACK = "127.0.0.1"

LISTENERS = ("etcd", "etcd-peer", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
"""The names of the ports that the cluster's programs listen on."""

CANDIDATES = range(20000, 30000)
"""Ports to choose from: below Linux' ephemeral ports (from 32768) and below node ports (from 30000)."""

SERVICE_RANGE = "127.77.0.0/16"
"""Default of MESH_SERVICE_RANGE. A loopback network, so that a local process can listen on a Service's address, where
the API server reaches it."""


@dataclass(frozen=True)
class Network:
    """Ports and addresses of one cluster."""

    ports: Mapping[str, int]
    """By name, see LISTENERS."""
    service_range: str
    """IPv4 network of the Services' addresses, such as `127.77.0.0/16`."""

    @property
    def first_service_ip(self) -> str:
        """The address of the Service `kubernetes`."""
        return str(ipaddress.ip_network(self.service_range)[1])

    @property
    def server(self) -> str:
        return f"https://{LOOPBACK}:{self.ports['kube-apiserver']}"


def network(file: Path, environment: Mapping[str, str] = os.environ) -> Network:
    """The network that `file` holds; chosen and written there at the first call.

    MESH_SERVICE_RANGE sets the Service range of a new cluster. Without it the cluster in the default home gets
    SERVICE_RANGE, and one in another MESH_HOME a random range, so that two clusters do not share addresses. Raises
    SandboxError.
    """
    wish = environment.get("MESH_SERVICE_RANGE")
    if file.exists():
        kept = Network(**json.loads(file.read_text()))
        if wish and wish != kept.service_range:
            raise SandboxError(
                f"MESH_SERVICE_RANGE is {wish}, but this cluster was made with {kept.service_range}:"
                " unset it, or begin anew with `python -m sandbox reset`"
            )
        return kept
    chosen = Network(_free_ports(), _checked(wish) if wish else _default_range(environment))
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(chosen), indent=2) + "\n")
    fresh.replace(file)
    return chosen


def _default_range(environment: Mapping[str, str]) -> str:
    return f"127.{random.randrange(78, 255)}.0.0/16" if environment.get("MESH_HOME") else SERVICE_RANGE


def _checked(service_range: str) -> str:
    try:
        parsed = ipaddress.ip_network(service_range)
    except ValueError as error:
        raise SandboxError(f"MESH_SERVICE_RANGE: {error} (such as {SERVICE_RANGE})") from None
    if parsed.version != 4 or not 12 <= parsed.prefixlen <= 24:
        raise SandboxError(f"MESH_SERVICE_RANGE is {service_range}: an IPv4 network of /12 to /24 is needed")
    return str(parsed)


def _free_ports() -> dict[str, int]:
    candidates = random.sample(CANDIDATES, 200)
    free = [port for port in candidates if is_free(port)][: len(LISTENERS)]
    if len(free) < len(LISTENERS):
        raise SandboxError(f"no free ports between {CANDIDATES.start} and {CANDIDATES.stop} on {LOOPBACK}")
    return dict(zip(LISTENERS, free, strict=True))


def is_free(port: int, address: str = LOOPBACK) -> bool:
    """Whether a process can listen on a port of a loopback address now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return False
    return True


def require_free(listener: str, port: int) -> None:
    """Raises SandboxError, which names the process, if another process listens on a port of the stopped cluster."""
    if is_free(port):
        return
    raise SandboxError(
        f"port {port}, kept for {listener}, is taken by {listener_on(port)}. End that, or run"
        " `python -m sandbox reset`: a new cluster chooses other ports (the objects of this one are lost)"
    )


def listener_on(port: int) -> str:
    """Name and number of the process that listens on a port; `another process` if the user may not see it."""
    listening = (one for one in psutil.net_connections("tcp") if one.status == psutil.CONN_LISTEN)
    for pid in (one.pid for one in listening if one.laddr and one.laddr.port == port and one.pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            return f"{psutil.Process(pid).name()} (process {pid})"
    return "another process"
