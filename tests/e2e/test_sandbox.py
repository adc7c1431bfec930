"""The real embedded Kubernetes, in a home of its own."""

import io
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import sandbox
import toolchain
from sandbox import SandboxError, istiod, paths
from sandbox.process import Process
from sandbox.programs import PROGRAMS
from sandbox.report import State

CONTEXT = "mesh-dev"
NAMES = [program.name for program in PROGRAMS]


@pytest.fixture(scope="module", autouse=True)
def ready_after(tmp_path_factory: pytest.TempPathFactory) -> Iterator[float]:
    """Seconds from the first start of a new cluster until pods can run."""
    toolchain.ensure()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MESH_HOME", f"{tmp_path_factory.mktemp('home')}")
        began = time.monotonic()
        sandbox.start(CONTEXT, out=io.StringIO())
        yield time.monotonic() - began
        sandbox.reset(CONTEXT, io.StringIO())


def kubectl(*arguments: str, given: str | None = None, refused: bool = False) -> str:
    """The output of kubectl, or its error message if it is expected to fail."""
    command = [str(toolchain.ensure().bin / "kubectl"), f"--kubeconfig={sandbox.kubeconfig(CONTEXT)}", *arguments]
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, check=False)
    assert bool(done.returncode) == refused, done.stdout + done.stderr
    return done.stderr if refused else done.stdout


def apply(*objects: dict[str, Any], refused: bool = False) -> str:
    """Applies an object on the server, as Pulumi does, with a field manager of its own."""
    items = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    return kubectl("apply", "--server-side", "--field-manager=test", "-f", "-", given=items, refused=refused)


def get(kind: str, name: str) -> Any:
    return json.loads(kubectl("get", kind, name, "-o", "json", "--show-managed-fields"))


def soon(condition: Callable[[], Any], limit: float = 60) -> Any:
    """Waits for a condition, and returns its value; the timeout is long enough for a busy machine."""
    deadline = time.monotonic() + limit
    while not (result := condition()):
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.2)
    return result


def config_map(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"kept": name}}


def process(name: str) -> Process:
    return Process(name, paths.layout(CONTEXT))


def pids() -> dict[str, int]:
    return {name: process(name).pid for name in NAMES}


def kill(name: str) -> None:
    os.kill(process(name).pid, signal.SIGKILL)
    soon(lambda: not process(name).alive())


def test_the_cluster_is_ready_within_fifteen_seconds(ready_after: float) -> None:
    assert ready_after < 15


def test_the_status_shows_every_process_its_port_and_the_release() -> None:
    status = sandbox.status(CONTEXT)
    text = "\n".join(status.lines)
    assert status.state is State.RUNNING
    assert sandbox.running(CONTEXT)
    assert f"{json.loads(kubectl('version', '-o', 'json'))['serverVersion']['gitVersion']}" in text
    for name, pid in pids().items():
        assert any(name in line and f"process {pid}" in line for line in status.lines)


def test_kubectl_has_the_api_servers_release() -> None:
    versions = json.loads(kubectl("version", "-o", "json"))
    assert versions["clientVersion"]["gitVersion"] == versions["serverVersion"]["gitVersion"]


def test_the_user_is_an_administrator_under_rbac() -> None:
    assert kubectl("auth", "can-i", "*", "*", "--all-namespaces") == "yes\n"
    refusal = kubectl("get", "secrets", "--as=somebody", refused=True)
    assert 'User "somebody" cannot list resource' in refusal


def test_a_second_start_changes_nothing_and_is_quick() -> None:
    before, took = pids(), []
    for _ in range(3):
        began = time.monotonic()
        sandbox.start(CONTEXT, out=io.StringIO())
        took.append(time.monotonic() - began)
    assert min(took) < 1  # the machine may be busy with other tests
    assert pids() == before


def test_pods_become_ready_and_stay_ready_over_a_restart() -> None:
    pod = {"spec": {"containers": [{"name": "web", "image": "web", "securityContext": {"privileged": True}}]}}
    labels = {"app": "web"}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, **pod}},
    }
    apply(deployment)
    kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    sandbox.stop(CONTEXT, io.StringIO())
    sandbox.start(CONTEXT, out=io.StringIO())
    kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    conditions = {one["type"]: one["status"] for one in get("deployment", "web")["status"]["conditions"]}
    assert conditions["Available"] == "True"


def test_stop_and_start_keep_objects_ports_and_certificates() -> None:
    apply(config_map("survivor"))
    layout = paths.layout(CONTEXT)
    files = [layout.network, layout.kubeconfig, *sorted(layout.pki.iterdir())]
    before = {file: file.read_bytes() for file in files}
    sandbox.stop(CONTEXT, io.StringIO())
    assert sandbox.status(CONTEXT).state is State.STOPPED
    assert not sandbox.running(CONTEXT)
    sandbox.start(CONTEXT, out=io.StringIO())
    assert {file: file.read_bytes() for file in files} == before
    assert get("configmap", "survivor")["data"] == {"kept": "survivor"}


