"""The generated injection templates, which Istio's own code runs (`istioctl kube-inject`).

The istioctl is of a newer Istio, which differs from 1.10's injector in three points (`neutral`). It needs no cluster:
everything that it would read there is given to it as files.
"""

from __future__ import annotations

import copy
import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from mesh.core import kinds, pods
from mesh.core.kinds import GroupKind
from mesh.proxy import inject, injection
from mesh.releases.release import Installation, Release
from tests.releases import RELEASE
from toolchain.checkers import checkers

REFERENCE = os.environ.get("MESH_REFERENCE", "")
CASES = sorted(Path(REFERENCE, f"istio-{RELEASE.version}", "injection").glob("*/injected-*.yaml")) if REFERENCE else []
NAMESPACE = "istio-system"
ZIPKIN = {"zipkin": {"address": "zipkin.istio-system:9411"}}
TRAFFIC = "traffic.sidecar.istio.io"

Object = dict[str, Any]
Injector = Callable[..., list[Object]]


def installed(profile: str) -> tuple[Object, Object]:
    """The injection values and the MeshConfig that a profile installs."""
    found = Installation(release=RELEASE, values=RELEASE.values(profile))
    return RELEASE.injection_values(found), RELEASE.mesh_config(found)


@pytest.fixture(scope="session")
def injector(tmp_path_factory: pytest.TempPathFactory) -> Injector:
    """A function that injects workloads with Istio's code: (values, mesh, *workloads) -> workloads.

    Further arguments are the release, the revision and environment variables of the injector.
    """
    istioctl, folder = checkers() / "istioctl", tmp_path_factory.mktemp("injection")

    def inject(
        values: Object,
        mesh: Object,
        *workloads: Object,
        release: Release = RELEASE,
        revision: str = "default",
        **environment: str,
    ) -> list[Object]:
        data = injection.config_map_data(release.injection_templates(), values)
        texts = {
            "injectConfigFile": data["config"],
            "valuesFile": data["values"],
            "meshConfigFile": yaml.safe_dump(mesh),
            "filename": yaml.safe_dump_all(workloads),
        }
        for name, text in texts.items():
            folder.joinpath(name).write_text(text)
        flags = [f"--{name}={folder / name}" for name in texts]
        done = subprocess.run(
            [istioctl, "kube-inject", f"--revision={revision}", *flags],
            env={**os.environ, "KUBECONFIG": os.devnull, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [found for found in yaml.safe_load_all(done.stdout) if found]

    return inject


def pod(workload: Object) -> Object:
    return pods.template(GroupKind.of(workload), workload)


def proxy(workload: Object) -> Object:
    return next(c for c in pod(workload)["spec"]["containers"] if c["name"] == "istio-proxy")


def env(container: Object) -> dict[str, str]:
    return {variable["name"]: variable.get("value", "") for variable in container["env"]}


def neutral(workload: Object) -> Object:
    """The workload without empty fields, and without the differences of the newer injector:
    it writes the revision into the status, passes no default concurrency, and repeats the mesh's tracer."""
    found: Object = tidy(workload)
    found.pop("status", None)  # Kubernetes' own types write an empty one, each release differently
    notes = pod(found).get("metadata", {}).get("annotations", {})
    if status := notes.get("sidecar.istio.io/status"):
        notes["sidecar.istio.io/status"] = {k: v for k, v in json.loads(status).items() if k != "revision"}
    for container in pod(found)["spec"]["containers"]:
        if container["name"] == "istio-proxy":
            if container["args"][-2:] == ["--concurrency", "2"]:
                del container["args"][-2:]
            for variable in container["env"]:
                if variable["name"] == "PROXY_CONFIG":
                    config = json.loads(variable["value"])
                    variable["value"] = {k: v for k, v in config.items() if (k, v) != ("tracing", ZIPKIN)}
    return found


def tidy(part: Any) -> Any:
    """The value without empty fields, which only have a meaning in an emptyDir."""
    if isinstance(part, dict):
        fields = {key: tidy(value) for key, value in part.items()}
        return {key: value for key, value in fields.items() if key == "emptyDir" or value not in (None, "", {}, [])}
    return [tidy(item) for item in part] if isinstance(part, list) else part


def deployment(annotations: Mapping[str, str] | None = None, **spec: Any) -> Object:
    metadata = {"labels": {"app": "web"}, "annotations": dict(annotations or {})}
    container = {"name": "web", "image": "example.org/web:1", "ports": [{"containerPort": 80, "name": "http"}]}
    template = {"metadata": metadata, "spec": {"containers": [container], **spec}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template},
    }


@pytest.mark.skipif(not REFERENCE, reason="MESH_REFERENCE does not name a folder with Istio's own output")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.stem}")
def test_a_workload_is_injected_as_by_istio(injector: Injector, case: Path) -> None:
    workload = yaml.safe_load(case.with_name("workload.yaml").read_text())
    expected = yaml.safe_load(case.read_text())
    [found] = injector(*installed(case.stem.removeprefix("injected-")), workload)
    assert neutral(found) == neutral(expected)


