"""Installation profiles: what each installs, and how differences are merged."""

from __future__ import annotations

from functools import cache

import pytest

from commands import render
from engine.recorder import Resource
from mesh.core import merge
from mesh.values.values import Values
from tests.releases import RELEASE

pytestmark = pytest.mark.slow

NEEDED = {
    "mesh:istiodRemote": '{"injectionURL": "https://istiod.example.com/inject"}',
    "mesh:global": '{"remotePilotAddress": "192.0.2.7"}',
}
"""What profiles with a control plane elsewhere need."""


def installed(profile: str, kind: str) -> dict[str, Resource]:
    """The objects of a kind that a profile installs, by name."""
    return {r.name: r for r in recorded(profile) if r.type.endswith(f":{kind}")}


@cache
def recorded(profile: str) -> list[Resource]:
    """Everything that the program registers for a profile."""
    needed = {key: value for key, value in NEEDED.items() if profile in ("remote", "external")}
    return render.record("x", {"mesh:profile": profile, **needed})


@pytest.mark.parametrize("name", RELEASE.profiles.names)
def test_every_profile_is_valid_and_its_parent_exists(name: str) -> None:
    parent, _ = RELEASE.profiles.differences[name]
    assert parent is None or parent in RELEASE.profiles.names
    assert isinstance(RELEASE.values(name), Values)


@pytest.mark.parametrize(
    ("profile", "names"),
    [
        ("minimal", ["istiod"]),
        ("default", ["istio-ingressgateway", "istiod"]),
        ("remote", ["istio-ingressgateway", "istiod"]),
        ("preview", ["istio-ingressgateway", "istiod"]),
        ("openshift", ["istio-ingressgateway", "istiod"]),
        ("demo", ["istio-egressgateway", "istio-ingressgateway", "istiod"]),
        ("external", []),
        ("empty", []),
    ],
)
def test_a_profile_installs_its_deployments(profile: str, names: list[str]) -> None:
    assert sorted(installed(profile, "Deployment")) == names


def test_profile_empty_installs_no_objects() -> None:
    assert [r.name for r in recorded("empty") if r.type.startswith("kubernetes:")] == []


def test_profile_external_installs_only_the_injection_webhook() -> None:
    objects = [r.name for r in recorded("external") if r.type.startswith("kubernetes:")]
    assert objects == ["istio-sidecar-injector"]


def test_profile_preview_uses_webassembly_filters_and_dns_capture() -> None:
    filters = installed("preview", "EnvoyFilter")
    machines = [
        patch["patch"]["value"]["typed_config"]["value"]["config"]["vm_config"]
        for patch in filters["stats-filter-1.10"].inputs["spec"]["configPatches"]
    ]
    assert {machine["runtime"] for machine in machines} == {"envoy.wasm.runtime.v8"}
    assert machines[0]["code"]["local"]["filename"].endswith("stats-filter.compiled.wasm")
    (proxy,) = installed("preview", "Deployment")["istio-ingressgateway"].inputs["spec"]["template"]["spec"][
        "containers"
    ]
    assert {"name": "ISTIO_META_DNS_CAPTURE", "value": "true"} in proxy["env"]


def test_profile_openshift_installs_the_cni_plugin_in_the_folders_of_openshift() -> None:
    daemons = installed("openshift", "DaemonSet")["istio-cni-node"].inputs
    assert daemons["metadata"]["namespace"] == "kube-system"
    folders = {v["name"]: v["hostPath"]["path"] for v in daemons["spec"]["template"]["spec"]["volumes"]}
    assert folders == {"cni-bin-dir": "/var/lib/cni/bin", "cni-net-dir": "/etc/cni/multus/net.d"}
    assert sorted(installed("openshift", "ClusterRole")) == [
        "istio-cni",
        "istio-cni-repair-role",
        "istio-reader-istio-system",
        "istiod-istio-system",
    ]


def test_only_profile_openshift_installs_the_cni_plugin() -> None:
    assert [name for name in RELEASE.profiles.names if RELEASE.values(name).cni.enabled] == ["openshift"]


def test_maps_merge_and_lists_are_replaced() -> None:
    base = {"a": {"x": 1, "y": [1, 2]}, "b": 1}
    assert merge.merged(base, {"a": {"y": [3]}, "c": 2}) == {"a": {"x": 1, "y": [3]}, "b": 1, "c": 2}
    assert base["a"] == {"x": 1, "y": [1, 2]}


def test_a_new_gateway_has_the_defaults_of_istios_own_gateway_of_its_kind() -> None:
    found = RELEASE.values("minimal", {"gateways": {"in": {}, "out": {"kind": "egress", "replicaCount": 2}}}).gateways
    own = RELEASE.values("demo").gateways
    assert found["in"] == RELEASE.values("default").gateways["istio-ingressgateway"]
    assert (
        [port.name for port in found["out"].ports]
        == ["http2", "https"]
        == [port.name for port in own["istio-egressgateway"].ports]
    )
    assert (found["out"].type, found["out"].replicaCount) == ("ClusterIP", 2)


def test_a_change_to_a_gateway_keeps_the_other_values_of_the_profile() -> None:
    requests = {"resources": {"requests": {"cpu": "1"}}}
    gateway = RELEASE.values("demo", {"gateways": {"istio-ingressgateway": requests}}).gateways["istio-ingressgateway"]
    assert gateway.resources.requests == {"cpu": "1", "memory": "40Mi"}
    assert gateway.resources.limits == {"cpu": "2000m", "memory": "1024Mi"}
    assert len(gateway.ports) == 5