def test_a_killed_process_is_reported_with_its_log_and_started_again_alone() -> None:
    before = pids()
    kill("kube-scheduler")
    status = sandbox.status(CONTEXT)
    text = "\n".join(status.lines)
    assert status.state is State.BROKEN
    assert not sandbox.running(CONTEXT)
    assert f"kube-scheduler (process {before['kube-scheduler']}) has ended" in text
    assert f"{paths.layout(CONTEXT).logs / 'kube-scheduler.log'}" in text
    sandbox.start(CONTEXT, out=io.StringIO())
    after = pids()
    assert sandbox.running(CONTEXT)
    assert {name for name in NAMES if after[name] != before[name]} == {"kube-scheduler"}


def test_kwok_restarts_with_the_api_server_since_it_does_not_repeat_failed_writes() -> None:
    before = pids()
    kill("kube-apiserver")
    sandbox.start(CONTEXT, out=io.StringIO())
    after = pids()
    assert {name for name in NAMES if after[name] != before[name]} == {"kube-apiserver", "kwok"}


def test_a_killed_etcd_loses_nothing() -> None:
    apply(config_map("written-just-before"))
    kill("etcd")
    sandbox.start(CONTEXT, out=io.StringIO())
    assert get("configmap", "written-just-before")["data"] == {"kept": "written-just-before"}


def test_a_taken_port_is_refused_with_the_other_process() -> None:
    sandbox.stop(CONTEXT, io.StringIO())
    port = json.loads(paths.layout(CONTEXT).network.read_text())["ports"]["kube-apiserver"]
    with socket.create_server(("127.0.0.1", port)), pytest.raises(SandboxError) as refusal:
        sandbox.start(CONTEXT, out=io.StringIO())
    assert f"port {port}, reserved for kube-apiserver" in str(refusal.value)
    assert f"process {os.getpid()}" in str(refusal.value)
    sandbox.start(CONTEXT, out=io.StringIO())
    assert sandbox.running(CONTEXT)


def service(kind: str) -> dict[str, Any]:
    ports = [{"name": "http2", "port": 80, "targetPort": 8080}]
    if kind != "ClusterIP":
        ports[0]["nodePort"] = 31102
    spec = {"type": kind, "selector": {"app": "none"}, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "gateway"}, "spec": spec}


def ingress() -> Any:
    return get("service", "gateway")["status"]["loadBalancer"].get("ingress")


def test_a_load_balancer_gets_an_address_and_loses_it_with_its_type() -> None:
    apply(service("LoadBalancer"))
    [first] = soon(ingress)
    assert first["ip"] == get("service", "gateway")["spec"]["clusterIP"]
    assert first["ip"].startswith("127.")
    apply(service("NodePort"))
    assert ingress() is None
    apply(service("LoadBalancer"))
    assert soon(ingress) == [first]
    apply(service("ClusterIP"))
    assert ingress() is None


ISTIODS = {"istio.io/rev": "default"}
"""The label by which istiod finds its injector's webhooks."""


def control_plane(replicas: int = 1) -> list[dict[str, Any]]:
    """What the sandbox looks at of an istiod of Istio 1.10."""
    labels = {"app": "istiod", **ISTIODS}
    names = {"name": "istiod", "namespace": "istio-system"}
    pod = {"containers": [{"name": "discovery", "image": "docker.io/istio/pilot:1.10.3"}]}
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    ports = [{"name": "https-webhook", "port": 443, "targetPort": 15017}]
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "istio-system"}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": names, "spec": spec},
        {"apiVersion": "v1", "kind": "Service", "metadata": names, "spec": {"selector": labels, "ports": ports}},
    ]


def webhooks(
    kind: str, name: str, labels: dict[str, str], count: int = 2, resource: str = "nothing", service: str = "istiod"
) -> dict[str, Any]:
    webhook = {
        "clientConfig": {"service": {"name": service, "namespace": "istio-system", "path": "/validate"}},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": [resource]}],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": name, "labels": labels},
        "webhooks": [{"name": f"{number}.{name}.io", **webhook} for number in range(count)],
    }


def bundles(kind: str, name: str) -> list[str]:
    found = [webhook["clientConfig"].get("caBundle") for webhook in get(kind, name)["webhooks"]]
    return [bundle for bundle in found if bundle]


def managers(kind: str, name: str, field: str) -> set[str]:
    entries = get(kind, name)["metadata"]["managedFields"]
    return {entry["manager"] for entry in entries if f'"f:{field}"' in json.dumps(entry)}


