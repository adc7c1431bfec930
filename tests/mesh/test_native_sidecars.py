"""Init containers that restart always run as long as the pod: everybody counts them among its containers."""

from __future__ import annotations

from datetime import date
from typing import Any

from mesh.analysis.analyse import analyse
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.analysis.policies import pages, pods, release
from mesh.core.names import DEFAULT_NAMES
from mesh.requests.evaluator import Evaluator
from mesh.requests.types import Request
from tests import meshes
from tests.meshes import Manifest
from tests.releases import RELEASE

PROXY = {"name": "istio-proxy", "image": "docker.io/istio/proxyv2:1.10.3", "restartPolicy": "Always"}


def with_sidecar(name: str, labels: dict[str, str], namespace: str, **container: Any) -> Manifest:
    """A workload with a native sidecar of its own."""
    return meshes.deployment(name, labels, namespace, initContainers=[{**PROXY, **container}])


def found(*objects: Manifest) -> list[tuple[str, str]]:
    made = analyse([Object.read(manifest) for manifest in meshes.changed(objects)], DEFAULT_NAMES)
    return [(finding.code, finding.path) for finding in made]


def test_a_workload_with_one_has_a_proxy_and_is_no_gateway() -> None:
    workload = with_sidecar("ledger", {"app": "ledger"}, "bank")
    (ledger,) = Mesh([Object.read(workload)], DEFAULT_NAMES).workloads.all
    assert (ledger.proxy, ledger.gateway) == (True, False)


def test_an_init_container_of_that_name_that_ends_is_no_proxy() -> None:
    workload = with_sidecar("ledger", {"app": "ledger"}, "bank", restartPolicy="OnFailure")
    (ledger,) = Mesh([Object.read(workload)], DEFAULT_NAMES).workloads.all
    assert not ledger.proxy


def test_a_namespace_of_such_workloads_needs_no_label_and_may_require_mutual_tls() -> None:
    strict = meshes.manifest_of("PeerAuthentication", "default", {"mtls": {"mode": "STRICT"}}, namespace="bank")
    workload = with_sidecar("ledger", {"app": "ledger"}, "bank")
    ports = [{"name": "http", "port": 80}]
    service = meshes.manifest_of("Service", "ledger", {"selector": {"app": "ledger"}, "ports": ports}, namespace="bank")
    assert found(meshes.manifest_of("Namespace", "bank"), workload, service, strict) == []


def test_such_a_workload_can_call_what_requires_mutual_tls() -> None:
    objects = meshes.changed([with_sidecar("ledger", {"app": "ledger"}, "bank")])
    mesh = Mesh([Object.read(manifest) for manifest in objects], DEFAULT_NAMES)
    ledger = mesh.workloads.named("bank", "ledger")
    assert ledger
    (receiver,) = Evaluator(mesh).from_workload(Request(host="front.shop"), ledger).receivers
    assert (receiver.status, receiver.mutual) == (200, True)


def test_another_native_sidecar_must_not_run_as_the_proxys_user() -> None:
    agent = {"name": "agent", "restartPolicy": "Always", "securityContext": {"runAsUser": 1337}}
    workload = meshes.deployment("front", {"app": "front", "version": "v1"}, initContainers=[agent])
    assert ("IST0144", "initContainers[0].securityContext.runAsUser") in found(workload)


def test_limits_are_asked_of_native_sidecars_and_of_no_other_init_container() -> None:
    setup = {"name": "setup", "image": "setup"}
    workload = Object.read(meshes.deployment("front", {}, initContainers=[setup, PROXY], containers=[]))
    assert [one.path for one in pods.without_limits(workload, RELEASE)] == [
        "spec.template.spec.initContainers[1].resources.limits"
    ]


def test_grafana_that_lets_everybody_in_is_seen_in_one() -> None:
    env = [{"name": "GF_AUTH_ANONYMOUS_ENABLED", "value": "true"}]
    grafana = {"name": "grafana", "restartPolicy": "Always", "env": env}
    workload = Object.read(meshes.deployment("front", {}, initContainers=[grafana]))
    assert [one.path for one in pages.anonymous(workload, RELEASE)] == ["spec.template.spec.initContainers[0].env"]


def test_a_release_runs_where_its_proxy_is_one() -> None:
    mesh = Mesh([Object.read(with_sidecar("ledger", {"app": "ledger"}, "bank"))], DEFAULT_NAMES)
    assert [one.code for one in release.past_end_of_life(mesh, RELEASE, today=date(2030, 1, 1))] == ["MESH0307"]
