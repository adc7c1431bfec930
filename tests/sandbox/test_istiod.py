"""The control planes of an embedded cluster; tests/e2e/test_istiod.py has a real one with an API server."""

from __future__ import annotations

import base64
import json
import signal
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.client import Answer, Api
from cluster.errors import Unreachable
from mesh import releases
from mesh.config import loading
from mesh.releases.release import Installation
from sandbox import files, istiod, paths, programs
from sandbox.istiod import deployment, folder, release, supervisor, tunnel
from sandbox.istiod.deployment import Istiod
from sandbox.istiod.runners import Real, Simulation
from sandbox.istiod.simulated.plane import Plane
from sandbox.network import Network
from sandbox.paths import Layout
from sandbox.process import Process
from sandbox.programs import Setting
from tests.fake_api import FakeApi, listing

ADDRESS = "127.0.0.1"
NETWORK = Network({"kube-apiserver": 6443, "etcd": 2379}, "127.9.0.0/16")
CACERTS = "/api/v1/namespaces/istio-system/secrets/cacerts"
TOKENS = "POST /api/v1/namespaces/istio-system/serviceaccounts/istiod/token"
SLEEPER = f"#!{sys.executable}\nimport time\ntime.sleep(60)\n"
ONE = Istiod(
    "default",
    "istio-system",
    "istiod",
    "istiod",
    ADDRESS,
    ("discovery",),
    {"REVISION": "default"},
    {},
    {
        "metadata": {},
        "spec": {"containers": [{"name": "discovery", "image": "registry.istio.io/release/pilot:1.30.3"}]},
    },
)


@pytest.fixture(autouse=True)
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Layout]:
    monkeypatch.setenv("MESH_HOME", f"{tmp_path / 'home'}")
    layout = paths.layout("mesh-today")
    for made in (layout.run, layout.logs, layout.istiod):
        made.mkdir(parents=True)
    yield layout
    istiod.stop_all(layout)


def standing(**changes: Any) -> dict[str, Any]:
    """The Deployment of istiod that a stack of 1.30 makes."""
    container = {
        "name": "discovery",
        "image": changes.pop("image", "docker.io/istio/pilot:1.30.3-distroless"),
        "args": ["discovery", "--domain", "cluster.local"],
        "env": [
            {"name": "REVISION", "value": "default"},
            {"name": "POD_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
            {"name": "GOMAXPROCS", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
            {"name": "KUBECONFIG", "value": "/var/run/secrets/remote/config"},
        ],
        "volumeMounts": [{"name": "cacerts", "mountPath": "/etc/cacerts"}, {"name": "dns", "mountPath": "/dns"}],
    }
    pod = {
        "serviceAccountName": "istiod",
        "containers": [container],
        "volumes": [{"name": "cacerts", "secret": {"secretName": "cacerts"}}, {"name": "dns", "emptyDir": {}}],
    }
    labels = {"app": "istiod", "istio.io/rev": "default"}
    return {
        "metadata": {"name": "istiod", "namespace": "istio-system", **changes.pop("metadata", {})},
        "spec": {"replicas": 1, "template": {"metadata": {"labels": labels}, "spec": pod}, **changes},
    }


OTHER = "127.0.0.2"


def _service(name: str, address: str, target: int = 15017) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "istio-system"},
        "spec": {"clusterIP": address, "ports": [{"port": 443, "targetPort": target}]},
    }


def server(
    *deployments: dict[str, Any], services: int = 1, secret: Answer | None = None, target: int = 15017
) -> FakeApi:
    service = _service("istiod", ADDRESS, target)
    token = Answer(201, {"status": {"token": "of-istiod"}})
    lists = {"/apis/apps/v1/deployments": listing(*deployments), "/api/v1/services": listing(*[service] * services)}
    lists |= {CACERTS: secret} if secret else {}
    return FakeApi({TOKENS: token, **{f"GET {path}": answer for path, answer in lists.items()}})


# What is to run


def test_istiod_has_the_arguments_environment_and_account_of_its_deployment_at_the_address_of_its_service() -> None:
    (found,) = deployment.wanted(server(standing()))
    assert (found.revision, found.account, found.address) == ("default", "istiod", ADDRESS)
    assert found.arguments[:3] == ("discovery", "--domain", "cluster.local")
    assert f"--httpsAddr={ADDRESS}:15017" in found.arguments
    assert found.environment == {"REVISION": "default", "POD_NAMESPACE": "istio-system"}
    assert found.mounts == {"/etc/cacerts": CACERTS}


