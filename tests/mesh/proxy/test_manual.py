"""Manual injection, which evaluates the same model as the injection template."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from mesh import releases
from mesh.api.proxy_config import MeshProxyConfig
from mesh.proxy import InjectionError, proxyconfig
from mesh.proxy import inject as injected
from mesh.releases.release import Installation
from tests.releases import RELEASE

Object = dict[str, Any]
CONFIG = "proxy.istio.io/config"
TRAFFIC = "traffic.sidecar.istio.io"


def env(container: Object) -> dict[str, str]:
    return {variable["name"]: variable.get("value", "") for variable in container["env"]}


def names(parts: list[Object]) -> list[str]:
    return [part["name"] for part in parts]


def workload(annotations: dict[str, str] | None = None, **spec: Any) -> Object:
    container = {"name": "web", "image": "example.org/web:1", "ports": [{"containerPort": 80, "name": "http"}]}
    metadata: Object = {"labels": {"app": "web", "version": "v2"}}
    if annotations:
        metadata["annotations"] = annotations
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"template": {"metadata": metadata, "spec": {"containers": [container], **spec}}},
    }


def labelled(labels: dict[str, str]) -> Object:
    given = workload()
    given["spec"]["template"]["metadata"]["labels"] |= labels
    return given


def inject(given: Object, mesh: Object | None = None, **settings: Any) -> Object:
    """The pod that manual injection makes; settings by path with `__` between names."""
    installed = Installation(release=RELEASE, values=RELEASE.values("default"))
    values = RELEASE.injection_values(installed)
    for path, value in settings.items():
        *parents, last = path.split("__")
        place = values
        for parent in parents:
            place = place[parent]
        place[last] = value
    mesh = {**RELEASE.mesh_config(installed), **(mesh or {})}
    done = injected(given, RELEASE.injector, RELEASE.proxy_config, values, mesh)
    pod: Object = done if given["kind"] == "Pod" else done["spec"]["template"]
    return pod


def proxy(pod: Object) -> Object:
    return next(c for c in pod["spec"]["containers"] if c["name"] == "istio-proxy")


def test_the_proxy_and_its_init_container_come_last() -> None:
    pod = inject(workload(initContainers=[{"name": "setup", "image": "s"}]))
    assert names(pod["spec"]["containers"]) == ["web", "istio-proxy"]
    assert names(pod["spec"]["initContainers"]) == ["setup", "istio-init"]


def test_the_proxy_comes_first_if_the_application_waits_for_it() -> None:
    pod = inject(workload({CONFIG: "holdApplicationUntilProxyStarts: true"}))
    assert names(pod["spec"]["containers"]) == ["istio-proxy", "web"]
    assert proxy(pod)["lifecycle"]["postStart"]["exec"]["command"] == ["pilot-agent", "wait"]


def test_the_validation_of_the_cni_plugin_comes_before_the_pods_own_init_containers() -> None:
    pod = inject(workload(initContainers=[{"name": "setup", "image": "s"}]), istio_cni__enabled=True)
    assert names(pod["spec"]["initContainers"]) == ["istio-validation", "setup"]


def test_the_given_workload_is_not_changed() -> None:
    given = workload({"a": "b"})
    before = copy.deepcopy(given)
    inject(given)
    assert given == before


@pytest.mark.parametrize(
    "given",
    [
        workload({"sidecar.istio.io/inject": "false"}),
        labelled({"sidecar.istio.io/inject": "false"}),
        workload(hostNetwork=True),
        workload({"sidecar.istio.io/status": "{}"}, containers=[{"name": "istio-proxy", "image": "p"}]),
    ],
    ids=["disabled by annotation", "disabled by label", "host network", "injected already"],
)
def test_a_workload_that_istio_would_not_inject_is_not_changed(given: Object) -> None:
    assert inject(given) == given["spec"]["template"]


def test_an_injected_pod_has_labels_for_its_canonical_service_and_revision() -> None:
    labels = inject(workload())["metadata"]["labels"]
    assert labels["service.istio.io/canonical-name"] == "web"
    assert labels["service.istio.io/canonical-revision"] == "v2"
    assert labels["security.istio.io/tlsMode"] == "istio"


def test_the_uri_of_the_owner_contains_its_kind() -> None:
    found = env(proxy(inject({**workload(), "kind": "StatefulSet"})))
    assert found["ISTIO_META_OWNER"] == "kubernetes://apis/apps/v1/namespaces/shop/statefulsets/web"


def test_container_ports_are_listed_one_a_line() -> None:
    given = workload()
    ports = [{"protocol": "UDP", "containerPort": 53}, {"name": "http", "containerPort": 80}]
    given["spec"]["template"]["spec"]["containers"][0]["ports"] = ports
    lines = env(proxy(inject(given)))["ISTIO_META_POD_PORTS"].splitlines()
    assert lines == ["[", '    {"containerPort":53,"protocol":"UDP"}', '    ,{"name":"http","containerPort":80}', "]"]


def test_probes_are_rewritten_to_the_agent_which_gets_the_originals() -> None:
    given = workload()
    probe = {"httpGet": {"path": "/ready", "port": "http", "scheme": "HTTPS"}, "timeoutSeconds": 4}
    given["spec"]["template"]["spec"]["containers"][0]["readinessProbe"] = probe
    pod = inject(given)
    web = next(c for c in pod["spec"]["containers"] if c["name"] == "web")
    rewritten = {"path": "/app-health/web/readyz", "port": 15020, "scheme": "HTTP"}
    assert web["readinessProbe"] == {"httpGet": rewritten, "timeoutSeconds": 4}
    original = {"httpGet": {"path": "/ready", "port": 80, "scheme": "HTTPS"}, "timeoutSeconds": 4}
    reported = json.loads(env(proxy(pod))["ISTIO_KUBE_APP_PROBERS"])
    assert reported == {"/app-health/web/readyz": original}


@pytest.mark.parametrize("kind", ["readiness", "liveness", "startup"])
def test_each_kind_of_probe_is_rewritten(kind: str) -> None:
    given = workload()
    given["spec"]["template"]["spec"]["containers"][0][f"{kind}Probe"] = {"httpGet": {"path": "/", "port": 80}}
    web = inject(given)["spec"]["containers"][0]
    path = {"readiness": "readyz", "liveness": "livez", "startup": "startupz"}[kind]
    assert web[f"{kind}Probe"] == {"httpGet": {"path": f"/app-health/web/{path}", "port": 15020}}


def test_probes_are_not_rewritten_if_the_pod_or_the_installation_disables_it() -> None:
    given = workload({"sidecar.istio.io/rewriteAppHTTPProbers": "false"})
    given["spec"]["template"]["spec"]["containers"][0]["livenessProbe"] = {"httpGet": {"path": "/", "port": 80}}
    assert "ISTIO_KUBE_APP_PROBERS" not in env(proxy(inject(given)))
    del given["spec"]["template"]["metadata"]["annotations"]
    unwanted = inject(given, sidecarInjectorWebhook__rewriteAppHTTPProbe=False)
    assert "ISTIO_KUBE_APP_PROBERS" not in env(proxy(unwanted))
    assert "ISTIO_KUBE_APP_PROBERS" in env(proxy(inject(given)))


def test_prometheus_scrapes_the_agent_which_gets_the_annotations_of_the_application() -> None:
    pod = inject(workload({"prometheus.io/port": "9090", "prometheus.io/scrape": "true"}))
    assert pod["metadata"]["annotations"]["prometheus.io/port"] == "15020"
    assert json.loads(env(proxy(pod))["ISTIO_PROMETHEUS_ANNOTATIONS"]) == {"scrape": "true", "path": "", "port": "9090"}


@pytest.mark.parametrize("mesh", [{"enablePrometheusMerge": False}, {}])
def test_scraping_is_not_changed_if_merging_metrics_is_disabled(mesh: Object) -> None:
    notes = {} if mesh else {"prometheus.istio.io/merge-metrics": "false"}
    pod = inject(workload({"prometheus.io/port": "9090", **notes}), mesh)
    assert pod["metadata"]["annotations"]["prometheus.io/port"] == "9090"


def test_the_variables_of_cluster_and_network_come_last_and_the_network_is_a_label() -> None:
    pod = inject(workload(), global__multiCluster={"clusterName": "east"}, global__network="net1")
    assert [v["name"] for v in proxy(pod)["env"]][-2:] == ["ISTIO_META_CLUSTER_ID", "ISTIO_META_NETWORK"]
    assert env(proxy(pod))["ISTIO_META_CLUSTER_ID"] == "east"
    assert pod["metadata"]["labels"]["topology.istio.io/network"] == "net1"


def test_the_status_annotation_names_everything_that_injection_added() -> None:
    pod = inject(workload(), global__imagePullSecrets=["pull"])
    status = json.loads(pod["metadata"]["annotations"]["sidecar.istio.io/status"])
    assert status["containers"] == ["istio-proxy"]
    assert status["initContainers"] == ["istio-init"]
    assert status["imagePullSecrets"] == ["pull"]
    assert status["volumes"] == names(pod["spec"]["volumes"])


def test_the_proxy_config_of_a_pod_is_merged_into_that_of_the_mesh() -> None:
    mesh = {"defaultConfig": {"concurrency": 8, "proxyMetadata": {"A": "1", "B": "2"}}}
    pod = inject(workload({CONFIG: "proxyMetadata: {B: own}\ndrainDuration: 45s"}), mesh)
    reported = json.loads(env(proxy(pod))["PROXY_CONFIG"])
    assert reported == {"concurrency": 8, "proxyMetadata": {"A": "1", "B": "own"}}
    assert proxy(pod)["args"][-2:] == ["--concurrency", "8"]
    assert {k: v for k, v in env(proxy(pod)).items() if k in "AB"} == {"A": "1", "B": "own"}


def differences(config: Object) -> Object:
    """What differs from the release's defaults in a mesh with this `defaultConfig`."""
    defaults = RELEASE.proxy_config
    return proxyconfig.differences(defaults, proxyconfig.effective(defaults, {"defaultConfig": config}, {}))


