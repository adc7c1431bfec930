"""The model of the proxy: as a gateway's pod, as a workload with its sidecar, and as values that fold."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from components import meshconfig, profiles, sidecar
from components.release import ISTIO
from components.sidecar import expr, proxyconfig
from components.sidecar.expr import Expr, Node, wire

Object = dict[str, Any]
CONFIG = "proxy.istio.io/config"
TRAFFIC = "traffic.sidecar.istio.io"


def gateway(**args: Any) -> Object:
    return sidecar.gateway_pod(sidecar.ProxyArgs(name="istio-ingressgateway", **args))


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


def inject(given: Object, mesh: Object | None = None, **settings: Any) -> Object:
    """The pod that manual injection makes; settings by path with `__` between names."""
    profile = profiles.profile("default")
    values = meshconfig.injection_values(profile, ISTIO.hub, ISTIO.version, "istio-system")
    for path, value in settings.items():
        *parents, last = path.split("__")
        place = values
        for parent in parents:
            place = place[parent]
        place[last] = value
    mesh = {**meshconfig.mesh(profile, "istio-system"), **(mesh or {})}
    done = sidecar.inject(given, values, mesh)
    pod: Object = done if given["kind"] == "Pod" else done["spec"]["template"]
    return pod


def proxy(pod: Object) -> Object:
    return next(c for c in pod["spec"]["containers"] if c["name"] == "istio-proxy")


# A gateway's own Deployment


def test_a_gateway_listens_on_its_ports_and_for_prometheus() -> None:
    [container] = gateway(ports=(8080, (5353, "UDP")))["containers"]
    listed = [(port["containerPort"], port["protocol"]) for port in container["ports"]]
    assert listed == [(8080, "TCP"), (5353, "UDP"), (15090, "TCP")]


def test_a_gateway_is_not_root_and_may_nothing() -> None:
    pod = gateway()
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["containers"][0]["securityContext"] == {
        "privileged": False,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert env(pod["containers"][0])["ISTIO_META_UNPRIVILEGED_POD"] == "true"


def test_a_gateway_as_root_has_no_limits_of_ours() -> None:
    pod = gateway(runAsRoot=True)
    assert "securityContext" not in pod
    assert "securityContext" not in pod["containers"][0]
    assert "ISTIO_META_UNPRIVILEGED_POD" not in env(pod["containers"][0])


def test_a_revision_leads_a_gateway_to_its_own_istiod() -> None:
    pod = gateway(revision="canary", istioNamespace="mesh")
    assert env(pod["containers"][0])["CA_ADDR"] == "istiod-canary.mesh.svc:15012"
    assert {"name": "istio-canary", "optional": True} in [volume.get("configMap") for volume in pod["volumes"]]


def test_a_certificate_authority_of_ones_own_replaces_istiods_address() -> None:
    assert env(gateway(caAddress="ca.example.org:443")["containers"][0])["CA_ADDR"] == "ca.example.org:443"


def test_a_log_level_left_empty_is_not_passed() -> None:
    assert not [arg for arg in gateway(componentLogLevel="")["containers"][0]["args"] if "Component" in arg]
    assert "--proxyComponentLogLevel=misc:error" in gateway()["containers"][0]["args"]


def test_ordinary_service_account_tokens_need_no_volume() -> None:
    assert "istio-token" in names(gateway()["volumes"])
    assert "istio-token" not in names(gateway(jwtPolicy="first-party-jwt")["volumes"])


def test_the_mesh_id_is_the_trust_domain_unless_there_is_one() -> None:
    assert env(gateway(trustDomain="td")["containers"][0])["ISTIO_META_MESH_ID"] == "td"
    assert env(gateway(trustDomain="td", meshID="m")["containers"][0])["ISTIO_META_MESH_ID"] == "m"


def test_a_network_in_a_gateways_own_environment_wins() -> None:
    args = {"network": "everyone", "env": {"ISTIO_META_NETWORK": "own"}}
    [container] = gateway(**args)["containers"]
    assert [v["value"] for v in container["env"] if v["name"] == "ISTIO_META_NETWORK"] == ["own"]
    assert env(gateway(network="everyone")["containers"][0])["ISTIO_META_NETWORK"] == "everyone"


def test_annotations_of_a_gateway_are_reported_as_json() -> None:
    [container] = gateway(podAnnotations={"b": "2", "a": "1"})["containers"]
    assert env(container)["ISTIO_METAJSON_ANNOTATIONS"] == '{"a":"1","b":"2"}\n'


def test_a_full_image_reference_replaces_hub_and_tag() -> None:
    assert gateway(hub="h", tag="t")["containers"][0]["image"] == "h/proxyv2:t"
    assert (
        gateway(image="example.org/proxy@sha256:0", hub="h")["containers"][0]["image"] == "example.org/proxy@sha256:0"
    )


def test_each_mount_of_a_gateway_has_its_volume_and_a_config_map_may_stay_unmounted() -> None:
    files = sidecar.FileVolume(name="extra", source="extra", path="")
    pod = gateway(
        secretVolumes=sidecar.certificate_volumes("ingressgateway"),
        configVolumes=(files, sidecar.FileVolume(name="more", source="more", path="/more")),
        mountMtlsCerts=True,
    )
    mounted = names(pod["containers"][0]["volumeMounts"])
    assert set(names(pod["volumes"])) - set(mounted) == {"extra"}
    assert set(mounted) <= set(names(pod["volumes"]))
    assert {"ingressgateway-certs", "ingressgateway-ca-certs", "istio-certs", "more"} <= set(mounted)


def test_core_dumps_of_a_gateway_need_a_privileged_init_container() -> None:
    [container] = gateway(enableCoreDump=True)["initContainers"]
    assert container["command"] == ["/bin/sh"]
    assert container["securityContext"] == {
        "privileged": True,
        "runAsUser": 0,
        "runAsGroup": 0,
        "runAsNonRoot": False,
    }
    assert "initContainers" not in gateway()


def test_a_gateway_knows_its_pod_from_the_cluster() -> None:
    [container] = gateway()["containers"]
    fields = {v["name"]: v["valueFrom"]["fieldRef"]["fieldPath"] for v in container["env"] if "valueFrom" in v}
    assert fields == {
        "NODE_NAME": "spec.nodeName",
        "POD_NAME": "metadata.name",
        "POD_NAMESPACE": "metadata.namespace",
        "INSTANCE_IP": "status.podIP",
        "HOST_IP": "status.hostIP",
        "SERVICE_ACCOUNT": "spec.serviceAccountName",
        "CANONICAL_SERVICE": "metadata.labels['service.istio.io/canonical-name']",
        "CANONICAL_REVISION": "metadata.labels['service.istio.io/canonical-revision']",
    }
    owner = "kubernetes://apis/apps/v1/namespaces/istio-system/deployments/istio-ingressgateway"
    assert env(container)["ISTIO_META_OWNER"] == owner


# Manual injection


def test_the_proxy_is_last_and_its_init_container_too() -> None:
    pod = inject(workload(initContainers=[{"name": "setup", "image": "s"}]))
    assert names(pod["spec"]["containers"]) == ["web", "istio-proxy"]
    assert names(pod["spec"]["initContainers"]) == ["setup", "istio-init"]


def test_the_proxy_is_first_where_the_application_waits_for_it() -> None:
    pod = inject(workload({CONFIG: "holdApplicationUntilProxyStarts: true"}))
    assert names(pod["spec"]["containers"]) == ["istio-proxy", "web"]
    assert proxy(pod)["lifecycle"]["postStart"]["exec"]["command"] == ["pilot-agent", "wait"]


def test_the_network_plugins_check_comes_before_the_pods_own_init_containers() -> None:
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
        workload(hostNetwork=True),
        workload({"sidecar.istio.io/status": "{}"}, containers=[{"name": "istio-proxy", "image": "p"}]),
    ],
    ids=["told not to", "host network", "injected already"],
)
def test_what_istio_would_not_inject_stays_as_it_is(given: Object) -> None:
    assert inject(given) == given["spec"]["template"]


def test_labels_say_what_telemetry_calls_the_workload() -> None:
    labels = inject(workload())["metadata"]["labels"]
    assert labels["service.istio.io/canonical-name"] == "web"
    assert labels["service.istio.io/canonical-revision"] == "v2"
    assert labels["security.istio.io/tlsMode"] == "istio"


def test_the_owner_is_named_by_its_kind() -> None:
    found = env(proxy(inject({**workload(), "kind": "StatefulSet"})))
    assert found["ISTIO_META_OWNER"] == "kubernetes://apis/apps/v1/namespaces/shop/statefulsets/web"


def test_ports_are_listed_one_a_line() -> None:
    given = workload()
    ports = [{"protocol": "UDP", "containerPort": 53}, {"name": "http", "containerPort": 80}]
    given["spec"]["template"]["spec"]["containers"][0]["ports"] = ports
    lines = env(proxy(inject(given)))["ISTIO_META_POD_PORTS"].splitlines()
    assert lines == ["[", '    {"containerPort":53,"protocol":"UDP"}', '    ,{"name":"http","containerPort":80}', "]"]


def test_probes_go_to_the_agent_which_knows_where_they_went() -> None:
    given = workload()
    probe = {"httpGet": {"path": "/ready", "port": "http", "scheme": "HTTPS"}, "timeoutSeconds": 4}
    given["spec"]["template"]["spec"]["containers"][0]["readinessProbe"] = probe
    pod = inject(given)
    web = next(c for c in pod["spec"]["containers"] if c["name"] == "web")
    rewritten = {"path": "/app-health/web/readyz", "port": 15020, "scheme": "HTTP"}
    assert web["readinessProbe"] == {"httpGet": rewritten, "timeoutSeconds": 4}
    original = {"httpGet": {"path": "/ready", "port": 80, "scheme": "HTTPS"}, "timeoutSeconds": 4}
    told = json.loads(env(proxy(pod))["ISTIO_KUBE_APP_PROBERS"])
    assert told == {"/app-health/web/readyz": original}


@pytest.mark.parametrize("kind", ["readiness", "liveness", "startup"])
def test_each_kind_of_probe_is_rewritten(kind: str) -> None:
    given = workload()
    given["spec"]["template"]["spec"]["containers"][0][f"{kind}Probe"] = {"httpGet": {"path": "/", "port": 80}}
    web = inject(given)["spec"]["containers"][0]
    path = {"readiness": "readyz", "liveness": "livez", "startup": "startupz"}[kind]
    assert web[f"{kind}Probe"] == {"httpGet": {"path": f"/app-health/web/{path}", "port": 15020}}


def test_probes_stay_where_the_pod_or_the_installation_says_so() -> None:
    given = workload({"sidecar.istio.io/rewriteAppHTTPProbers": "false"})
    given["spec"]["template"]["spec"]["containers"][0]["livenessProbe"] = {"httpGet": {"path": "/", "port": 80}}
    assert "ISTIO_KUBE_APP_PROBERS" not in env(proxy(inject(given)))
    del given["spec"]["template"]["metadata"]["annotations"]
    unwanted = inject(given, sidecarInjectorWebhook__rewriteAppHTTPProbe=False)
    assert "ISTIO_KUBE_APP_PROBERS" not in env(proxy(unwanted))
    assert "ISTIO_KUBE_APP_PROBERS" in env(proxy(inject(given)))


def test_prometheus_is_sent_to_the_agent_which_knows_the_applications_own_metrics() -> None:
    pod = inject(workload({"prometheus.io/port": "9090", "prometheus.io/scrape": "true"}))
    assert pod["metadata"]["annotations"]["prometheus.io/port"] == "15020"
    assert json.loads(env(proxy(pod))["ISTIO_PROMETHEUS_ANNOTATIONS"]) == {"scrape": "true", "path": "", "port": "9090"}


@pytest.mark.parametrize("mesh", [{"enablePrometheusMerge": False}, {}])
def test_metrics_are_left_alone_where_merging_is_off(mesh: Object) -> None:
    notes = {} if mesh else {"prometheus.istio.io/merge-metrics": "false"}
    pod = inject(workload({"prometheus.io/port": "9090", **notes}), mesh)
    assert pod["metadata"]["annotations"]["prometheus.io/port"] == "9090"


def test_a_cluster_and_a_network_come_last_and_the_network_is_a_label() -> None:
    pod = inject(workload(), global__multiCluster={"clusterName": "east"}, global__network="net1")
    assert [v["name"] for v in proxy(pod)["env"]][-2:] == ["ISTIO_META_CLUSTER_ID", "ISTIO_META_NETWORK"]
    assert env(proxy(pod))["ISTIO_META_CLUSTER_ID"] == "east"
    assert pod["metadata"]["labels"]["topology.istio.io/network"] == "net1"


def test_the_status_names_all_that_was_added() -> None:
    pod = inject(workload(), global__imagePullSecrets=["pull"])
    status = json.loads(pod["metadata"]["annotations"]["sidecar.istio.io/status"])
    assert status["containers"] == ["istio-proxy"]
    assert status["initContainers"] == ["istio-init"]
    assert status["imagePullSecrets"] == ["pull"]
    assert status["volumes"] == names(pod["spec"]["volumes"])


def test_a_pods_own_configuration_is_laid_over_the_meshs() -> None:
    mesh = {"defaultConfig": {"concurrency": 8, "proxyMetadata": {"A": "1", "B": "2"}}}
    pod = inject(workload({CONFIG: "proxyMetadata: {B: own}\ndrainDuration: 45s"}), mesh)
    told = json.loads(env(proxy(pod))["PROXY_CONFIG"])
    assert told == {"concurrency": 8, "proxyMetadata": {"A": "1", "B": "own"}}
    assert proxy(pod)["args"][-2:] == ["--concurrency", "8"]
    assert {k: v for k, v in env(proxy(pod)).items() if k in "AB"} == {"A": "1", "B": "own"}


def test_the_default_configuration_needs_no_telling() -> None:
    assert proxyconfig.differences(proxyconfig.effective({}, {})) == {}
    written_out = {"concurrency": 2, "parentShutdownDuration": "60s", "statusPort": 15020, "zipkinAddress": ""}
    assert proxyconfig.differences(proxyconfig.effective({"defaultConfig": written_out}, {})) == {}


def test_a_field_of_the_mesh_that_there_is_not_is_refused() -> None:
    with pytest.raises(sidecar.InjectionError, match='defaultConfig: unknown field "conf"'):
        proxyconfig.effective({"defaultConfig": {"conf": 1}}, {})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({**workload(), "kind": "CronJob"}, 'kind: "CronJob" is not one of Deployment, StatefulSet'),
        (workload({"inject.istio.io/templates": "gateway"}), "inject.istio.io/templates: manual injection knows"),
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
def test_what_cannot_be_injected_is_refused_with_the_reason(given: Object, message: str) -> None:
    with pytest.raises(sidecar.InjectionError) as refusal:
        inject(given)
    assert message in str(refusal.value)


# Values that are known now, or only to the injector


@pytest.mark.parametrize(
    ("function", "args", "known", "text"),
    [
        (expr.join, ("a-", "b", 1, True), "a-b1true", '(printf "a-%v1true" $.x)'),
        (expr.join, ("50%", "b"), "50%b", '(printf "50%%%v" $.x)'),
        (expr.equal, ("a", "b"), False, '(eq "a" $.x)'),
        (expr.differs, ("a", "b"), True, '(ne "a" $.x)'),
        (expr.greater, (2, 1), True, "(gt 2 $.x)"),
        (expr.contains, ("/", "a/b"), True, '(contains "/" $.x)'),
        (expr.either, ("", "b"), "b", '(or "" $.x)'),
        (expr.both, ("a", "b"), "b", '(and "a" $.x)'),
        (expr.value_or, ("", "b"), "b", '(valueOrDefault "" $.x)'),
        (expr.first_of, ("", "b"), "b", '(default $.x "")'),
        (expr.choose, (True, "b", "c"), "b", '(ternary $.x "c" true)'),
    ],
)
def test_a_function_computes_what_is_known_and_writes_down_what_is_not(
    function: Any, args: tuple[Any, ...], known: object, text: str
) -> None:
    assert function(*args) == known
    first, _, *rest = args
    assert function(first, Expr("$.x"), *rest).text == text


def test_a_choice_by_text_asks_whether_the_text_is_empty() -> None:
    chosen = expr.choose(Expr("$.x"), "a", "b")
    assert isinstance(chosen, Expr)
    assert chosen.text == '(ternary "a" "b" (not (not $.x)))'


def test_a_part_is_absent_where_all_of_its_parts_are() -> None:
    model: Node = {"a": {"b": None}, "c": [None, expr.when(False, "x")], "d": {}, "e": [expr.each({}, lambda *_: "x")]}
    assert wire(model) == {"d": {}}


def test_lists_in_a_list_are_spliced_in() -> None:
    assert wire(["a", expr.when(True, ["b", "c"]), expr.each({"k": "v"}, lambda key, value: f"{key}={value}")]) == [
        *("a", "b", "c", "k=v")
    ]


def test_a_model_with_something_unknown_is_no_plain_data() -> None:
    with pytest.raises(TypeError, match="known only to the injector"):
        wire({"a": [Expr("$.x")]})
