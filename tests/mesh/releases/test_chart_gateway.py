"""Gateways as Istio's Helm chart `gateway` makes them, in release 1.30."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from commands import render
from mesh.config import loading
from mesh.config.settings import SettingsError

pytestmark = pytest.mark.slow

Objects = dict[str, dict[str, Any]]
NAME = "edge"


def edge(**spec: Any) -> Objects:
    """The objects of a stack with a gateway of the chart in a namespace of its own, by kind and name."""
    return _installed(json.dumps({"chart": "gateway", "namespace": "edge", **spec}, sort_keys=True))


@cache
def _installed(spec: str) -> Objects:
    keys = {"release": "1.30", "profile": "minimal", "namespaces": '{"edge": "create"}'}
    config = {f"mesh:{key}": value for key, value in {**keys, "gateways": f'{{"{NAME}": {spec}}}'}.items()}
    return {f"{one['kind']}/{one['metadata']['name']}": one for one in render.manifests(render.record("x", config))}


def refused(**spec: Any) -> str:
    with pytest.raises(SettingsError) as error:
        loading.load({"mesh:release": "1.30", "mesh:gateways": json.dumps({NAME: spec})})
    return str(error.value)


def pods(objects: Objects, kind: str = "Deployment") -> dict[str, Any]:
    found: dict[str, Any] = objects[f"{kind}/{NAME}"]["spec"]["template"]
    return found


def test_the_proxy_is_injected_and_opens_low_ports_without_root() -> None:
    template = pods(edge())
    assert template["metadata"]["annotations"]["inject.istio.io/templates"] == "gateway"
    [container] = template["spec"]["containers"]
    assert container["image"] == "auto"
    assert container["securityContext"]["runAsNonRoot"] is True
    assert template["spec"]["securityContext"] == {
        "sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]
    }
    ports = {port["name"]: port["targetPort"] for port in edge()[f"Service/{NAME}"]["spec"]["ports"]}
    assert ports == {"status-port": 15021, "http2": 80, "https": 443}


def test_the_account_and_the_role_are_called_as_the_gateway() -> None:
    objects = edge()
    assert pods(objects)["spec"]["serviceAccountName"] == NAME
    assert {f"ServiceAccount/{NAME}", f"Role/{NAME}", f"RoleBinding/{NAME}"} <= objects.keys()


def test_an_account_that_is_there_already_is_used_and_not_installed() -> None:
    objects = edge(serviceAccount={"create": False, "name": "mine"}, rbac={"enabled": False})
    assert pods(objects)["spec"]["serviceAccountName"] == "mine"
    assert not {f"ServiceAccount/{NAME}", "ServiceAccount/mine", f"Role/{NAME}", "Role/mine"} & objects.keys()


def test_labels_but_two_are_no_part_of_the_selector() -> None:
    objects = edge(labels={"istio": "ingress", "team": "a"})
    selector = {"app": NAME, "istio": "ingress"}
    assert objects[f"Deployment/{NAME}"]["spec"]["selector"]["matchLabels"] == selector
    assert objects[f"Service/{NAME}"]["spec"]["selector"] == selector
    labels = {"team": "a", "istio.io/dataplane-mode": "none"}
    assert labels.items() <= pods(objects)["metadata"]["labels"].items()
    assert labels.items() <= objects[f"Service/{NAME}"]["metadata"]["labels"].items()


def test_a_security_context_of_ones_own_takes_the_place_of_the_charts() -> None:
    spec = pods(edge(securityContext={"runAsUser": 7}, containerSecurityContext={"privileged": False}))["spec"]
    assert spec["securityContext"] == {"runAsUser": 7}
    assert spec["containers"][0]["securityContext"] == {"privileged": False}


def test_a_budget_is_there_only_if_its_spec_is_given() -> None:
    assert f"PodDisruptionBudget/{NAME}" not in edge(autoscaleMin=2)
    budget = edge(autoscaleMin=2, podDisruptionBudget={"minAvailable": 1})[f"PodDisruptionBudget/{NAME}"]
    assert budget["spec"]["minAvailable"] == 1


def test_a_gateway_to_a_network_says_so_to_istiod() -> None:
    objects = edge(networkGateway="west")
    label = {"topology.istio.io/network": "west"}
    assert label.items() <= pods(objects)["metadata"]["labels"].items()
    assert label.items() <= objects[f"Service/{NAME}"]["metadata"]["labels"].items()
    assert label.keys() & objects[f"Deployment/{NAME}"]["metadata"]["labels"].keys() == set()
    env = pods(objects)["spec"]["containers"][0]["env"]
    assert {"name": "ISTIO_META_REQUESTED_NETWORK_VIEW", "value": "west"} in env


def test_a_daemon_set_takes_the_place_of_the_deployment_and_its_autoscaler() -> None:
    objects = edge(daemonSet=True)
    assert pods(objects, "DaemonSet")["spec"]["containers"][0]["image"] == "auto"
    assert not {f"Deployment/{NAME}", f"HorizontalPodAutoscaler/{NAME}"} & objects.keys()


def test_settings_of_the_chart_are_refused_for_other_gateways() -> None:
    assert refused(daemonSet=True).endswith("set chart to gateway")


def test_the_pods_take_over_what_kubernetes_says_of_pods() -> None:
    spread = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
    objects = edge(
        volumes=[{"name": "v", "emptyDir": {}}],
        volumeMounts=[{"name": "v", "mountPath": "/v"}],
        initContainers=[{"name": "first", "image": "i"}],
        lifecycle={"preStop": {"sleep": {"seconds": 3}}},
        topologySpreadConstraints=[spread],
        terminationGracePeriodSeconds=60,
        minReadySeconds=4,
    )
    spec = pods(objects)["spec"]
    assert (spec["volumes"], spec["initContainers"]) == (
        [{"name": "v", "emptyDir": {}}],
        [{"name": "first", "image": "i"}],
    )
    assert spec["containers"][0]["volumeMounts"] == [{"name": "v", "mountPath": "/v"}]
    assert spec["containers"][0]["lifecycle"] == {"preStop": {"sleep": {"seconds": 3}}}
    assert (spec["topologySpreadConstraints"], spec["terminationGracePeriodSeconds"]) == ([spread], 60)
    assert objects[f"Deployment/{NAME}"]["spec"]["minReadySeconds"] == 4


def test_annotations_of_the_gateway_are_those_of_all_its_objects_but_not_of_its_pods() -> None:
    objects = edge(annotations={"example.com/team": "a"})
    for kind in ("Deployment", "Service", "HorizontalPodAutoscaler", "Role", "RoleBinding"):
        assert objects[f"{kind}/{NAME}"]["metadata"]["annotations"]["example.com/team"] == "a"
    assert "example.com/team" not in pods(objects)["metadata"]["annotations"]