def test_default_values_are_left_out_of_the_proxy_config() -> None:
    assert differences({}) == {}
    written_out = {
        "binaryPath": "/usr/local/bin/envoy",
        "concurrency": 2,
        "configPath": "./etc/istio/proxy",
        "controlPlaneAuthPolicy": "MUTUAL_TLS",
        "discoveryAddress": "istiod.istio-system.svc:15012",
        "drainDuration": "45s",
        "interceptionMode": "REDIRECT",
        "parentShutdownDuration": "60s",
        "proxyAdminPort": 15000,
        "serviceCluster": "istio-proxy",
        "statNameLength": 189,
        "statusPort": 15020,
        "terminationDrainDuration": "5s",
        "zipkinAddress": "",
    }
    assert differences(written_out) == {}
    assert differences({"concurrency": 3, "statusPort": 15020}) == {"concurrency": 3}


def test_a_pod_may_set_every_field_of_proxy_config_and_the_deprecated_ones() -> None:
    lacks = releases.lacks(RELEASE.name)
    known = [name for name in MeshProxyConfig.model_fields if f"MeshProxyConfig.{name}" not in lacks]
    fields = [*known, "zipkinAddress", "sds"]
    config = proxyconfig.effective(RELEASE.proxy_config, {"defaultConfig": dict.fromkeys(fields)}, {})
    assert config.keys() == RELEASE.proxy_config.keys()


