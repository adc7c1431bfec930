"""Control planes on another cluster: their addresses, webhooks, permissions, and the networks of the mesh."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
import yaml

from tests.mesh.config.test_root_namespace import objects, problem

pytestmark = pytest.mark.slow

URL: Final = "https://istiod.example.com:15017/inject"
INJECTED: Final = {"istiodRemote": {"injectionURL": URL}}
READ: Final = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create", "get", "list", "watch", "update"]}
NETWORKS: Final = {
    "east": {
        "endpoints": [{"fromCidr": "192.168.0.1/24"}],
        "gateways": [{"address": "192.0.2.1", "port": 15443, "locality": "us/east"}],
    },
    "west": {
        "endpoints": [{"fromRegistry": "west"}],
        "gateways": [{"registryServiceName": "gateway.istio-system.svc.cluster.local", "port": 443}],
    },
}


def address(value: str) -> dict[str, Any]:
    return {"global": {"remotePilotAddress": value}}


def discovery(made: dict[str, Any]) -> str:
    found: str = yaml.safe_load(made["ConfigMap istio"]["data"]["mesh"])["defaultConfig"]["discoveryAddress"]
    return found


# Istio 1.10


def test_beside_an_istiod_of_1_10_the_address_has_a_service_of_its_own() -> None:
    made = objects(profile="remote", **address("192.0.2.7"))
    assert discovery(made) == "istiod-remote.istio-system.svc:15012"
    assert made["Service istiod-remote"]["spec"]["clusterIP"] == "None"
    port = {"name": "tcp-istiod", "port": 15012, "protocol": "TCP"}
    assert made["Endpoints istiod-remote"]["subsets"] == [{"addresses": [{"ip": "192.0.2.7"}], "ports": [port]}]
    assert "Deployment istiod" in made


def test_beside_an_istiod_of_1_10_a_host_name_is_refused() -> None:
    said = problem(profile="remote", **address("istiod.example.com"))
    assert said.startswith("mesh:global.remotePilotAddress: istiod.example.com is a host name")


def test_without_an_istiod_the_service_of_1_10_has_the_usual_name_and_the_base_brings_it() -> None:
    external = {"profile": "external", **INJECTED, **address("istiod.example.com")}
    made = objects(base={"enabled": True}, **external)
    assert made["Service istiod"]["spec"]["externalName"] == "istiod.example.com"
    assert "Service istiod" not in objects(**external)


def test_an_external_istiod_validates_and_manages_a_cluster_of_1_10() -> None:
    url = "https://istiod.example.com:15017/validate"
    base = {"enabled": True, "validationURL": url}
    made = objects(profile="external", base=base, **INJECTED, **{"global": {"externalIstiod": True}})
    [hook] = made["ValidatingWebhookConfiguration istiod-istio-system"]["webhooks"]
    assert hook["clientConfig"] == {"url": url}
    assert READ in made["ClusterRole istio-reader-istio-system"]["rules"]
    assert READ not in objects()["ClusterRole istio-reader-istio-system"]["rules"]


# Istio 1.30


def test_an_istiod_that_injects_only_is_beside_the_address_of_the_one_that_serves() -> None:
    own = {"remotePilotAddress": "192.0.2.7", "omitSidecarInjectorConfigMap": False}
    made = objects(
        release="1.30",
        profile="remote",
        pilot={"configMap": True},
        istiodRemote={"enabledLocalInjectorIstiod": True},
        **{"global": own},
    )
    assert discovery(made) == "istiod-remote.istio-system.svc:15012"
    assert {"Deployment istiod", "Service istiod", "Service istiod-remote", "ServiceAccount istiod"} <= made.keys()
    assert made["EndpointSlice istiod-remote"]["endpoints"] == [{"addresses": ["192.0.2.7"]}]
    assert "ValidatingWebhookConfiguration istio-validator-istio-system" in made


def test_the_service_that_leads_elsewhere_has_the_ip_families_of_the_values() -> None:
    families = {"ipFamilyPolicy": "RequireDualStack", "ipFamilies": ["IPv4", "IPv6"]}
    made = objects(release="1.30", profile="remote", **{"global": {"remotePilotAddress": "192.0.2.7", **families}})
    assert made["Service istiod"]["spec"].items() >= families.items()


def test_an_istiod_that_injects_only_needs_its_config_maps() -> None:
    remote = {"enabledLocalInjectorIstiod": True}
    said = problem(release="1.30", profile="remote", istiodRemote=remote, **address("192.0.2.7"))
    assert "set mesh:pilot.configMap to true and mesh:global.omitSidecarInjectorConfigMap to false" in said


def test_an_external_control_plane_knows_that_it_is_one() -> None:
    made = objects(release="1.30", **{"global": {"externalIstiod": True}})
    [container] = made["Deployment istiod"]["spec"]["template"]["spec"]["containers"]
    assert {"name": "EXTERNAL_ISTIOD", "value": "true"} in container["env"]


def test_a_cluster_that_holds_the_configuration_of_a_remote_istiod_may_have_traffic() -> None:
    traffic = {"services": {"cart": {"namespace": "shop", "timeout": "2s"}}}
    shop = {"injectedNamespaces": {"shop": "create"}, "traffic": traffic, "release": "1.30", "profile": "remote"}
    assert "VirtualService cart" in objects(**shop, **INJECTED, **{"global": {"configCluster": True}})
    assert "has no istiod that serves it" in problem(**shop, **INJECTED)


# Both


@pytest.mark.parametrize(
    ("release", "profile", "key"),
    [
        ("1.10", "remote", "global.remotePilotAddress"),
        ("1.10", "external", "istiodRemote.injectionURL"),
        ("1.30", "remote", "global.remotePilotAddress"),
    ],
)
def test_a_profile_names_the_value_that_it_needs(release: str, profile: str, key: str) -> None:
    said = problem(release=release, profile=profile)
    assert said.startswith(f"mesh:{key}: the profile {profile} needs it")
    assert "\n" not in said


@pytest.mark.parametrize("release", ["1.10", "1.30"])
def test_istiod_and_templates_get_the_networks_as_they_are_written(release: str) -> None:
    made = objects(release=release, **{"global": {"meshNetworks": NETWORKS}})
    assert yaml.safe_load(made["ConfigMap istio"]["data"]["meshNetworks"]) == {"networks": NETWORKS}
    values = json.loads(made["ConfigMap istio-sidecar-injector"]["data"]["values"])
    assert values["global"]["meshNetworks"] == NETWORKS


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ({"endpoints": [{}]}, "endpoints[0]: needs exactly one of fromRegistry, fromCidr"),
        ({"endpoints": [{"fromCidr": "here"}]}, 'endpoints[0].fromCidr: "here" is not a range of addresses'),
        ({"gateways": [{"port": 1}]}, "gateways[0]: needs exactly one of address, registryServiceName"),
        ({"gateways": [{"address": "a.example", "port": 1}]}, "gateways[0].address: a.example is a host name"),
    ],
)
def test_a_network_that_istiod_would_refuse_is_refused(network: dict[str, Any], said: str) -> None:
    assert f"mesh:global.meshNetworks.east.{said}" in problem(**{"global": {"meshNetworks": {"east": network}}})