@pytest.mark.parametrize(
    "other",
    [
        standing(replicas=0),
        standing(metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}),
        standing(template={"metadata": {"labels": {"app": "istiod"}}, "spec": {"containers": [{"name": "discovery"}]}}),
        standing(
            template={
                "metadata": {"labels": {"app": "istiod", "istio.io/rev": "a"}},
                "spec": {"containers": [{"name": "a"}]},
            }
        ),
    ],
    ids=["scaled to none", "being deleted", "without a revision", "of another program"],
)
def test_no_istiod_runs_for_a_deployment_that_asks_for_none(other: dict[str, Any]) -> None:
    assert deployment.wanted(server(other)) == []


def test_no_istiod_runs_before_its_service_gives_it_an_address() -> None:
    assert deployment.wanted(server(standing(), services=0)) == []


# Its files


def test_istiod_asks_the_api_server_as_its_own_account(layout: Layout) -> None:
    made = folder.Folder(layout, ONE)
    made.write(server(), layout, NETWORK)
    config = yaml.safe_load(made.kubeconfig.read_text())
    assert Path(config["users"][0]["user"]["tokenFile"]).read_text() == "of-istiod"
    assert config["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:6443"
    assert made.kubeconfig.stat().st_mode & 0o777 == 0o600


def test_secrets_are_mounted_below_its_working_folder_and_follow_their_content(layout: Layout) -> None:
    mounted = replace(ONE, mounts={"/etc/cacerts": CACERTS})
    pem = base64.b64encode(b"pem").decode()
    for data in ({"ca-cert.pem": pem, "old.pem": pem}, {"ca-cert.pem": pem}):
        secret = Answer(200, {"kind": "Secret", "data": data})
        folder.Folder(layout, mounted).write(server(secret=secret), layout, NETWORK)
    place = layout.istiod / "default/etc/cacerts"
    assert {file.name: file.read_text() for file in place.iterdir()} == {"ca-cert.pem": "pem"}
    folder.Folder(layout, mounted).write(server(), layout, NETWORK)
    assert not place.exists()


# The supervisor


@pytest.fixture
def pilot(tmp_path: Path) -> Path:
    """A program in place of `pilot-discovery`."""
    program = tmp_path / "pilot"
    program.write_text(SLEEPER)
    program.chmod(0o755)
    return program


@pytest.fixture
def serving(tmp_path: Path) -> Path:
    """A program in place of `mesh-serving`."""
    program = tmp_path / "serving"
    program.write_text('#!/bin/sh\necho "$1 $3" > "$2/tls.crt"\n')
    program.chmod(0o755)
    return program


class Cluster:
    """A supervisor with the API server that it asks."""

    def __init__(self, layout: Layout, serving: Path, pilot: Path | None) -> None:
        self.api = server()
        real = Real(layout, NETWORK, pilot) if pilot else None
        self.supervisor = supervisor.Supervisor(layout, self.api, Simulation(layout, serving, "digest"), real)
        self.process = Process("istiod-default", layout)

    def follow(self, *deployments: dict[str, Any]) -> None:
        self.api.answers = server(*deployments).answers
        self.supervisor.look()
        self.supervisor.settle()


@pytest.fixture
def cluster(layout: Layout, serving: Path, pilot: Path) -> Cluster:
    return Cluster(layout, serving, pilot)


def test_istiod_runs_as_long_as_its_deployment_says(cluster: Cluster, layout: Layout) -> None:
    cluster.follow(standing())
    assert cluster.process.alive()
    cluster.follow(standing(replicas=0))
    assert not cluster.process.known
    assert list(layout.istiod.iterdir()) == []


def test_an_istiod_that_has_ended_is_started_again(cluster: Cluster) -> None:
    cluster.follow(standing())
    first = cluster.process.pid
    cluster.process.signal(signal.SIGKILL)
    while cluster.process.alive():
        time.sleep(0.01)
    cluster.supervisor.settle()
    assert cluster.process.alive()
    assert cluster.process.pid != first


def test_istiod_starts_anew_when_its_arguments_change_and_not_otherwise(cluster: Cluster) -> None:
    cluster.follow(standing())
    first = cluster.process.pid
    cluster.follow(standing(metadata={"annotations": {"a": "b"}}))
    assert cluster.process.pid == first
    changed = standing()
    changed["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = "other"
    cluster.follow(changed)
    assert cluster.process.pid != first
    assert "REVISION=other" in cluster.process.command


def test_istiod_goes_on_while_the_api_server_is_away(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster.follow(standing())

    def away(_: object) -> Answer:
        raise Unreachable("nobody listens")

    monkeypatch.setattr(cluster.api, "ask", away)
    cluster.supervisor.look()
    cluster.supervisor.settle()
    assert cluster.process.alive()


def test_nothing_of_the_users_shell_reaches_istiod(cluster: Cluster) -> None:
    cluster.follow(standing())
    assert cluster.process.command[:2] == ["/usr/bin/env", "-i"]


# Real or simulated


OLD = "docker.io/istio/pilot:1.10.3"


def test_an_istiod_whose_program_is_not_at_hand_is_simulated(cluster: Cluster, layout: Layout) -> None:
    cluster.follow(standing(image=OLD))
    assert cluster.process.alive()
    assert istiod.kinds("mesh-today") == {"default": "simulated"}
    plane = Plane(**json.loads(cluster.process.command[-2]))
    assert (plane.release, plane.service, plane.address) == ("1.10", "istiod", ADDRESS)
    assert (Path(plane.folder) / "tls.crt").read_text() == f"{layout.pki} istiod.istio-system.svc\n"


def test_the_kind_of_a_control_plane_follows_its_image_both_ways(cluster: Cluster) -> None:
    found = []
    for image in (OLD, "istio/pilot:1.30.3", OLD):
        cluster.follow(standing(image=image))
        found.append(istiod.kinds("mesh-today")["default"])
    assert found == ["simulated", "real", "simulated"]


def test_two_control_planes_of_different_releases_run_beside_each_other(cluster: Cluster) -> None:
    second = standing(metadata={"name": "istiod-1-30-3"})
    second["spec"]["template"]["metadata"]["labels"]["istio.io/rev"] = "1-30-3"
    cluster.follow(standing(image=OLD), second)
    services = listing(*(_service(name, address) for name, address in (("istiod", ADDRESS), ("istiod-1-30-3", OTHER))))
    cluster.api.answers["GET /api/v1/services"] = services
    cluster.supervisor.look()
    cluster.supervisor.settle()
    assert istiod.kinds("mesh-today") == {"default": "simulated", "1-30-3": "real"}


def test_without_its_program_each_control_plane_is_simulated(layout: Layout, serving: Path) -> None:
    cluster = Cluster(layout, serving, pilot=None)
    cluster.follow(standing())
    assert istiod.kinds("mesh-today") == {"default": "simulated"}
    assert json.loads(cluster.process.command[-2])["release"] == "1.30"


def test_a_certificate_that_cannot_be_made_is_in_the_log_and_ends_nothing(
    cluster: Cluster, serving: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    serving.write_text("#!/bin/sh\necho no space left >&2\nexit 1\n")
    cluster.follow(standing(image=OLD))
    assert "the certificate of istiod.istio-system.svc cannot be created: no space left" in capsys.readouterr().out
    assert not cluster.process.known


@pytest.mark.parametrize("name", releases.NAMES)
@pytest.mark.parametrize(
    "image", ["example.org/pilot@sha256:12", "localhost:5000/pilot:ours", "localhost:5000/pilot", "pilot:1.29.1"]
)
@pytest.mark.parametrize("revision", ["", "canary"])
def test_an_image_without_a_known_version_is_of_the_release_that_its_deployment_resembles(
    name: str, image: str, revision: str
) -> None:
    chosen = releases.get(name)
    values = chosen.values("demo", {"revision": revision, "pilot": {"env": {"MY_OWN": "1"}}})
    template = chosen.istiod_pod(Installation(release=chosen, values=values))
    template["spec"]["containers"][0]["image"] = image
    assert release.of(template) == name


# The tunnel


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.sendall(b"got " + self.request.recv(100))


@pytest.fixture
def listener() -> Iterator[int]:
    """The port of a server that says what it has got."""
    with socketserver.ThreadingTCPServer((ADDRESS, 0), Echo) as echo:
        threading.Thread(target=echo.serve_forever, daemon=True).start()
        yield echo.server_address[1]
        echo.shutdown()


def through(layout: Layout, api: Api, port: int) -> tuple[str, str]:
    """The first line of the tunnel's answer to a CONNECT, and what the server beyond it says."""
    tunnel.start(layout.tunnel, api)
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(5)
        caller.connect(str(layout.tunnel))
        caller.sendall(f"CONNECT {ADDRESS}:{port} HTTP/1.1\r\nHost: {ADDRESS}:{port}\r\n\r\n".encode())
        answer = caller.makefile("rb")
        head = answer.readline().decode().strip()
        answer.readline()
        if " 200 " in head:
            caller.sendall(b"this")
        return head, answer.read().decode()


def test_the_port_of_a_service_leads_to_its_target_port(layout: Layout, listener: int) -> None:
    assert through(layout, server(target=listener), 443) == ("HTTP/1.1 200 OK", "got this")


def test_an_address_that_is_no_services_is_passed_on(layout: Layout, listener: int) -> None:
    assert through(layout, server(services=0), listener) == ("HTTP/1.1 200 OK", "got this")


def test_a_service_that_nobody_serves_is_refused_at_once_with_its_address(layout: Layout) -> None:
    begin = time.monotonic()
    found = through(layout, server(standing(replicas=0), target=9), 443)
    assert found == (f"HTTP/1.1 503 nothing listens at {ADDRESS}:443", "")
    assert time.monotonic() - begin < 1


def listen(server: socketserver.TCPServer) -> None:
    server.server_activate()
    server.serve_forever()


def test_a_webhook_of_an_istiod_that_starts_is_waited_for(layout: Layout) -> None:
    with socketserver.ThreadingTCPServer((ADDRESS, 0), Echo, bind_and_activate=False) as echo:
        echo.server_bind()  # has the port, and refuses until it listens
        threading.Timer(0.5, listen, (echo,)).start()
        found = through(layout, server(standing(), target=echo.server_address[1]), 443)
        echo.shutdown()
    assert found == ("HTTP/1.1 200 OK", "got this")


# What the programs of the cluster are told


def test_the_api_server_calls_services_by_the_tunnel(layout: Layout) -> None:
    setting = Setting(layout, NETWORK, Path("/programs"), webhooks=True)
    (api_server,) = (program for program in programs.PROGRAMS if program.name == "kube-apiserver")
    assert api_server.flags(setting)["egress-selector-config-file"] == str(layout.egress)
    connection = json.loads(files.egress(layout))["egressSelections"][0]["connection"]
    assert connection["transport"] == {"uds": {"udsName": str(layout.tunnel)}}


def test_only_a_release_whose_istiod_is_the_current_one_runs_it() -> None:
    runs = {name: loading.load({"mesh:release": name}).installation.release.runs_istiod for name in ("1.10", "1.30")}
    assert runs == {"1.10": False, "1.30": True}


# What is said of it


def test_status_names_a_dead_istiod_with_the_end_of_its_log(layout: Layout) -> None:
    Process(istiod.PROGRAM, layout).start([sys.executable, "-c", "import time; time.sleep(60)"])
    process = Process("istiod-default", layout)
    process.start([sys.executable, "-c", "print('no root certificate')"])
    while process.alive():
        time.sleep(0.01)
    text = "\n".join(istiod.lines("mesh-today"))
    assert "istiod-default has ended; it is restarted until it runs" in text
    assert "| no root certificate" in text
    assert "simulated: the kubelet" in text


def test_status_says_which_control_plane_is_real_and_which_is_simulated(cluster: Cluster, layout: Layout) -> None:
    Process(istiod.PROGRAM, layout).start([sys.executable, "-c", "import time; time.sleep(60)"])
    cluster.follow(standing(image=OLD))
    assert "revision default: process" in istiod.lines("mesh-today")[0]
    assert "simulated, it injects" in istiod.lines("mesh-today")[0]
    cluster.follow(standing())
    assert "built from Istio's sources" in istiod.lines("mesh-today")[0]


def test_status_says_nothing_of_control_planes_on_a_cluster_that_was_not_started() -> None:
    assert istiod.lines("mesh-today") == []