def test_an_unknown_field_in_the_default_config_of_the_mesh_is_refused() -> None:
    with pytest.raises(InjectionError, match='defaultConfig: unknown field "conf"'):
        proxyconfig.effective(RELEASE.proxy_config, {"defaultConfig": {"conf": 1}}, {})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({**workload(), "kind": "Rollout"}, 'kind: "Rollout" is not one of Pod, Deployment, StatefulSet'),
        (workload({"inject.istio.io/templates": "gateway"}), "inject.istio.io/templates: manual injection supports"),
        (workload(initContainers=[{"name": "istio-init"}]), "initContainers: istio-init is Istio's own"),
        (workload({CONFIG: "concurency: 1"}), f'{CONFIG}: unknown field "concurency"; did you mean "concurrency"?'),
        (workload({CONFIG: "[1]"}), f"{CONFIG}: expected a mapping, got [1]"),
        (workload({CONFIG: "{"}), f"{CONFIG}: not YAML"),
        (workload({"sidecar.istio.io/userVolume": "[]"}), "sidecar.istio.io/userVolume: expected a JSON object"),
        (workload({"sidecar.istio.io/interceptionMode": "redirect"}), "is not one of REDIRECT, TPROXY, NONE"),
        (workload({"status.sidecar.istio.io/port": "70000"}), '"70000" is not a port, 0..65535'),
        (workload({"prometheus.istio.io/merge-metrics": "yes"}), '"yes" is not true or false'),
        (workload({f"{TRAFFIC}/excludeInboundPorts": "1;2"}), "is not a comma-separated list of ports"),
        (workload({f"{TRAFFIC}/includeInboundPorts": "**"}), "is not `*` or a comma-separated list of ports"),
        (workload({f"{TRAFFIC}/excludeOutboundIPRanges": "10.0.0.0"}), "list of address ranges like 10.0.0.0/8"),
        (workload({f"{TRAFFIC}/includeOutboundIPRanges": "*,10.0.0.0/8"}), "is not `*` or a comma-separated list"),
        (workload({"readiness.status.sidecar.istio.io/periodSeconds": "-1"}), "is not a whole number of at least 0"),
    ],
)
def test_a_workload_that_cannot_be_injected_is_refused_with_the_reason(given: Object, message: str) -> None:
    with pytest.raises(InjectionError) as refusal:
        inject(given)
    assert message in str(refusal.value)