def test_webhooks_are_patched_once_their_control_plane_stands_and_by_another_field_manager() -> None:
    apply(webhooks("MutatingWebhookConfiguration", "injector", ISTIODS))
    assert bundles("mutatingwebhookconfiguration", "injector") == []
    apply(*control_plane())
    assert len(soon(lambda: bundles("mutatingwebhookconfiguration", "injector"))) == 2
    assert "test" not in managers("mutatingwebhookconfiguration", "injector", "caBundle")
    apply(webhooks("MutatingWebhookConfiguration", "injector", {**ISTIODS, "added": "label"}))
    assert len(bundles("mutatingwebhookconfiguration", "injector")) == 2, "our next apply must leave it alone"


def test_the_status_says_that_the_control_plane_is_simulated() -> None:
    assert istiod.kinds(CONTEXT) == {"default": "simulated"}
    status = sandbox.status(CONTEXT)
    assert status.state is State.RUNNING
    assert any(line.strip().startswith("istiod-default") for line in status.lines)


def test_a_webhook_without_a_ca_bundle_is_patched_again() -> None:
    patch = '[{"op": "remove", "path": "/webhooks/1/clientConfig/caBundle"}]'
    kubectl("patch", "mutatingwebhookconfiguration", "injector", "--type=json", "-p", patch)
    soon(lambda: len(bundles("mutatingwebhookconfiguration", "injector")) == 2)


def test_the_validators_webhooks_are_patched_and_made_to_fail_closed() -> None:
    apply(webhooks("ValidatingWebhookConfiguration", "istiod-istio-system", {}, count=1))
    kubectl(
        "patch",
        "validatingwebhookconfiguration",
        "istiod-istio-system",
        "--type=json",
        "-p",
        '[{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore"}]',
    )
    policies = ["validatingwebhookconfiguration", "istiod-istio-system", "-o", "jsonpath={.webhooks[*].failurePolicy}"]
    soon(lambda: kubectl("get", *policies) == "Fail")
    assert len(soon(lambda: bundles("validatingwebhookconfiguration", "istiod-istio-system"))) == 1
    assert "test" not in managers("validatingwebhookconfiguration", "istiod-istio-system", "failurePolicy")


def test_webhooks_that_are_not_of_a_control_plane_are_not_patched() -> None:
    apply(
        webhooks("MutatingWebhookConfiguration", "foreign", {"app": "foreign"}),
        webhooks("ValidatingWebhookConfiguration", "foreign", {"app": "foreign"}),
        webhooks("MutatingWebhookConfiguration", "elsewhere", ISTIODS, service="istiod-canary"),
        webhooks("MutatingWebhookConfiguration", "last", ISTIODS),
    )
    soon(lambda: bundles("mutatingwebhookconfiguration", "last"))
    assert bundles("mutatingwebhookconfiguration", "foreign") == []
    assert bundles("validatingwebhookconfiguration", "foreign") == []
    assert bundles("mutatingwebhookconfiguration", "elsewhere") == []


def test_admission_webhooks_are_called_unless_they_are_switched_off() -> None:
    apply(webhooks("ValidatingWebhookConfiguration", "istio-validator", ISTIODS, count=1, resource="configmaps"))
    soon(lambda: bundles("validatingwebhookconfiguration", "istio-validator"))
    refused = 'admission webhook "0.istio-validator.io" denied the request: unrecognized type ConfigMap'
    assert refused in apply(config_map("checked"), refused=True)
    sandbox.start(CONTEXT, webhooks=False, out=io.StringIO())
    sandbox.start(CONTEXT, out=io.StringIO())
    apply(config_map("checked"))
    sandbox.start(CONTEXT, webhooks=True, out=io.StringIO())
    assert refused in apply(config_map("checked-again"), refused=True)


def test_a_control_plane_that_is_scaled_to_none_answers_no_webhooks() -> None:
    apply(*control_plane(replicas=0))
    soon(lambda: istiod.kinds(CONTEXT) == {})
    assert "failed calling webhook" in apply(config_map("unchecked"), refused=True)
    kubectl("delete", "validatingwebhookconfiguration", "istio-validator")
    apply(config_map("unchecked"))


def test_two_sandboxes_are_independent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apply(config_map("first"))
    first, first_home = pids(), os.environ["MESH_HOME"]
    monkeypatch.setenv("MESH_HOME", f"{tmp_path}")
    sandbox.start(CONTEXT, out=io.StringIO())
    second = pids()
    try:
        assert "NotFound" in kubectl("get", "configmap", "first", refused=True)
    finally:
        sandbox.reset(CONTEXT, io.StringIO())
    for pid in second.values():
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert list(tmp_path.glob("cluster/*")) == []
    monkeypatch.setenv("MESH_HOME", first_home)
    assert (pids(), sandbox.running(CONTEXT)) == (first, True)
