"""The ports and the Service range of a cluster, which the first start chooses and later starts keep."""

import contextlib
import errno
import ipaddress
import json
import os
import random
import socket
from collections.abc import Collection, Mapping, Set
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from mesh.core.names import EMBEDDED_CLUSTERS
from sandbox import paths
from sandbox.errors import SandboxError
from sandbox.paths import Layout

LOOPBACK = "127.0.0.1"

LISTENERS = ("etcd", "etcd-peer", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
"""The names of the ports that the cluster's programs listen on."""

CANDIDATES = range(20000, 30000)
"""Ports to choose from: below Linux' ephemeral ports (from 32768) and below node ports (from 30000)."""

SERVICE_RANGES = {context: f"127.{77 + place}.0.0/16" for place, context in enumerate(EMBEDDED_CLUSTERS)}
"""Defaults of MESH_SERVICE_RANGE by context. They are loopback networks, so that a local process can listen on the
address of a Service, at which the API server reaches it."""

OTHER_RANGES = [f"127.{number}.0.0/16" for number in range(100, 255)]
"""The networks from which a cluster in another MESH_HOME gets one."""


@dataclass(frozen=True)
class Network:
    """Ports and addresses of one cluster."""

    ports: Mapping[str, int]
    """Ports by name, see LISTENERS."""
    service_range: str
    """IPv4 network of the Services' addresses, such as `127.77.0.0/16`."""

    @property
    def first_service_ip(self) -> str:
        """The address of the Service `kubernetes`."""
        return str(ipaddress.ip_network(self.service_range)[1])

    @property
    def server(self) -> str:
        return f"https://{LOOPBACK}:{self.ports['kube-apiserver']}"


def network(layout: Layout, environment: Mapping[str, str] = os.environ) -> Network:
    """The network of a cluster. The first call chooses it and writes it to its file.

    MESH_SERVICE_RANGE sets the Service range of a new cluster. Without it, a cluster in the default home gets its range
    in SERVICE_RANGES. A cluster in another MESH_HOME gets a random one, so that two clusters do not share addresses.
    Ports and addresses of other clusters in the same home are never used, even while those are stopped. Raises
    SandboxError.
    """
    file, wish = layout.network, environment.get("MESH_SERVICE_RANGE")
    if file.exists():
        kept = _read(file)
        if wish and wish != kept.service_range:
            raise SandboxError(
                f"MESH_SERVICE_RANGE is {wish}, but this cluster was created with {kept.service_range}:"
                f" unset it, or start over with `python -m sandbox reset {layout.context}`"
            )
        return kept
    others = {one.context: _read(one.network) for one in paths.layouts() if one != layout and one.network.exists()}
    taken = {context: other.service_range for context, other in others.items()}
    ports = {port for other in others.values() for port in other.ports.values()}
    service_range = _checked(wish, taken) if wish else _default_range(layout.context, taken.values(), environment)
    chosen = Network(_free_ports(ports), service_range)
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(chosen), indent=2) + "\n")
    fresh.replace(file)
    return chosen


def _read(file: Path) -> Network:
    return Network(**json.loads(file.read_text()))


def _default_range(context: str, taken: Collection[str], environment: Mapping[str, str]) -> str:
    if not environment.get("MESH_HOME"):
        return SERVICE_RANGES[context]
    return random.choice([one for one in OTHER_RANGES if one not in taken])


def _checked(service_range: str, taken: Mapping[str, str]) -> str:
    """The requested range, normalized. Raises SandboxError if it is invalid or overlaps the range of another cluster;
    `taken` has these ranges by context."""
    try:
        parsed = ipaddress.ip_network(service_range)
    except ValueError as error:
        raise SandboxError(f"MESH_SERVICE_RANGE: {error} (such as {OTHER_RANGES[0]})") from None
    if parsed.version != 4 or not 12 <= parsed.prefixlen <= 24:
        raise SandboxError(f"MESH_SERVICE_RANGE is {service_range}: it must be an IPv4 network of /12 to /24")
    for context, other in taken.items():
        if parsed.overlaps(ipaddress.ip_network(other)):
            raise SandboxError(
                f"MESH_SERVICE_RANGE is {service_range}, but {context} has {other}: unset it, or choose another range"
            )
    return str(parsed)


def _free_ports(taken: Set[int]) -> dict[str, int]:
    candidates = [port for port in random.sample(CANDIDATES, 200) if port not in taken]
    free = [port for port in candidates if is_free(port)][: len(LISTENERS)]
    if len(free) < len(LISTENERS):
        raise SandboxError(f"no free ports between {CANDIDATES.start} and {CANDIDATES.stop} on {LOOPBACK}")
    return dict(zip(LISTENERS, free, strict=True))


def is_free(port: int, address: str = LOOPBACK) -> bool:
    """Whether a process can listen on a port of a loopback address at the moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return False
    return True


def require_free(listener: str, port: int, context: str) -> None:
    """Raises SandboxError, with the name of the process, if another process listens on a port of the stopped
    cluster."""
    if is_free(port):
        return
    raise SandboxError(
        f"port {port}, reserved for {listener}, is in use by {listener_on(port)}. End that process, or run"
        f" `python -m sandbox reset {context}`: a new cluster gets other ports (the objects of this one are lost)"
    )


def listener_on(port: int) -> str:
    """Name and ID of the process that listens on a port; `another process` if the user may not see it."""
    listening = (one for one in psutil.net_connections("tcp") if one.status == psutil.CONN_LISTEN)
    for pid in (one.pid for one in listening if one.laddr and one.laddr.port == port and one.pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            return f"{psutil.Process(pid).name()} (process {pid})"
    return "another process"
