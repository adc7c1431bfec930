"""Pilot, a gateway, two calling sidecars and the servers behind, as local processes."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import random
import ssl
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from commands.spoken import HTTP, TLS
from mesh import releases
from mesh.releases.release import Release
from sandbox.live import pilot, proxies
from sandbox.live.folder import Folder
from sandbox.live.plan import ADMIN_PORT, PILOT, XDS_PORT, DeclaredGateway, Gateway, Plan, Proxy, Workload
from sandbox.network import is_free
from sandbox.paths import Layout
from tests.e2e.judge import kubernetes
from toolchain import checkers, envoy

Manifest = dict[str, Any]

INGRESS = "istio-ingressgateway"
LABELS = {"app": INGRESS, "istio": "ingressgateway"}
ROOT = "istio-system"
PORT = 9080
"""Port of every service."""
GATEWAY_PORTS = {80: 8080, 443: 8443}
"""Ports of the gateway's pods for ports of its Service; the others are the same."""
EDGE = f"{ROOT}/{INGRESS}"
CALLERS = {"callers": "front", "others": "batch"}
"""The calling workloads by namespace."""
TLS_PORT = 443
"""Port of the gateway at which server names decide."""
ADMIN = 9081
"""The second port of `cart`."""
SERVERS = {
    "reviews": ("v1", "v2", "v3"),
    "ratings": ("v1",),
    "outside": ("v1",),
    "cart": ("v1", "v2"),
    "store": ("v1", "v2"),
    "vault": ("v1", "v2"),
}
CONNECTED = ("store", "vault")
"""Servers that speak no HTTP: TCP, and TLS."""
FIRST_PORT = 9201
_NAMED = [f"{app}-{version}" for app, versions in SERVERS.items() for version in versions]
PORTS = {name: FIRST_PORT + i for i, name in enumerate([*_NAMED, *(f"cart-{one}:{ADMIN}" for one in SERVERS["cart"])])}
"""The ports of the servers, by name of the workload, with the port if it is a second one."""
ECHOED = {"x-served": "", "x-path": "%REQ(:PATH)%", "x-host": "%REQ(:AUTHORITY)%", "x-echo": "%REQ(x-added)%"}
"""Headers in which a server tells who it is and what it was asked."""
LIMIT = 30.0
BURST = 1
"""Requests that are sent on a connection before the first answer is read."""


@dataclass(frozen=True)
class Ask:
    """A request to one of the proxies."""

    source: str
    """`namespace/name` of the calling workload, or of the gateway."""
    method: str
    host: str
    """With the port, as clients send it."""
    path: str
    headers: tuple[tuple[str, str], ...]
    port: int
    """Port of the called service, or of the gateway."""
    address: str = ""
    """Loopback address that the client has; any if empty."""
    spoken: str = HTTP

    @property
    def way(self) -> tuple[str, int, str]:
        """What requests of one connection have in common."""
        return self.source, self.port, self.address

    @property
    def text(self) -> bytes:
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: {self.host}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines += ["Content-Length: 0"] if self.method not in ("GET", "HEAD") else []
        return "\r\n".join([*lines, "", ""]).encode()


@dataclass(frozen=True)
class Said:
    """An answer."""

    status: int
    server: str = ""
    """The workload that answered; empty if a proxy did."""
    path: str = ""
    host: str = ""
    """Path and host as the server got them."""
    added: str = ""
    """The header `x-added` as the server got it."""
    location: str = ""


