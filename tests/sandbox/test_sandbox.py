"""The sandbox without a cluster; tests/e2e/test_sandbox.py has the real one."""

import io
import ipaddress
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

import sandbox
from cluster.client import Answer
from mesh.core.names import EMBEDDED_CLUSTERS
from sandbox import SandboxError, cluster, files, network, node, paths, programs
from sandbox.network import Network
from sandbox.paths import Layout
from sandbox.process import Process
from sandbox.programs import PROGRAMS, Setting
from sandbox.report import State
from tests.fake_api import FakeApi, listing, namespace
from toolchain.progress import Progress

ROOT = Path(__file__).parents[2]
CONTEXT = "mesh-dev"
SLEEPER = [sys.executable, "-c", "import time; print('awake', flush=True); time.sleep(60)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('awake', flush=True); time.sleep(60)",
]


@pytest.fixture(autouse=True)
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Layout]:
    """The layout of an empty home; processes that a test starts in it are ended afterwards."""
    monkeypatch.setenv("MESH_HOME", f"{tmp_path / 'home'}")
    monkeypatch.delenv("MESH_SERVICE_RANGE", raising=False)
    layout = paths.layout(CONTEXT)
    for folder in (layout.run, layout.logs):
        folder.mkdir(parents=True)
    yield layout
    for record in layout.run.glob("*.json"):
        Process(record.stem, layout).stop(0)


def started(name: str, layout: Layout, command: list[str] | None = None) -> Process:
    """A running process that has begun its work."""
    process = Process(name, layout)
    process.start(command or SLEEPER)
    until(lambda: process.log_tail() == ["awake"])
    return process


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# Places


def test_the_home_is_accessible_by_its_owner_only() -> None:
    assert paths.home().stat().st_mode & 0o777 == 0o700


def test_the_home_follows_xdg_or_defaults_to_local_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MESH_HOME")
    monkeypatch.setenv("XDG_STATE_HOME", f"{tmp_path / 'xdg'}")
    assert paths.home() == tmp_path / "xdg" / "mesh"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", f"{tmp_path / 'user'}")
    assert paths.home() == tmp_path / "user" / ".local" / "state" / "mesh"


# Ports and the Service range


def test_the_network_is_chosen_once_and_then_kept(layout: Layout) -> None:
    assert network.network(layout) == network.network(layout)


def test_ports_are_outside_the_ranges_of_node_ports_and_outgoing_connections(layout: Layout) -> None:
    ports = network.network(layout).ports
    assert set(ports) == set(network.LISTENERS)
    assert len(set(ports.values())) == len(ports)
    assert all(port < 30000 for port in ports.values())