@pytest.mark.skipif(not REFERENCE, reason="MESH_REFERENCE does not name a folder with Istio's own output")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.stem}")
def test_manual_injection_gives_the_same_result_as_istio(case: Path) -> None:
    workload = yaml.safe_load(case.with_name("workload.yaml").read_text())
    expected = yaml.safe_load(case.read_text())
    found = inject(workload, RELEASE.injector, RELEASE.proxy_config, *installed(case.stem.removeprefix("injected-")))
    assert neutral(in_canonical_quantities(found)) == neutral(expected)


def in_canonical_quantities(workload: Object) -> Object:
    """Kubernetes' types serialize the quantities of the profiles in this format."""
    text = json.dumps(workload).replace('"2000m"', '"2"').replace('"1024Mi"', '"1Gi"')
    found: Object = json.loads(text)
    return found


def test_a_pod_gets_a_gateways_proxy_if_it_selects_that_template(injector: Injector) -> None:
    asked = deployment({"inject.istio.io/templates": "gateway"})
    asked["spec"]["template"]["spec"]["containers"] = [{"name": "istio-proxy", "image": "auto"}]
    [found] = injector(*installed("default"), asked)
    assert proxy(found)["args"][:2] == ["proxy", "router"]
    assert proxy(found)["image"] == f"{RELEASE.hub}/proxyv2:{RELEASE.version}"
    assert "initContainers" not in pod(found)["spec"]