class DataPlane:
    """The running processes, and requests to them."""

    def __init__(self, addresses: Mapping[str, str], servers: str) -> None:
        self._addresses, self._servers = addresses, servers
        """The addresses of the sources, and that of all servers."""

    def ask(self, asked: Sequence[Ask], counts: Sequence[int]) -> list[list[Said]]:
        """The answers to each request, which is sent as often as `counts` says."""
        return asyncio.run(self._ask(asked, counts))

    def configuration(self) -> Mapping[str, Any]:
        """What the gateway's Envoy has got from pilot, as its own dump."""
        found: Mapping[str, Any] = json.loads(proxies.ask(self._addresses[EDGE], ADMIN_PORT, "/config_dump")[1])
        return found

    async def _ask(self, asked: Sequence[Ask], counts: Sequence[int]) -> list[list[Said]]:
        found: list[list[Said]] = [[] for _ in asked]
        queues: dict[tuple[str, int, str], list[int]] = {}
        single: list[int] = []
        for i, (one, count) in enumerate(zip(asked, counts, strict=True)):
            (queues.setdefault(one.way, []) if one.spoken == HTTP else single).extend([i] * count)

        async def work(wanted: list[int]) -> None:
            while wanted:
                left = len(wanted)
                reader, writer = await self._connected(asked[wanted[0]])
                with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                    while wanted:  # a burst at a time; Envoy closes the connection after some answers of its own
                        some = wanted[:BURST]
                        writer.write(b"".join(asked[i].text for i in some))
                        for i in some:
                            found[i].append(await asyncio.wait_for(_read(reader, asked[i]), LIMIT))
                            wanted.pop(0)
                writer.close()
                assert len(wanted) < left, f"no answer to {asked[wanted[0]]}"

        async def connect(wanted: list[int]) -> None:
            for i in wanted:
                found[i].append(await self._taken(asked[i]))

        connected = {name: port for name, port in PORTS.items() if name.partition("-")[0] in CONNECTED}
        servers = [
            await asyncio.start_server(partial(_tell, name), self._servers, port) for name, port in connected.items()
        ]
        parts = [work(wanted[part::4]) for wanted in queues.values() for part in range(4)]
        await asyncio.gather(*parts, *(connect(single[part::4]) for part in range(4)))
        for server in servers:
            server.close()
        return found

    async def _connected(self, one: Ask) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        port = GATEWAY_PORTS.get(one.port, one.port) if one.source == EDGE else one.port
        own = (one.address, 0) if one.address else None
        return await asyncio.open_connection(self._addresses[one.source], port, local_addr=own)

    async def _taken(self, one: Ask) -> Said:
        """Who takes a connection: the server answers whatever it gets with its name."""
        try:
            reader, writer = await self._connected(one)
            writer.write(_hello(one.host.partition(":")[0]) if one.spoken == TLS else b"hello")
            name = (await asyncio.wait_for(reader.read(100), LIMIT)).decode()
            writer.close()
        except ConnectionError:
            name = ""
        return Said(200, name) if name else Said(0)