def test_a_port_in_use_is_not_chosen(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        free = iter(range(20000, 20000 + 2 * len(network.LISTENERS)))
        monkeypatch.setattr(random, "sample", lambda *_: [taken, *free])
        assert taken not in network.network(layout).ports.values()


def test_the_default_home_has_the_documented_service_range(layout: Layout) -> None:
    kept = network.network(layout, environment={})
    assert (kept.service_range, kept.first_service_ip) == ("127.77.0.0/16", "127.77.0.1")


def test_another_home_gets_another_loopback_service_range(layout: Layout) -> None:
    chosen = ipaddress.ip_network(network.network(layout, {"MESH_HOME": "/elsewhere"}).service_range)
    assert chosen.is_loopback
    assert not chosen.overlaps(ipaddress.ip_network("127.77.0.0/16"))
    assert ipaddress.ip_address("127.0.0.1") not in chosen


def test_a_configured_service_range_is_used(layout: Layout) -> None:
    assert network.network(layout, {"MESH_SERVICE_RANGE": "127.9.0.0/20"}).service_range == "127.9.0.0/20"


@pytest.mark.parametrize("wish", ["nonsense", "127.9.0.1/16", "127.9.0.0/30", "127.0.0.0/8", "fd00::/20"])
def test_an_unusable_service_range_is_refused(layout: Layout, wish: str) -> None:
    with pytest.raises(SandboxError, match="MESH_SERVICE_RANGE"):
        network.network(layout, {"MESH_SERVICE_RANGE": wish})
    assert not layout.network.exists()


def test_each_embedded_cluster_has_a_folder_ports_and_addresses_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(random, "sample", lambda *_: list(range(20000, 20100)))
    monkeypatch.setattr(random, "choice", lambda ranges: ranges[0])
    everywhere = paths.layouts()
    assert len({one.root for one in everywhere}) == len({one.lock for one in everywhere}) == len(EMBEDDED_CLUSTERS)
    for one in everywhere:
        one.root.mkdir(exist_ok=True)
    for environment in ({}, {"MESH_HOME": "/elsewhere"}):
        found = [network.network(one, environment) for one in everywhere]
        ranges = [ipaddress.ip_network(one.service_range) for one in found]
        assert not any(one.overlaps(other) for one, other in combinations(ranges, 2))
        assert len({port for one in found for port in one.ports.values()}) == len(found) * len(network.LISTENERS)
        for one in everywhere:
            one.network.unlink()


def test_a_service_range_of_another_cluster_of_the_home_is_refused(layout: Layout) -> None:
    network.network(layout, {"MESH_SERVICE_RANGE": "127.9.0.0/16"})
    other = next(one for one in paths.layouts() if one != layout)
    with pytest.raises(SandboxError, match=r"127\.9\.1\.0/24, but mesh-dev has 127\.9\.0\.0/16"):
        network.network(other, {"MESH_SERVICE_RANGE": "127.9.1.0/24"})
    assert not other.network.exists()


def test_a_cluster_cannot_change_its_service_range(layout: Layout) -> None:
    network.network(layout, {"MESH_SERVICE_RANGE": "127.9.0.0/16"})
    with pytest.raises(SandboxError, match=r"127\.8\.0\.0/16.*created with 127\.9\.0\.0/16.*sandbox reset mesh-dev`"):
        network.network(layout, {"MESH_SERVICE_RANGE": "127.8.0.0/16"})


def test_a_taken_port_is_reported_with_its_listener_and_the_other_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(SandboxError) as refusal:
            network.require_free("etcd", port, CONTEXT)
    message = str(refusal.value)
    assert f"port {port}, reserved for etcd" in message
    assert f"(process {os.getpid()})" in message
    assert "`python -m sandbox reset mesh-dev`" in message
    network.require_free("etcd", port, CONTEXT)


# Processes


def test_a_started_process_has_a_session_of_its_own(layout: Layout) -> None:
    process = started("sleeper", layout)
    assert process.alive()
    assert os.getsid(process.pid) == process.pid
    assert process.command == SLEEPER
    assert 0 <= process.uptime < 10


def test_a_process_outlives_the_command_that_started_it(layout: Layout) -> None:
    code = (
        "import pathlib, sys; from sandbox.paths import layout; from sandbox.process import Process; "
        "Process('sleeper', layout('mesh-dev')).start(sys.argv[1:])"
    )
    subprocess.run([sys.executable, "-c", code, *SLEEPER], env={**os.environ, "PYTHONPATH": f"{ROOT}"}, check=True)
    process = Process("sleeper", layout)
    assert process.alive()
    process.stop(5)
    assert not process.alive()


def test_a_stopped_process_gets_sigterm_and_loses_its_record(layout: Layout) -> None:
    code = (
        "import signal, sys, time; signal.signal(15, lambda *_: (print('asked'), sys.exit())); "
        "print('awake', flush=True); time.sleep(60)"
    )
    process = started("polite", layout, [sys.executable, "-c", code])
    process.stop(5)
    assert process.log_tail() == ["awake", "asked"]
    assert not process.known


def test_a_process_that_ignores_sigterm_is_killed(layout: Layout) -> None:
    process = started("deaf", layout, DEAF)
    number = process.pid
    process.stop(0.2)
    assert not process.alive()
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


def test_a_killed_process_keeps_its_record(layout: Layout) -> None:
    process = started("sleeper", layout)
    os.kill(process.pid, signal.SIGKILL)
    until(lambda: not process.alive())
    assert process.known


def test_another_process_with_the_same_number_is_not_mistaken_for_it(layout: Layout) -> None:
    process = started("sleeper", layout)
    os.kill(process.pid, signal.SIGKILL)
    until(lambda: not process.alive())
    record = layout.run / "sleeper.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "pid": os.getpid()}))
    assert not process.alive()
    process.stop(1)  # would end this very test


def test_the_log_of_the_previous_run_is_kept(layout: Layout) -> None:
    process = started("sleeper", layout)
    process.stop(1)
    process.start([sys.executable, "-c", "print('second')"])
    until(lambda: process.log_tail() == ["second"])
    assert (layout.logs / "sleeper.log.1").read_text() == "awake\n"


# Command lines


@pytest.fixture
def setting(layout: Layout) -> Setting:
    return Setting(
        layout,
        Network({name: 20000 + n for n, name in enumerate(network.LISTENERS)}, "127.9.0.0/16"),
        Path("/programs"),
        webhooks=False,
    )


def flags(name: str, setting: Setting) -> dict[str, str]:
    [program] = [program for program in PROGRAMS if program.name == name]
    path, *rest = program.command(setting)
    assert path == f"/programs/{name}"
    return dict(flag.removeprefix("--").split("=", 1) for flag in rest)


def test_every_program_listens_on_loopback_only(setting: Setting) -> None:
    assert flags("etcd", setting)["listen-client-urls"].startswith("https://127.0.0.1:")
    assert flags("etcd", setting)["listen-peer-urls"].startswith("https://127.0.0.1:")
    for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler"):
        assert flags(name, setting)["bind-address"] == "127.0.0.1"
    assert flags("kwok", setting)["server-address"].startswith("127.0.0.1:")


def test_etcd_requires_client_certificates(setting: Setting) -> None:
    store = flags("etcd", setting)
    assert (store["client-cert-auth"], store["peer-client-cert-auth"]) == ("true", "true")


def test_every_listener_gets_its_own_port(setting: Setting) -> None:
    lines = [" ".join(program.command(setting)) for program in PROGRAMS]
    for port in setting.network.ports.values():
        assert any(f"{port}" in line for line in lines)


def test_admission_webhooks_are_off_unless_asked_for(setting: Setting) -> None:
    asked = Setting(setting.layout, setting.network, setting.bin, webhooks=True)
    for plugin in programs.WEBHOOK_PLUGINS:
        assert plugin in flags("kube-apiserver", setting)["disable-admission-plugins"]
        assert plugin not in flags("kube-apiserver", asked)["disable-admission-plugins"]


def test_the_api_server_authorizes_and_has_the_clusters_service_range(setting: Setting) -> None:
    server = flags("kube-apiserver", setting)
    assert server["authorization-mode"] == "RBAC"
    assert server["service-cluster-ip-range"] == "127.9.0.0/16"
    assert server["allow-privileged"] == "true"


def test_etcd_is_the_first_to_start_and_so_the_last_to_stop() -> None:
    assert [program.name for program in PROGRAMS][:2] == ["etcd", "kube-apiserver"]


# Files


def test_the_kubeconfig_holds_its_certificates_and_is_named_after_the_sandbox(setting: Setting) -> None:
    setting.layout.pki.mkdir()
    for name in ("ca.crt", "client.crt", "client.key"):
        (setting.layout.pki / name).write_text(name)
    content = yaml.safe_load(files.kubeconfig(setting.layout, setting.network))
    assert content["current-context"] == "mesh-dev"
    assert content["contexts"] == [{"name": "mesh-dev", "context": {"cluster": "mesh-dev", "user": "mesh-dev"}}]
    assert content["clusters"][0]["cluster"]["server"] == f"https://127.0.0.1:{setting.network.ports['kube-apiserver']}"
    assert content["users"][0]["user"]["client-key-data"] == "Y2xpZW50LmtleQ=="


def test_files_with_keys_are_readable_by_their_owner_only(setting: Setting) -> None:
    setting.layout.pki.mkdir()
    for name in ("ca.crt", "client.crt", "client.key"):
        (setting.layout.pki / name).write_text(name)
    files.write(setting.layout, setting.network, setting.bin)
    assert setting.layout.kubeconfig.stat().st_mode & 0o777 == 0o600


def test_certificates_that_cannot_be_made_are_a_clear_error(setting: Setting, tmp_path: Path) -> None:
    failing = tmp_path / "mesh-certificates"
    failing.write_text("#!/bin/sh\necho no space left >&2\nexit 1\n")
    failing.chmod(0o755)
    with pytest.raises(SandboxError, match="no space left"):
        files.write(setting.layout, setting.network, tmp_path)


def test_kwok_simulates_load_balancers_and_leaves_webhooks_to_control_planes(setting: Setting) -> None:
    setting.layout.pki.mkdir()
    for name in ("ca.crt", "client.crt", "client.key"):
        (setting.layout.pki / name).write_text(name)
    files.write(setting.layout, setting.network, setting.bin)
    stages = yaml.safe_load_all(setting.layout.stages.read_text())
    assert [stage["spec"]["resourceRef"]["kind"] for stage in stages] == ["Service"]


def test_the_node_has_the_architecture_of_istios_images() -> None:
    assert node.NODE["metadata"]["labels"]["kubernetes.io/arch"] == "amd64"
    assert {"type": "InternalIP", "address": "127.0.0.1"} in node.NODE["status"]["addresses"]


# Commands


READY_NODE = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
BOTH = listing(namespace("default"), namespace("kube-system"))


@pytest.mark.parametrize(
    ("late", "ready"),
    [({}, True), ({"serviceaccounts": listing()}, False), ({"configmaps": listing(namespace("default"))}, False)],
)
def test_a_cluster_is_ready_when_each_namespace_has_what_every_pod_mounts(late: dict[str, Answer], ready: bool) -> None:
    lists = {"namespaces": BOTH, "serviceaccounts": BOTH, "configmaps": BOTH, **late}
    answers = {f"GET /api/v1/{kind}": answer for kind, answer in lists.items()}
    api = FakeApi({f"GET /api/v1/nodes/{node.NAME}": Answer(200, READY_NODE), **answers})
    assert node.usable(api) is ready


def test_a_cluster_that_never_ran_is_stopped() -> None:
    status = sandbox.status(CONTEXT)
    assert (status.state, int(status.state)) == (State.STOPPED, 3)
    assert not sandbox.running(CONTEXT)


def test_stopping_a_stopped_cluster_is_no_error() -> None:
    said = io.StringIO()
    sandbox.stop(CONTEXT, said)
    assert said.getvalue() == "sandbox: not running\n"


@pytest.mark.usefixtures("silence")
def test_an_ended_process_is_reported_with_the_end_of_its_log(setting: Setting) -> None:
    network.network(setting.layout)
    process = Process("kube-scheduler", setting.layout)
    process.start([sys.executable, "-c", "print('early line'); print('panic: no more'); raise SystemExit(1)"])
    until(lambda: not process.alive())
    status = sandbox.status(CONTEXT)
    assert (status.state, int(status.state)) == (State.BROKEN, 1)
    text = "\n".join(status.lines)
    assert f"kube-scheduler (process {process.pid}) has ended\n  its log is {process.log}" in text
    assert "| panic: no more" in text
    assert "etcd was not started" in text


@pytest.fixture
def silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Endpoints that never answer."""

    class Silent:
        def __init__(self, *_: object) -> None:
            pass

        def healthy(self, *_: object) -> bool:
            return False

    monkeypatch.setattr("sandbox.report.Endpoints", Silent)


@pytest.mark.usefixtures("silence")
def test_a_process_that_runs_but_does_not_answer_makes_the_cluster_broken(setting: Setting) -> None:
    network.network(setting.layout)
    for program in PROGRAMS:
        started(program.name, setting.layout)
    status = sandbox.status(CONTEXT)
    assert status.state is State.BROKEN
    assert any("does not answer /readyz" in line and "awake" in line for line in status.lines)


@pytest.mark.parametrize(("crashes", "fails"), [(1, False), (2, True)])
def test_a_kwok_that_crashes_at_its_start_is_started_once_more(
    crashes: int, fails: bool, setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts: list[int] = []

    def start(*_: object) -> bool:
        starts.append(len(starts) + 1)
        command = [sys.executable, "-c", "raise SystemExit('panic')"] if len(starts) <= crashes else SLEEPER
        Process("kwok", setting.layout).start(command)
        return True

    monkeypatch.setattr(cluster, "_start", start)
    monkeypatch.setattr(node, "usable", lambda _: len(starts) > crashes)
    endpoints: Any = SimpleNamespace(api=None)
    said = Progress("sandbox", io.StringIO())
    if fails:
        with pytest.raises(SandboxError, match=r"kwok \(process \d+\) has ended"):
            cluster._start_controllers(setting, endpoints, said)
    else:
        assert cluster._start_controllers(setting, endpoints, said)
    assert starts == [1, 2]


def test_a_process_that_ends_while_starting_is_reported_with_its_log(layout: Layout) -> None:
    process = Process("etcd", layout)
    process.start([sys.executable, "-c", "raise SystemExit('cannot listen')"])
    with pytest.raises(SandboxError, match=r"etcd \(process \d+\) has ended(?s:.)*etcd\.log(?s:.)*cannot listen"):
        cluster._wait(lambda: False, "etcd does not answer", process)


def test_a_process_that_never_answers_is_an_error_after_the_time_limit(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "START_LIMIT", 0.2)
    process = started("etcd", layout)
    with pytest.raises(SandboxError, match=r"etcd does not answer within(?s:.)*etcd\.log"):
        cluster._wait(lambda: False, "etcd does not answer", process)


def test_a_reset_leaves_no_files_and_no_process(layout: Layout) -> None:
    process = started("kwok", layout)
    number = process.pid
    sandbox.reset(CONTEXT, io.StringIO())
    assert not layout.root.exists()
    until(lambda: not process.alive())
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


def test_a_reset_of_one_embedded_cluster_leaves_the_other_alone(layout: Layout) -> None:
    other = paths.layout("mesh-today")
    for folder in (other.run, other.logs):
        folder.mkdir(parents=True)
    process = started("kwok", other)
    sandbox.reset(CONTEXT, io.StringIO())
    assert not layout.root.exists()
    assert process.alive()
    sandbox.reset("mesh-today", io.StringIO())
    assert not other.root.exists()


def test_two_homes_are_two_clusters(tmp_path: Path, layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    process = started("kwok", layout)
    monkeypatch.setenv("MESH_HOME", f"{tmp_path / 'other'}")
    sandbox.reset(CONTEXT, io.StringIO())
    assert sandbox.status(CONTEXT).state is State.STOPPED
    assert process.alive()


def test_the_command_prints_one_message_and_exits_with_the_state() -> None:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "sandbox", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)

    assert run("status").returncode == 3
    assert run("status", "mesh-today").stdout.startswith("mesh-today: stopped")
    assert "invalid choice: 'mesh-tody'" in run("status", "mesh-tody").stderr
    environment |= {"MESH_CACHE": f"{paths.home()}", "PATH": "/nowhere"}
    refused = run("start")
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith("sandbox: Go ")
    assert "Traceback" not in refused.stderr
