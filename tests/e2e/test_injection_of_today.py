"""The injection templates of Istio 1.30, which Istio's own code runs (`istioctl kube-inject`).

The istioctl is newer than 1.30, but injects what 1.30.3's templates inject.
"""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from mesh import releases
from mesh.proxy import inject
from tests import injected
from tests.e2e.test_injection import (
    Injector,
    Object,
    deployment,
    env,
    in_canonical_quantities,
    injector,
    pod,
    tidy,
)

__all__ = ["injector"]

RELEASE = releases.get("1.30")
REFERENCE = Path(os.environ.get("MESH_REFERENCE", "/nowhere"), f"istio-{RELEASE.version}")
CASES = sorted((REFERENCE / "injection").glob("*/injected-*.yaml"))
MISSING = pytest.mark.skipif(not CASES, reason="MESH_REFERENCE does not name a folder with Istio's own output")
NATIVE = "sidecar.istio.io/nativeSidecar"
TRAFFIC = "traffic.sidecar.istio.io"


def read(case: Path) -> tuple[Object, Object, Object, Object]:
    """Injection values and MeshConfig of the case's profile, the workload, and what Istio makes of it."""
    profile = REFERENCE / "profiles" / f"{case.stem.removeprefix('injected-')}.yaml"
    maps = {
        obj["metadata"]["name"]: obj["data"]
        for obj in yaml.safe_load_all(profile.read_text())
        if obj and obj["kind"] == "ConfigMap"
    }
    workload, expected = (yaml.safe_load(path.read_text()) for path in (case.with_name("workload.yaml"), case))
    return maps["istio-sidecar-injector"]["values"], maps["istio"]["mesh"], workload, expected


def by_hand(values: Object, mesh: Object, workload: Object) -> Object:
    made = inject(workload, RELEASE.injector, RELEASE.proxy_config, values, mesh, values["revision"])
    return in_canonical_quantities(made)


def neutral(workload: Object) -> Object:
    """The workload without empty fields, and with what is JSON in it parsed."""
    found: Object = tidy(workload)
    found.pop("status", None)
    spec = pod(found)["spec"]
    for container in [*spec["containers"], *spec.get("initContainers", [])]:
        for variable in container.get("env", []):
            if variable["name"] in ("PROXY_CONFIG", "ISTIO_KUBE_APP_PROBERS"):
                variable["value"] = json.loads(variable["value"])
        for probe in ("startupProbe", "readinessProbe"):
            if container.get(probe, {}).get("initialDelaySeconds") == 0:
                del container[probe]["initialDelaySeconds"]
    return found


def proxy(workload: Object) -> Object:
    spec = pod(workload)["spec"]
    found: Object = next(
        one for one in [*spec["containers"], *spec.get("initContainers", [])] if one["name"] == "istio-proxy"
    )
    return found


@MISSING
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.stem}")
def test_a_workload_is_injected_as_by_istio(injector: Injector, case: Path) -> None:
    values, mesh, workload, expected = read(case)
    [found] = injector(values, mesh, workload, release=RELEASE)
    assert found == expected


@MISSING
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.stem}")
def test_manual_injection_gives_the_same_result_as_istio(case: Path) -> None:
    values, mesh, workload, expected = read(case)
    assert neutral(by_hand(values, mesh, workload)) == neutral(expected)


def test_istiods_variable_makes_proxies_native_sidecars(injector: Injector) -> None:
    switched = {"ENABLE_NATIVE_SIDECARS": "true"}
    opted_out = deployment({NATIVE: "false"})
    native, beside = injector(injected.values(), injected.MESH, deployment(), opted_out, release=RELEASE, **switched)
    assert [one["name"] for one in pod(native)["spec"]["initContainers"]] == ["istio-init", "istio-proxy"]
    assert proxy(native)["restartPolicy"] == "Always"
    assert "restartPolicy" not in proxy(beside)


def test_a_pods_own_proxy_container_is_laid_over_a_native_sidecar(injector: Injector) -> None:
    asked = deployment({NATIVE: "true"})
    own = {"name": "istio-proxy", "image": "auto", "env": [{"name": "MINE", "value": "1"}]}
    pod(asked)["spec"]["containers"].append(own)
    [found] = injector(injected.values(), injected.MESH, asked, release=RELEASE)
    assert [one["name"] for one in pod(found)["spec"]["containers"]] == ["web"]
    assert env(proxy(found))["MINE"] == "1"
    assert proxy(found)["image"] == f"{RELEASE.hub}/proxyv2:{RELEASE.version}"


