"""Effects of what settings say of istiod's, gateways' and node agents' workloads, as Istio's own tool has them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mesh import releases
from mesh.config import loading
from mesh.config.settings import SettingsError
from tests.mesh.config.test_installation import INGRESS, Object, env, gateway, installed, pod, proxy

pytestmark = pytest.mark.slow

ISTIOD = "istiod"
SOURCE = {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}


def of(part: str, **settings: object) -> dict[str, Object]:
    """The objects of a stack with settings of istiod or of the ingress gateway."""
    return installed(pilot=settings) if part == ISTIOD else gateway(**settings)


def main(objects: dict[str, Object], name: str) -> Object:
    container: Object = pod(objects, name)["containers"][0]
    return container


def refused(**config: Any) -> str:
    with pytest.raises(SettingsError) as error:
        loading.load({f"mesh:{key}": json.dumps(value) for key, value in config.items()})
    return str(error.value)


both = pytest.mark.parametrize("name", [ISTIOD, INGRESS])


@both
def test_fields_of_a_budget_take_the_place_of_istios_own(name: str) -> None:
    spec = of(name, podDisruptionBudget={"maxUnavailable": 1})[f"PodDisruptionBudget/{name}"]["spec"]
    assert spec["maxUnavailable"] == 1
    assert "minAvailable" not in spec, "Kubernetes takes one of the two"
    assert spec["selector"]["matchLabels"]


@both
def test_an_autoscaler_has_the_metrics_of_its_spec_and_keeps_its_target(name: str) -> None:
    metric = {"type": "Resource", "resource": {"name": "memory", "targetAverageUtilization": 70}}
    spec = of(name, hpaSpec={"maxReplicas": 9, "metrics": [metric]})[f"HorizontalPodAutoscaler/{name}"]["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (1, 9)
    assert [one["resource"]["name"] for one in spec["metrics"]] == ["memory"]
    assert spec["scaleTargetRef"]["name"] == name


@both
def test_fields_of_the_readiness_probe_are_merged_over_istios_own(name: str) -> None:
    probe = main(of(name, readinessProbe={"periodSeconds": 7, "httpGet": {"scheme": "HTTPS"}}), name)["readinessProbe"]
    assert probe["periodSeconds"] == 7
    assert probe["httpGet"]["scheme"] == "HTTPS"
    assert probe["httpGet"]["port"], "the port is Istio's own"


@both
def test_a_priority_class_of_ones_own_counts_more_than_that_of_all(name: str) -> None:
    own = {"priorityClassName": "mine"}
    objects = installed(**{"global": {"priorityClassName": "all"}}, pilot=own, gateways={INGRESS: own})
    assert pod(objects, name)["priorityClassName"] == "mine"
    assert pod(installed(**{"global": {"priorityClassName": "all"}}), name)["priorityClassName"] == "all"


@both
def test_a_strategy_is_merged_over_that_of_the_other_settings(name: str) -> None:
    found = of(name, strategy={"rollingUpdate": {"maxSurge": 1}})[f"Deployment/{name}"]["spec"]["strategy"]
    assert found["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": "25%"}


@both
def test_a_recreated_deployment_has_no_rolling_update(name: str) -> None:
    assert of(name, strategy={"type": "Recreate"})[f"Deployment/{name}"]["spec"]["strategy"] == {"type": "Recreate"}


@both
def test_a_security_context_is_merged_over_istios_own(name: str) -> None:
    found = pod(of(name, securityContext={"fsGroup": 7, "runAsNonRoot": True}), name)["securityContext"]
    assert (found["fsGroup"], found["runAsNonRoot"]) == (7, True)
    assert pod(of(INGRESS, securityContext={"fsGroup": 7}), INGRESS)["securityContext"]["runAsUser"] == 1337


@both
def test_further_fields_of_the_service_are_those_of_its_spec(name: str) -> None:
    spec = of(name, service={"externalIPs": ["192.0.2.1"], "sessionAffinity": "ClientIP"})[f"Service/{name}"]["spec"]
    assert (spec["externalIPs"], spec["sessionAffinity"]) == (["192.0.2.1"], "ClientIP")
    assert spec["ports"]


def test_a_field_of_the_service_that_is_a_setting_of_its_own_is_told_where_it_belongs() -> None:
    text = refused(gateways={INGRESS: {"service": {"type": "NodePort"}}})
    assert text == f"mesh:gateways.{INGRESS}: service has type, which is a setting of its own: set type beside service"


def test_a_port_of_istiods_service_is_changed_by_its_number() -> None:
    ports = installed(pilot={"service": {"ports": [{"port": 443, "nodePort": 30443}]}})["Service/istiod"]["spec"][
        "ports"
    ]
    changed = next(port for port in ports if port["port"] == 443)
    assert (changed["name"], changed["nodePort"], len(ports)) == ("https-webhook", 30443, 4)


@both
def test_a_variable_with_a_source_replaces_one_with_its_name(name: str) -> None:
    objects = of(name, env={"SECRET": "plain"}, envVarFrom=[SOURCE])
    assert [one for one in main(objects, name)["env"] if one["name"] == "SECRET"] == [SOURCE]


@both
def test_images_are_pulled_by_the_policy_of_their_own(name: str) -> None:
    assert main(of(name, imagePullPolicy="Always"), name)["imagePullPolicy"] == "Always"


def test_istiod_comes_from_a_registry_of_its_own_and_gateways_do_not() -> None:
    objects = installed(pilot={"hub": "example.com/istio", "tag": "mine"})
    assert main(objects, ISTIOD)["image"] == "example.com/istio/pilot:mine"
    assert proxy(objects)["image"] == "docker.io/istio/proxyv2:1.10.3"


def test_a_tag_of_its_own_counts_more_than_a_digest() -> None:
    digest = {"pilot": "sha256:" + "0" * 64}
    assert main(installed(images=digest, pilot={"hub": "h"}), ISTIOD)["image"].startswith("h/pilot@sha256:")
    assert main(installed(images=digest, pilot={"tag": "t"}), ISTIOD)["image"] == "docker.io/istio/pilot:t"


def test_a_tag_of_another_release_is_refused_for_one_component_too() -> None:
    assert refused(pilot={"tag": "1.30.3"}).startswith('mesh:pilot.tag: "1.30.3" is of Istio 1.30')


def test_istiod_trusts_a_further_certificate_when_it_fetches_keys() -> None:
    objects = installed(profile="minimal", revision="canary", pilot={"jwksResolverExtraRootCA": "PEM"})
    assert objects["ConfigMap/pilot-jwks-extra-cacerts-canary"]["data"] == {"extra.pem": "PEM"}
    mounts = main(objects, "istiod-canary")["volumeMounts"]
    assert {"name": "extracacerts", "mountPath": "/cacerts"} in mounts


def test_further_secrets_of_a_gateway_come_beside_those_of_the_profile() -> None:
    mine = {"name": "mine", "secretName": "mine", "mountPath": "/mine"}
    changed = {"name": "ingressgateway-certs", "secretName": "other", "mountPath": "/other"}
    volumes = {
        v["name"]: v["secret"]["secretName"]
        for v in pod(gateway(secretVolumes=[mine, changed]), INGRESS)["volumes"]
        if "secret" in v
    }
    assert volumes == {
        "mine": "mine",
        "ingressgateway-certs": "other",
        "ingressgateway-ca-certs": "istio-ingressgateway-ca-certs",
    }


def test_in_release_1_30_secrets_of_a_gateway_replace_those_of_the_profile() -> None:
    mine = {"name": "mine", "secretName": "mine", "mountPath": "/mine"}
    volumes = pod(installed(release="1.30", gateways={INGRESS: {"secretVolumes": [mine]}}), INGRESS)["volumes"]
    assert [volume["name"] for volume in volumes if "secret" in volume] == ["mine"]


def test_pods_keep_away_from_others_by_istios_short_forms() -> None:
    rule = {"key": "security", "operator": "In", "values": "S1,S2", "topologyKey": "zone"}
    weak = {"key": "busy", "operator": "Exists", "topologyKey": "kubernetes.io/hostname"}
    objects = gateway(podAntiAffinityLabelSelector=[rule], podAntiAffinityTermLabelSelector=[weak])
    affinity = pod(objects, INGRESS)["affinity"]
    [required] = affinity["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert required["topologyKey"] == "zone"
    assert required["labelSelector"]["matchExpressions"] == [
        {"key": "security", "operator": "In", "values": ["S1", "S2"]}
    ]
    [preferred] = affinity["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert preferred["weight"] == 100
    assert affinity["nodeAffinity"], "that for the image's architectures stays"


def test_node_affinity_of_a_gateway_is_merged_over_that_for_the_images_architectures() -> None:
    terms = [{"matchExpressions": [{"key": "disk", "operator": "Exists"}]}]
    own = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    found = pod(gateway(affinity={"nodeAffinity": own}), INGRESS)["affinity"]["nodeAffinity"]
    assert found["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"] == terms
    preferred = found["preferredDuringSchedulingIgnoredDuringExecution"]
    assert {one["preference"]["matchExpressions"][0]["key"] for one in preferred} == {"kubernetes.io/arch"}


def test_further_containers_run_beside_the_proxy() -> None:
    names = [
        one["name"] for one in pod(gateway(additionalContainers=[{"name": "log", "image": "l"}]), INGRESS)["containers"]
    ]
    assert names == ["istio-proxy", "log"]


def test_somebody_elses_service_is_not_installed() -> None:
    assert f"Service/{INGRESS}" not in gateway(customService=True)


@pytest.mark.parametrize("release", releases.NAMES)
def test_an_injected_gateway_leaves_the_proxy_to_the_injector(release: str) -> None:
    objects = installed(release=release, gateways={INGRESS: {"injectionTemplate": "gateway", "env": {"A": "b"}}})
    template = objects[f"Deployment/{INGRESS}"]["spec"]["template"]
    assert template["metadata"]["annotations"]["inject.istio.io/templates"] == "gateway"
    assert template["metadata"]["labels"]["sidecar.istio.io/inject"] == "true"
    [container] = template["spec"]["containers"]
    assert container["image"] == "auto"
    assert env(container) == {"A": "b", "ISTIO_META_UNPRIVILEGED_POD": "true"} | (
        {"ISTIO_META_ROUTER_MODE": "standard"} if release == "1.10" else {}
    )
    assert "args" not in container


def test_the_taint_controller_watches_for_the_plugins_own_pods() -> None:
    objects = installed(cni={"enabled": True, "taint": {"enabled": True}})
    names = [one["name"] for one in objects["DaemonSet/istio-cni-node"]["spec"]["template"]["spec"]["containers"]]
    assert names == ["install-cni", "repair-cni", "taint-controller"]
    watched = objects["ConfigMap/istio-cni-taint-configmap"]["data"]["config"]
    assert "k8s-app=istio-cni-node" in watched
    assert objects["ClusterRoleBinding/istio-cni-taint-rolebinding"]["subjects"][0]["name"] == "istio-cni"
    assert "ConfigMap/istio-cni-taint-configmap" not in installed(cni={"enabled": True})


def test_the_plugins_pods_take_over_what_kubernetes_says_of_pods() -> None:
    own = {"priorityClassName": "mine", "nodeSelector": {"disk": "ssd"}, "tolerations": [{"operator": "Exists"}]}
    objects = installed(cni={"enabled": True, "env": {"A": "b"}, "envVarFrom": [SOURCE], **own})
    spec = objects["DaemonSet/istio-cni-node"]["spec"]["template"]["spec"]
    assert spec["priorityClassName"] == "mine"
    assert spec["nodeSelector"] == {"kubernetes.io/os": "linux", "disk": "ssd"}
    assert spec["tolerations"] == [{"operator": "Exists"}]
    assert SOURCE in spec["containers"][0]["env"]
    assert env(spec["containers"][0])["A"] == "b"
    assert SOURCE not in spec["containers"][1]["env"], "they are for the main container"


def test_what_istiod_templates_see_of_the_plugin_are_values_of_its_chart() -> None:
    own = {
        "priorityClassName": "mine",
        "nodeSelector": {"disk": "ssd"},
        "hub": "h",
        "readinessProbe": {"periodSeconds": 3},
    }
    objects = installed(release="1.30", cni={"enabled": True, **own})
    values = json.loads(objects["ConfigMap/istio-sidecar-injector"]["data"]["values"])
    assert values["pilot"]["cni"] == {"enabled": True, "provider": "default"}