def test_with_the_network_plugin_the_redirection_is_annotated_and_only_validated(injector: Injector) -> None:
    values, mesh = installed("default")
    values["istio_cni"] = {"enabled": True, "chained": False}
    [found] = injector(values, mesh, deployment({f"{TRAFFIC}/excludeOutboundPorts": "3306"}))
    notes, [check] = pod(found)["metadata"]["annotations"], pod(found)["spec"]["initContainers"]
    assert check["name"] == "istio-validation"
    assert check["args"][-2:] == ["--run-validation", "--skip-rule-apply"]
    assert check["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert check["securityContext"]["runAsUser"] == 1337
    assert notes["k8s.v1.cni.cncf.io/networks"] == "istio-cni"
    assert notes[f"{TRAFFIC}/excludeInboundPorts"] == "15020"
    assert notes[f"{TRAFFIC}/excludeOutboundPorts"] == "3306"
    assert notes["sidecar.istio.io/interceptionMode"] == "REDIRECT"


def test_a_pod_without_redirection_keeps_its_own_init_containers(injector: Injector) -> None:
    setup = {"name": "setup", "image": "example.org/setup:1"}
    asked = deployment({"sidecar.istio.io/interceptionMode": "NONE"}, initContainers=[setup])
    [found] = injector(*installed("default"), asked)
    assert [container["name"] for container in pod(found)["spec"]["initContainers"]] == ["setup"]


def test_quotes_and_backslashes_in_the_values_are_kept(injector: Injector) -> None:
    values, mesh = installed("default")
    odd = '1 "2" \\3 {{ 4 }}'
    mesh["defaultConfig"]["proxyMetadata"] = {"ODD": odd}
    values["global"]["proxy"]["lifecycle"] = {"preStop": {"exec": {"command": ["echo", odd]}}}
    [found] = injector(values, mesh, deployment())
    assert env(proxy(found))["ODD"] == odd
    assert proxy(found)["lifecycle"]["preStop"]["exec"]["command"] == ["echo", odd]


def test_volumes_in_annotations_are_mounted_into_the_sidecar(injector: Injector) -> None:
    notes = {
        "sidecar.istio.io/userVolume": '{"keys": {"secret": {"secretName": "keys"}}}',
        "sidecar.istio.io/userVolumeMount": '{"keys": {"mountPath": "/keys", "readOnly": true}}',
    }
    [found] = injector(*installed("default"), deployment(notes))
    assert {"name": "keys", "secret": {"secretName": "keys"}} in pod(found)["spec"]["volumes"]
    assert {"name": "keys", "mountPath": "/keys", "readOnly": True} in proxy(found)["volumeMounts"]


def test_a_pods_own_proxy_container_takes_precedence(injector: Injector) -> None:
    asked = deployment()
    own = {"name": "istio-proxy", "image": "auto", "env": [{"name": "MINE", "value": "1"}]}
    asked["spec"]["template"]["spec"]["containers"].append(own)
    [found] = injector(*installed("default"), asked)
    assert env(proxy(found))["MINE"] == "1"
    assert env(proxy(found))["ISTIO_META_APP_CONTAINERS"] == "web"


def test_core_dumps_add_a_privileged_init_container_after_istio_init(injector: Injector) -> None:
    values, mesh = installed("default")
    values["global"]["proxy"]["enableCoreDump"] = True
    [found] = injector(values, mesh, deployment())
    redirection, dump = pod(found)["spec"]["initContainers"]
    assert (redirection["name"], dump["name"]) == ("istio-init", "enable-core-dump")
    assert dump["securityContext"] == {
        "privileged": True,
        "allowPrivilegeEscalation": True,
        "capabilities": {"add": ["SYS_ADMIN"], "drop": ["ALL"]},
        "readOnlyRootFilesystem": False,
        "runAsUser": 0,
        "runAsGroup": 0,
        "runAsNonRoot": False,
    }
    assert proxy(found)["securityContext"]["readOnlyRootFilesystem"] is False


def test_istiods_environment_variables_reach_the_template(injector: Injector) -> None:
    off = {"ENABLE_LEGACY_FSGROUP_INJECTION": "false", "PILOT_ENABLE_INBOUND_PASSTHROUGH": "false"}
    [usual] = injector(*installed("default"), deployment())
    [switched] = injector(*installed("default"), deployment(), **off)
    assert pod(usual)["spec"]["securityContext"] == {"fsGroup": 1337}
    assert not pod(switched)["spec"].get("securityContext")
    assert "REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION" not in env(proxy(usual))
    assert env(proxy(switched))["REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION"] == "true"


def test_a_tracer_behind_tls_gets_its_certificate_authority(injector: Injector) -> None:
    values, mesh = installed("default")
    values["global"]["proxy"]["tracer"] = "lightstep"
    tls = {"mode": "SIMPLE", "caCertificates": "/etc/lightstep/cacert.pem"}
    lightstep = {"address": "lightstep.example.org:443", "accessToken": "token"}
    mesh["defaultConfig"]["tracing"] = {"tlsSettings": tls, "lightstep": lightstep}
    for found in (
        *injector(values, mesh, deployment()),
        inject(deployment(), RELEASE.injector, RELEASE.proxy_config, values, mesh),
    ):
        mount = {"name": "lightstep-certs", "mountPath": "/etc/lightstep/", "readOnly": True}
        assert mount in proxy(found)["volumeMounts"]
        assert "lightstep-certs" in [volume["name"] for volume in pod(found)["spec"]["volumes"]]


def test_datadog_settings_are_in_the_proxys_environment(injector: Injector) -> None:
    values, mesh = installed("default")
    values["global"]["proxy"]["tracer"] = "datadog"
    given = deployment({"apm.datadoghq.com/env": '{"DD_ENV": "prod", "DD_RATE": 3, "DD_ON": true}'})
    for found in (*injector(values, mesh, given), inject(given, RELEASE.injector, RELEASE.proxy_config, values, mesh)):
        settings = {name: value for name, value in env(proxy(found)).items() if name.startswith("DD_")}
        assert settings == {"DD_ENV": "prod", "DD_RATE": "3", "DD_ON": "true"}


ANNOTATIONS: dict[str, list[str]] = {
    "proxy.istio.io/config": ["concurrency: 4", "proxyMetadata: {A: b}", "interceptionMode: TPROXY"],
    "readiness.status.sidecar.istio.io/periodSeconds": ["7"],
    "sidecar.istio.io/bootstrapOverride": ["boot"],
    "sidecar.istio.io/capNetBindService": ["true", "false"],
    "sidecar.istio.io/interceptionMode": ["REDIRECT", "TPROXY", "NONE"],
    "sidecar.istio.io/logLevel": ["debug"],
    "sidecar.istio.io/proxyCPU": ["50m"],
    "sidecar.istio.io/proxyImage": ["example.org/proxy:9", "no-slash"],
    "sidecar.istio.io/proxyMemoryLimit": ["64Mi"],
    "sidecar.istio.io/userVolumeMount": ['{"b": {"mountPath": "/b"}, "a": {"mountPath": "/a"}}'],
    "status.sidecar.istio.io/port": ["0", "15999"],
    f"{TRAFFIC}/excludeInboundPorts": ["", "81", "15020", "80, 90"],
    f"{TRAFFIC}/includeInboundPorts": ["", "*", "8080"],
    f"{TRAFFIC}/includeOutboundIPRanges": ["", "*", "10.0.0.0/8"],
    f"{TRAFFIC}/includeOutboundPorts": ["", "5432"],
    f"{TRAFFIC}/kubevirtInterfaces": ["net1"],
    "prometheus.io/port": ["9090", "15020"],
    "example.org/note": ["<a> & 'b'", 'a "quote"'],
}
LABELS = ["app", "version", "app.kubernetes.io/name", "service.istio.io/canonical-revision", "istio.io/rev"]
SETTINGS: dict[str, Any] = {
    "revision": "canary",
    "global.caAddress": "ca.example.org:15012",
    "global.imagePullPolicy": "Always",
    "global.imagePullSecrets": ["first", "second"],
    "global.jwtPolicy": "first-party-jwt",
    "global.logAsJson": True,
    "global.meshID": "mesh1",
    "global.mountMtlsCerts": True,
    "global.multiCluster.clusterName": "east",
    "global.network": "net1",
    "global.pilotCertProvider": "kubernetes",
    "global.proxy.enableCoreDump": True,
    "global.proxy.excludeOutboundPorts": "3306",
    "global.proxy.holdApplicationUntilProxyStarts": True,
    "global.proxy.privileged": True,
    "global.sts.servicePort": 15463,
    "istio_cni.enabled": True,
    "sidecarInjectorWebhook.rewriteAppHTTPProbe": False,
}


@st.composite
def cases(draw: st.DrawFn) -> tuple[Object, Object, Object]:
    values, mesh = installed(draw(st.sampled_from(["default", "demo"])))
    for path in draw(st.sets(st.sampled_from(sorted(SETTINGS)), max_size=4)):
        *parents, name = path.split(".")
        place = values
        for parent in parents:
            place = place[parent]
        place[name] = copy.deepcopy(SETTINGS[path])
    names = draw(st.sets(st.sampled_from(sorted(ANNOTATIONS)), max_size=6))
    workload = deployment({name: draw(st.sampled_from(ANNOTATIONS[name])) for name in sorted(names)})
    template = pod(workload)
    template["metadata"]["labels"] = dict.fromkeys(draw(st.sets(st.sampled_from(LABELS))), "x1")
    [container] = template["spec"]["containers"]
    if draw(st.booleans()):
        container["readinessProbe"] = {"httpGet": {"path": "/ready", "port": draw(st.sampled_from(["http", 80]))}}
    if draw(st.booleans()):
        template["spec"]["containers"].append(
            {"name": "log", "image": "l", "ports": [{"containerPort": 9, "name": "z"}]}
        )
        template["spec"]["initContainers"] = [{"name": "setup", "image": "s"}]
    if draw(st.booleans()):
        template["spec"] |= {"serviceAccountName": "me", "volumes": [{"name": "scratch", "emptyDir": {}}]}
    return values, mesh, workload


@pytest.mark.parametrize("kind", pods.TEMPLATES, ids=lambda kind: kind.name)
def test_manual_injection_covers_each_kind_that_istio_injects(injector: Injector, kind: GroupKind) -> None:
    values, mesh = installed("default")
    given: Object = {
        "apiVersion": f"{kind.group}/v1".removeprefix("/"),
        "kind": kind.name,
        "metadata": {"name": "web", "namespace": "shop"},
    }
    place = given
    for name in pods.TEMPLATES[kind]:
        place = place.setdefault(name, {})
    template = pod(deployment())
    place |= {**template, "metadata": {**template.get("metadata", {}), **place.get("metadata", {})}}
    if kind == kinds.CRON_JOB:  # Istio reads and writes labels and annotations of the job, which no pod gets
        given["spec"]["jobTemplate"]["metadata"] = copy.deepcopy(template["metadata"])
    by_hand = inject(given, RELEASE.injector, RELEASE.proxy_config, values, mesh)
    assert [c["name"] for c in pods.pod_spec(kind, by_hand)[1]["containers"]] == ["web", "istio-proxy"]
    [by_istio] = injector(values, mesh, given)
    ours, theirs = neutral(in_canonical_quantities(by_hand)), neutral(by_istio)
    if kind == kinds.CRON_JOB:
        ours, theirs = pod(ours)["spec"], pod(theirs)["spec"]
    assert ours == theirs


@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(case=cases())
def test_manual_injection_and_the_template_agree(injector: Injector, case: tuple[Object, Object, Object]) -> None:
    values, mesh, workload = case
    [by_istio] = injector(values, mesh, workload)
    by_hand = inject(workload, RELEASE.injector, RELEASE.proxy_config, values, mesh)
    assert neutral(in_canonical_quantities(by_hand)) == neutral(by_istio)