async def _tell(name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers a connection with a name."""
    if await reader.read(1 << 16):
        writer.write(name.encode())
    writer.close()


def _hello(host: str) -> bytes:
    """What the handshake with a server of this name begins with."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname=host).do_handshake()
    return outgoing.read()


async def _read(reader: asyncio.StreamReader, asked: Ask) -> Said:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    assert "transfer-encoding" not in headers, head
    if asked.method != "HEAD":
        await reader.readexactly(int(headers.get("content-length") or 0))
    path, host, added = (headers.get(f"x-{name}", "") for name in ("path", "host", "echo"))
    status, location = int(head[0].split(" ")[1]), headers.get("location", "")
    return Said(status, headers.get("x-served", ""), path, host, added, location)


@contextmanager
def running(objects: Sequence[Manifest], folder: Path, release: Release) -> Iterator[DataPlane]:
    """Starts everything with these objects and the defaults of a release; the services' endpoints are named by
    `endpoint`. Raises AssertionError if one of the processes refuses its configuration."""
    plan = _plan(release)
    made = _folder(folder)
    gateway = plan.gateways[0]
    sidecars = {
        place: Workload(
            name=f"{name}-v1",
            namespace=place,
            labels={"app": name, "version": "v1"},
            ports={},
            key=f"{name}-v1",
            address=_address(plan, 20 + i),
            outbound=_address(plan, 30 + i),
        )
        for i, (place, name) in enumerate(CALLERS.items())
    }
    servers = _address(plan, 10)
    ports = _gateway_ports(objects)
    whole = [*_ours(plan, gateway, ports, sidecars), *_with_addresses(objects, servers)]
    made.objects.write_text("\n---\n".join(map(json.dumps, whole)))
    defaults = {"discoveryAddress": "localhost:8080", **topology(release.name)}
    mesh = {"rootNamespace": ROOT, "enableAutoMtls": False, "defaultConfig": defaults}
    made.mesh_config.write_text(json.dumps(mesh))
    with ExitStack() as stack:
        stack.enter_context(kubernetes.serving(_address(plan, 9), made.layout.kubeconfig))
        program, binary = checkers.pilot(), envoy.envoy()
        log = stack.enter_context(_process(pilot.command(plan, made, program), made, "pilot"))
        _wait(lambda: not is_free(XDS_PORT, plan.pilot), log)
        assert not pilot.REFUSED.search(log.read_text()), log.read_text()[-2000:]
        own: list[Proxy] = [gateway, *sidecars.values()]
        configs = {proxy.name: proxies.bootstrap(plan, proxy) for proxy in own} | {"servers": _servers(servers)}
        for one in sidecars.values():  # which nobody calls at the gateway's port 80
            configs[one.name]["node"]["metadata"]["UNPRIVILEGED_POD"] = "true"
        admins = {proxy.name: proxy.address for proxy in own} | {"servers": servers}
        for name, config in configs.items():
            file = made.root / f"{name}.json"
            file.write_text(json.dumps(config))
            stack.enter_context(_process(proxies.command(binary, file), made, name))
        for name, address in admins.items():
            _wait(lambda at=address: _ready(at), made.root / f"{name}.log")
            rejected = proxies.ask(address, ADMIN_PORT, "/stats?filter=update_rejected")[1]
            assert all(line.endswith(": 0") for line in rejected.splitlines()), (name, rejected)
        listening = [(gateway.address, GATEWAY_PORTS.get(port, port)) for port in ports]
        listening += [(one.outbound, PORT) for one in sidecars.values()]
        for address, port in listening:
            _wait(lambda at=address, number=port: not is_free(number, at), log)
        callers = {f"{at}/{CALLERS[at]}": one.outbound for at, one in sidecars.items()}
        yield DataPlane({EDGE: gateway.address, **callers}, servers)


def topology(release: str) -> Mapping[str, Any]:
    """What gateways know of a load balancer before them: in one of the releases, that there is one."""
    return {"gatewayTopology": {"numTrustedProxies": 1}} if release != releases.NAMES[0] else {}


def _gateway_ports(objects: Sequence[Manifest]) -> list[int]:
    """The ports of all servers of Gateways."""
    servers = [server for one in objects if one["kind"] == "Gateway" for server in one["spec"]["servers"]]
    return sorted({server["port"]["number"] for server in servers})


def _plan(release: Release) -> Plan:
    """A plan in a range of loopback addresses that nobody uses."""
    while True:
        plan = Plan(
            service_range=f"127.{random.randint(100, 250)}.{random.randint(0, 254)}.0/24",
            stack="judge",
            namespace="",
            root=ROOT,
            config_root=ROOT,
            mesh_config="istio",
            version=release.version,
            defaults=release.requests.pilot,
            domain="cluster.local",
            ingress=INGRESS,
            edges=(DeclaredGateway(INGRESS, ROOT, LABELS),),
            places={PILOT: 0, INGRESS: 1},
        )
        if is_free(XDS_PORT, plan.pilot):
            return plan


def _address(plan: Plan, place: int) -> str:
    return f"{plan.service_range.rpartition('.')[0]}.{place}"


def _folder(base: Path) -> Folder:
    layout = Layout("judge", base / "cluster")
    for place in (layout.root, layout.logs, layout.run):
        place.mkdir(parents=True)
    made = Folder(layout)
    made.make()
    return made


def _ours(plan: Plan, gateway: Gateway, numbers: Sequence[int], sidecars: Mapping[str, Workload]) -> Iterator[Manifest]:
    """The gateway's service and address, and the listeners of the callers."""
    ports = [
        {
            "number": one,
            "name": f"port-{one}",
            "protocol": "HTTP2" if one == 80 else "TCP",
            "targetPort": GATEWAY_PORTS.get(one, one),
        }
        for one in numbers
    ]
    entry = {
        "hosts": [plan.host(INGRESS, ROOT)],
        "ports": ports,
        "location": "MESH_INTERNAL",
        "resolution": "STATIC",
        "endpoints": [{"address": gateway.address, "labels": LABELS}],
    }
    yield custom("ServiceEntry", INGRESS, ROOT, entry)
    patch = {
        "applyTo": "LISTENER",
        "match": {"context": "GATEWAY"},
        "patch": {"operation": "MERGE", "value": {"address": {"socket_address": {"address": gateway.address}}}},
    }
    bound = {"workloadSelector": {"labels": LABELS}, "configPatches": [patch]}
    yield {**custom("EnvoyFilter", INGRESS, ROOT, bound), "apiVersion": "networking.istio.io/v1alpha3"}
    for place, one in sidecars.items():
        egress = [{"bind": one.outbound, "captureMode": "NONE", "hosts": ["*/*"]}]
        yield custom("Sidecar", one.name, place, {"workloadSelector": {"labels": one.labels}, "egress": egress})


def custom(kind: str, name: str, namespace: str, spec: Mapping[str, Any]) -> Manifest:
    group = "security" if kind in ("AuthorizationPolicy", "RequestAuthentication") else "networking"
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": f"{group}.istio.io/v1", "kind": kind, "metadata": metadata, "spec": dict(spec)}


def endpoint(app: str, version: str, ports: Collection[str]) -> Manifest:
    """The endpoint of a workload with some of its ports, by name; the address is known when the data plane starts."""
    name, labels = f"{app}-{version}", {"app": app, "version": version}
    found = {"http": PORTS[name], "admin": PORTS.get(f"{name}:{ADMIN}")}
    return {"address": "", "ports": {port: found[port] for port in ports}, "labels": labels}


def _with_addresses(objects: Sequence[Manifest], address: str) -> Iterator[Manifest]:
    for one in objects:
        if one["kind"] == "ServiceEntry":
            endpoints = [{**each, "address": address} for each in one["spec"]["endpoints"]]
            one = {**one, "spec": {**one["spec"], "endpoints": endpoints}}
        yield one


def _servers(address: str) -> Manifest:
    """The bootstrap configuration of the Envoy that answers for all workloads that speak HTTP."""
    manager = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
    listeners = []
    for name, port in PORTS.items():
        if name.partition("-")[0] in CONNECTED:
            continue
        told = {**ECHOED, "x-served": name}
        added = [{"header": {"key": key, "value": value}} for key, value in told.items()]
        route = {"match": {"prefix": "/"}, "direct_response": {"status": 200}, "response_headers_to_add": added}
        http_manager = {
            "@type": manager,
            "stat_prefix": name,
            "route_config": {"virtual_hosts": [{"name": name, "domains": ["*"], "routes": [route]}]},
            "http_filters": [{"name": "router", "typed_config": {"@type": router}}],
        }
        chain = {"filters": [{"name": "http", "typed_config": http_manager}]}
        socket = {"socket_address": {"address": address, "port_value": port}}
        listeners.append({"name": name, "address": socket, "filter_chains": [chain]})
    admin = {"socket_address": {"address": address, "port_value": ADMIN_PORT}}
    return {"admin": {"address": admin}, "static_resources": {"listeners": listeners}}


@contextmanager
def _process(command: Sequence[str], folder: Folder, name: str) -> Iterator[Path]:
    """Runs a program; yields the path of its log."""
    file = folder.root / f"{name}.log"
    with file.open("wb") as log:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder.root)
    try:
        yield file
    finally:
        child.kill()
        child.wait()


def _ready(address: str) -> bool:
    try:
        return proxies.ask(address, ADMIN_PORT, "/ready")[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def _wait(condition: Any, log: Path) -> None:
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, log.read_text(errors="replace")[-3000:]
        time.sleep(0.1)