def test_a_pod_gets_a_gateways_proxy_if_it_selects_that_template(injector: Injector) -> None:
    asked = deployment({"inject.istio.io/templates": "gateway"})
    pod(asked)["spec"]["containers"] = [{"name": "istio-proxy", "image": "auto"}]
    [found] = injector(injected.values(), injected.MESH, asked, release=RELEASE)
    assert proxy(found)["args"][:2] == ["proxy", "router"]
    sysctl = {"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}
    assert pod(found)["spec"]["securityContext"] == {"sysctls": [sysctl]}


def test_a_pod_that_has_a_sidecar_gets_the_same_one_again(injector: Injector) -> None:
    [once] = injector(injected.values(), injected.MESH, deployment(), release=RELEASE)
    [twice] = injector(injected.values(), injected.MESH, copy.deepcopy(once), release=RELEASE)
    assert twice == once


@pytest.mark.parametrize("value", [True, "true"])
def test_the_root_certificate_may_come_from_a_cluster_trust_bundle(injector: Injector, value: object) -> None:
    values = injected.values(pilot__env={"ENABLE_CLUSTER_TRUST_BUNDLE_API": value})
    [found] = injector(values, injected.MESH, deployment(), release=RELEASE)
    [volume] = [one for one in pod(found)["spec"]["volumes"] if one["name"] == "istiod-ca-cert"]
    bundle = {"name": "istio.io:istiod-ca:root-cert", "path": "root-cert.pem"}
    assert volume["projected"] == {"sources": [{"clusterTrustBundle": bundle}]}


ANNOTATIONS: dict[str, list[str]] = {
    NATIVE: ["true", "false", ""],
    "istio.io/reroute-virtual-interfaces": ["net2"],
    "proxy.istio.io/config": [
        "concurrency: 4",
        "image: {imageType: distroless}",
        "interceptionMode: TPROXY",
        "proxyMetadata: {ISTIO_META_ENABLE_HBONE: 'true'}",
        "proxyMetadata: {IPTABLES_TRACE_LOGGING: 'true'}",
        "holdApplicationUntilProxyStarts: true",
    ],
    "readiness.status.sidecar.istio.io/periodSeconds": ["7"],
    "sidecar.istio.io/bootstrapOverride": ["boot"],
    "sidecar.istio.io/capNetBindService": ["true", "false"],
    "sidecar.istio.io/interceptionMode": ["REDIRECT", "TPROXY", "NONE"],
    "sidecar.istio.io/proxyCPU": ["50m"],
    "sidecar.istio.io/proxyImage": ["example.org/proxy:9", "no-slash"],
    "sidecar.istio.io/proxyImageType": ["distroless", "default"],
    "sidecar.istio.io/proxyMemoryLimit": ["64Mi"],
    "sidecar.istio.io/userVolumeMount": ['{"b": {"mountPath": "/b"}, "a": {"mountPath": "/a"}}'],
    "status.sidecar.istio.io/port": ["0", "15999"],
    f"{TRAFFIC}/excludeInboundPorts": ["", "81", "15020"],
    f"{TRAFFIC}/excludeInterfaces": ["eth1"],
    f"{TRAFFIC}/includeOutboundPorts": ["", "5432"],
    f"{TRAFFIC}/kubevirtInterfaces": ["net1"],
    "kubectl.kubernetes.io/default-container": ["mine"],
    "prometheus.io/port": ["9090", "15020"],
    "prometheus.io/scrape": ["true", "false"],
}
LABELS = ["app", "version", "app.kubernetes.io/version", "service.istio.io/workload-name", "topology.istio.io/network"]
SETTINGS: dict[str, Any] = {
    "global__caAddress": "ca.example.org:15012",
    "global__caName": "GkeWorkloadCertificate",
    "global__imagePullSecrets": ["first", "second"],
    "global__logAsJson": True,
    "global__mountMtlsCerts": True,
    "global__nativeNftables": True,
    "global__network": "net1",
    "global__pilotCertProvider": "kubernetes",
    "global__proxy__outlierLogPath": "/dev/stdout",
    "global__proxy__resources": {"requests": {"cpu": "1", "memory": None}, "limits": None},
    "global__proxy__seccompProfile": {"type": "RuntimeDefault"},
    "global__proxy__startupProbe": {"enabled": False, "failureThreshold": 600},
    "global__proxy_init__forceApplyIptables": True,
    "global__trustBundleName": "bundle",
    "global__variant": "debug",
    "pilot__cni": {"enabled": True, "provider": "multus"},
    "revision": "canary",
}
MESHES: list[Object] = [
    {"inboundTrafficPolicy": {"mode": "LOCALHOST"}, "proxyListenPort": 16001},
    {"defaultConfig": {"statusPort": 15030, "proxyMetadata": {"ODD": 'a "b" \\c {{ d }}'}}},
]


@st.composite
def cases(draw: st.DrawFn) -> tuple[Object, Object, Object]:
    chosen = draw(st.sets(st.sampled_from(sorted(SETTINGS)), max_size=4))
    values = injected.values(**{path: copy.deepcopy(SETTINGS[path]) for path in sorted(chosen)})
    mesh = {**injected.MESH, **draw(st.sampled_from([{}, *MESHES]))}
    names = draw(st.sets(st.sampled_from(sorted(ANNOTATIONS)), max_size=6))
    workload = deployment({name: draw(st.sampled_from(ANNOTATIONS[name])) for name in sorted(names)})
    template = pod(workload)
    template["metadata"]["labels"] = dict.fromkeys(draw(st.sets(st.sampled_from(LABELS))), "x1")
    [container] = template["spec"]["containers"]
    probes = [{"httpGet": {"port": "http"}}, {"tcpSocket": {"port": 80}}, {"grpc": {"port": 9}}]
    if draw(st.booleans()):
        container["livenessProbe"] = copy.deepcopy(draw(st.sampled_from(probes)))
    if draw(st.booleans()):
        template["spec"]["containers"].append({"name": "log", "image": "l"})
        template["spec"]["initContainers"] = [{"name": "setup", "image": "s"}]
    return values, mesh, workload


@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(case=cases())
def test_manual_injection_and_the_template_agree(injector: Injector, case: tuple[Object, Object, Object]) -> None:
    values, mesh, workload = case
    [by_istio] = injector(values, mesh, workload, release=RELEASE, revision=values["revision"] or "default")
    assert neutral(by_hand(values, mesh, workload)) == neutral(by_istio)
