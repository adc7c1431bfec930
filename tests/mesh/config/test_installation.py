"""Effects of settings on the installed objects."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
import yaml

from commands import render

pytestmark = pytest.mark.slow

Object = dict[str, Any]
INGRESS = "istio-ingressgateway"
DIGEST = "sha256:" + "0" * 64


def installed(**config: object) -> dict[str, Object]:
    """The objects that a config installs, by `Kind/name`."""
    text = {f"mesh:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
    return _rendered(tuple(sorted(text.items())))


@cache
def _rendered(config: tuple[tuple[str, str], ...]) -> dict[str, Object]:
    return {f"{m['kind']}/{m['metadata']['name']}": m for m in render.manifests(render.record("x", dict(config)))}


def gateway(**spec: object) -> dict[str, Object]:
    return installed(gateways={INGRESS: spec})


def pod(objects: dict[str, Object], name: str) -> Object:
    spec: Object = objects[f"Deployment/{name}"]["spec"]["template"]["spec"]
    return spec


def proxy(objects: dict[str, Object], name: str = INGRESS) -> Object:
    container: Object = pod(objects, name)["containers"][0]
    return container


def env(container: Object) -> dict[str, str]:
    return {variable["name"]: variable.get("value", "") for variable in container["env"]}


def mesh_config(objects: dict[str, Object], name: str = "istio") -> Object:
    document: Object = yaml.safe_load(objects[f"ConfigMap/{name}"]["data"]["mesh"])
    return document


def injection_values(objects: dict[str, Object]) -> Object:
    values: Object = json.loads(objects["ConfigMap/istio-sidecar-injector"]["data"]["values"])
    return values


# Revisions

OWN = [
    "Deployment/istiod",
    "Service/istiod",
    "PodDisruptionBudget/istiod",
    "HorizontalPodAutoscaler/istiod",
    "ConfigMap/istio",
    "ConfigMap/istio-sidecar-injector",
    "MutatingWebhookConfiguration/istio-sidecar-injector",
    "EnvoyFilter/stats-filter-1.10",
]


@pytest.mark.parametrize("name", OWN)
def test_objects_of_a_single_control_plane_have_the_revision_in_their_names(name: str) -> None:
    objects = installed(profile="minimal", revision="canary")
    assert name not in objects
    assert objects[f"{name}-canary"]["metadata"]["labels"]["istio.io/rev"] == "canary"


def test_a_second_revision_without_the_base_shares_no_objects_with_the_first() -> None:
    first = installed(profile="minimal")
    second = installed(profile="minimal", revision="canary", base={"enabled": False})
    assert len(second) == len(OWN) + 7  # and seven more filters
    assert set(first) & set(second) == set()


def test_a_revision_selects_its_own_pods() -> None:
    objects = installed(profile="minimal", revision="canary")
    labels = objects["Deployment/istiod-canary"]["spec"]["template"]["metadata"]["labels"]
    for kind in ("Service", "PodDisruptionBudget"):
        selector = objects[f"{kind}/istiod-canary"]["spec"]["selector"]
        selector = selector.get("matchLabels", selector)
        assert selector == {"app": "istiod", "istio.io/rev": "canary"}
        assert selector.items() <= labels.items()
    assert labels["istio"] != "pilot", "the default revision's Service would find these pods"


def test_a_revision_injects_only_where_a_label_names_it() -> None:
    objects = installed(revision="canary", injectedNamespaces={"shop": "create"})
    hooks = objects["MutatingWebhookConfiguration/istio-sidecar-injector-canary"]["webhooks"]
    assert [hook["name"].split(".sidecar")[0] for hook in hooks] == ["rev.namespace", "rev.object"]
    assert {hook["clientConfig"]["service"]["name"] for hook in hooks} == {"istiod-canary"}
    assert objects["Namespace/shop"]["metadata"]["labels"] == {"istio.io/rev": "canary"}


def test_proxies_of_a_revision_connect_to_its_istiod() -> None:
    objects = installed(revision="canary")
    assert mesh_config(objects, "istio-canary")["defaultConfig"]["discoveryAddress"].startswith("istiod-canary.")
    assert env(proxy(objects))["CA_ADDR"] == "istiod-canary.istio-system.svc:15012"
    assert env(pod(objects, "istiod-canary")["containers"][0])["REVISION"] == "canary"


def test_the_validation_webhook_calls_the_istiod_of_the_revision() -> None:
    (hook,) = installed(revision="canary")["ValidatingWebhookConfiguration/istiod-istio-system"]["webhooks"]
    assert hook["clientConfig"]["service"]["name"] == "istiod-canary"


# The mesh configuration


def test_mesh_config_overrides_the_defaults_of_the_installation() -> None:
    found = mesh_config(
        installed(
            meshConfig={
                "accessLogFile": "/dev/stdout",
                "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"},
                "defaultConfig": {"concurrency": 4, "tracing": {"sampling": 10}},
            }
        )
    )
    assert found["accessLogFile"] == "/dev/stdout"
    assert found["outboundTrafficPolicy"] == {"mode": "REGISTRY_ONLY"}
    assert found["defaultConfig"]["concurrency"] == 4
    assert found["defaultConfig"]["tracing"] == {"sampling": 10, "zipkin": {"address": "zipkin.istio-system:9411"}}
    assert found["rootNamespace"] == "istio-system"


def test_a_configured_tracer_replaces_the_default_one() -> None:
    tracing = {"lightstep": {"address": "l.example:443", "accessToken": "t"}}
    assert (
        mesh_config(installed(meshConfig={"defaultConfig": {"tracing": tracing}}))["defaultConfig"]["tracing"]
        == tracing
    )


def test_the_trust_domain_and_proxy_metadata_are_set_on_gateways() -> None:
    objects = installed(meshConfig={"trustDomain": "td.example", "defaultConfig": {"proxyMetadata": {"A": "b"}}})
    found = env(proxy(objects))
    assert (found["TRUST_DOMAIN"], found["ISTIO_META_MESH_ID"], found["A"]) == ("td.example", "td.example", "b")


def test_without_prometheus_merge_pods_have_no_scrape_annotations() -> None:
    objects = installed(meshConfig={"enablePrometheusMerge": False})
    for name in (INGRESS, "istiod"):
        annotations = objects[f"Deployment/{name}"]["spec"]["template"]["metadata"]["annotations"]
        assert list(annotations) == ["sidecar.istio.io/inject"]


# istiod


def test_istiod_has_the_configured_scaling_and_scheduling() -> None:
    tolerations = [{"key": "dedicated", "operator": "Exists"}]
    objects = installed(
        pilot={
            "autoscaleMin": 2,
            "autoscaleMax": 9,
            "cpu": {"targetAverageUtilization": 70},
            "nodeSelector": {"pool": "system"},
            "tolerations": tolerations,
        }
    )
    scaler = objects["HorizontalPodAutoscaler/istiod"]["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 9)
    assert scaler["metrics"][0]["resource"]["target"]["averageUtilization"] == 70
    assert pod(objects, "istiod")["nodeSelector"] == {"pool": "system"}
    assert pod(objects, "istiod")["tolerations"] == tolerations


def test_without_an_autoscaler_istiod_has_the_configured_replicas() -> None:
    objects = installed(pilot={"autoscaleEnabled": False, "replicaCount": 3})
    assert objects["Deployment/istiod"]["spec"]["replicas"] == 3
    assert "HorizontalPodAutoscaler/istiod" not in objects


def test_istiod_gets_trace_sampling_and_environment_variables() -> None:
    found = env(pod(installed(pilot={"traceSampling": 12.5, "env": {"PILOT_X": True}}), "istiod")["containers"][0])
    assert found["PILOT_TRACE_SAMPLING"] == "12.5"
    assert found["PILOT_X"] == "true"


# Gateways


def test_a_gateways_service_has_the_configured_fields() -> None:
    objects = gateway(
        serviceAnnotations={"cloud.example/internal": "true"},
        loadBalancerIP="192.0.2.1",
        loadBalancerSourceRanges=["10.0.0.0/8"],
        externalTrafficPolicy="Local",
    )
    service = objects[f"Service/{INGRESS}"]
    assert service["metadata"]["annotations"] == {"cloud.example/internal": "true"}
    assert service["spec"]["loadBalancerIP"] == "192.0.2.1"
    assert service["spec"]["loadBalancerSourceRanges"] == ["10.0.0.0/8"]
    assert service["spec"]["externalTrafficPolicy"] == "Local"


def test_ports_of_a_gateways_service_match_its_container_ports() -> None:
    objects = gateway(
        ports=[{"name": "tls", "port": 443, "targetPort": 8443}, {"name": "dns", "port": 53, "protocol": "UDP"}]
    )
    ports = objects[f"Service/{INGRESS}"]["spec"]["ports"]
    assert [(p["name"], p["targetPort"], p["protocol"]) for p in ports] == [("tls", 8443, "TCP"), ("dns", 53, "UDP")]
    listening = [(p["containerPort"], p["protocol"]) for p in proxy(objects)["ports"]]
    assert listening == [(8443, "TCP"), (53, "UDP"), (15090, "TCP")]


def test_configured_affinity_keeps_the_node_architectures() -> None:
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": INGRESS}}}
    own = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    affinity = pod(gateway(affinity=own), INGRESS)["affinity"]
    assert affinity["podAntiAffinity"] == own["podAntiAffinity"]
    assert "nodeAffinity" in affinity


def test_a_gateway_of_the_profile_can_be_disabled() -> None:
    assert [name for name in gateway(enabled=False) if INGRESS in name] == []


def test_an_additional_gateway_has_labels_of_its_own() -> None:
    objects = installed(gateways={"istio-internal": {"labels": {"team": "web"}}})
    wanted = {"app": "istio-internal", "istio": "internal", "team": "web"}
    assert objects["Service/istio-internal"]["spec"]["selector"] == wanted
    labels = objects["Deployment/istio-internal"]["spec"]["template"]["metadata"]["labels"]
    assert wanted.items() <= labels.items()
    assert not objects[f"Service/{INGRESS}"]["spec"]["selector"].items() <= labels.items()


def test_all_objects_of_a_gateway_are_in_its_namespace() -> None:
    objects = installed(gateways={"edge": {"namespace": "edge"}}, namespaces={"edge": "create"})
    own = [m for name, m in objects.items() if name.split("/")[1].startswith("edge") and "Namespace" not in name]
    assert len(own) == 7
    assert {m["metadata"]["namespace"] for m in own} == {"edge"}
    assert "labels" not in objects["Namespace/edge"]["metadata"]
    assert env(proxy(objects, "edge"))["CA_ADDR"] == "istiod.istio-system.svc:15012"
    assert "/namespaces/edge/" in env(proxy(objects, "edge"))["ISTIO_META_OWNER"]


# What concerns everything


def test_image_pull_secrets_are_set_on_every_service_account_and_sidecar() -> None:
    objects = installed(**{"global": {"imagePullSecrets": ["registry"]}, "cni": {"enabled": True}})
    accounts = [m for m in objects.values() if m["kind"] == "ServiceAccount"]
    assert len(accounts) == 4
    assert all(account["imagePullSecrets"] == [{"name": "registry"}] for account in accounts)
    assert injection_values(objects)["global"]["imagePullSecrets"] == ["registry"]


def test_an_image_pull_policy_is_set_on_every_container() -> None:
    objects = installed(**{"global": {"imagePullPolicy": "Always"}, "cni": {"enabled": True}})
    workloads = [m for m in objects.values() if m["kind"] in ("Deployment", "DaemonSet")]
    found = [c["imagePullPolicy"] for m in workloads for c in m["spec"]["template"]["spec"]["containers"]]
    assert found == ["Always"] * 4


def test_a_digest_replaces_the_tag_wherever_the_image_is_used() -> None:
    objects = installed(images={"pilot": DIGEST, "proxyv2": DIGEST})
    assert pod(objects, "istiod")["containers"][0]["image"] == f"docker.io/istio/pilot@{DIGEST}"
    assert proxy(objects)["image"] == f"docker.io/istio/proxyv2@{DIGEST}"
    for container in ("proxy", "proxy_init"):
        assert injection_values(objects)["global"][container]["image"] == f"docker.io/istio/proxyv2@{DIGEST}"


def test_log_levels_are_set_on_istiod_gateways_and_sidecars() -> None:
    levels = {"logging": {"level": "default:debug"}, "logAsJson": True, "proxy": {"logLevel": "trace"}}
    objects = installed(**{"global": levels})
    for container in (pod(objects, "istiod")["containers"][0], proxy(objects)):
        assert {"--log_output_level=default:debug", "--log_as_json"} <= set(container["args"])
    assert "--proxyLogLevel=trace" in proxy(objects)["args"]
    assert injection_values(objects)["global"]["proxy"]["logLevel"] == "trace"


def test_settings_of_sidecars_are_among_the_injection_values() -> None:
    own = {
        "excludeIPRanges": "10.1.0.0/16",
        "holdApplicationUntilProxyStarts": True,
        "resources": {"limits": {"cpu": 1}},
    }
    found = injection_values(installed(**{"global": {"proxy": own}}))["global"]["proxy"]
    assert found["excludeIPRanges"] == "10.1.0.0/16"
    assert found["holdApplicationUntilProxyStarts"] is True
    assert found["resources"]["limits"] == {"cpu": "1", "memory": "1024Mi"}


def test_telemetry_can_be_disabled() -> None:
    def filters(**telemetry: object) -> list[str]:
        return [name for name in installed(telemetry=telemetry) if name.startswith("EnvoyFilter")]

    assert len(filters()) == 8
    assert filters(enabled=False) == filters(v2={"enabled": False}) == []
    assert [name for name in filters(v2={"prometheus": {"enabled": False}}) if "stats" in name] == []


def test_the_cni_plugin_replaces_the_privileged_init_container() -> None:
    objects = installed(cni={"enabled": True, "namespace": "kube-system", "excludeNamespaces": ["a"]})
    assert injection_values(objects)["istio_cni"] == {"enabled": True}
    network = json.loads(objects["ConfigMap/istio-cni-config"]["data"]["cni_network_config"])
    assert network["kubernetes"]["exclude_namespaces"] == ["a"]
    assert objects["DaemonSet/istio-cni-node"]["metadata"]["namespace"] == "kube-system"
    assert "DaemonSet/istio-cni-node" not in installed()


def test_namespaces_without_a_label_are_injected_if_configured() -> None:
    objects = installed(sidecarInjectorWebhook={"enableNamespacesByDefault": True})
    hooks = objects["MutatingWebhookConfiguration/istio-sidecar-injector"]["webhooks"]
    assert "auto.sidecar-injector.istio.io" in [hook["name"] for hook in hooks]


def test_the_injection_webhook_of_a_remote_control_plane_calls_its_url() -> None:
    url = "https://istiod.example/inject"
    objects = installed(profile="external", istiodRemote={"injectionURL": url})
    hooks = objects["MutatingWebhookConfiguration/istio-sidecar-injector"]["webhooks"]
    assert [hook["clientConfig"] for hook in hooks] == [{"url": url}] * 4
