"""Loading a stack's config: what is accepted, and the messages for what is refused."""

import json

import pytest

from mesh.config import loading
from mesh.config.settings import Settings, SettingsError
from tests.releases import RELEASE


def load(command_line: str | None = None, /, **keys: object) -> Settings:
    """The settings of a config with these keys, as Pulumi hands them over."""
    text = {f"mesh:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in keys.items()}
    return loading.load(text, command_line).settings


def refusal(command_line: str | None = None, /, **keys: object) -> str:
    with pytest.raises(SettingsError) as refused:
        load(command_line, **keys)
    return str(refused.value)


def test_an_empty_config_is_the_default_profile_of_the_release() -> None:
    chosen = load()
    assert (chosen.profile, chosen.hub, chosen.tag) == ("default", "docker.io/istio", "1.10.3")
    assert chosen.gateways["istio-ingressgateway"].type == "LoadBalancer"


def test_gateway_service_type_applies_only_to_the_ingress_gateway() -> None:
    gateways = load(profile="demo", gatewayServiceType="NodePort").gateways
    assert gateways["istio-ingressgateway"].type == "NodePort"
    assert gateways["istio-egressgateway"].type == "ClusterIP"


def test_a_misspelt_key_is_refused_with_a_suggestion() -> None:
    assert 'unknown field "profil"; did you mean "profile"?' in refusal(profil="demo")


def test_a_misspelt_profile_is_refused_with_the_choices() -> None:
    assert refusal(profile="demmo") == (
        f'mesh:profile: "demmo" is not one of {", ".join(RELEASE.profiles.names)}; did you mean "demo"?'
    )


def test_a_misspelt_service_type_is_refused_with_the_choices() -> None:
    text = refusal(gatewayServiceType="Nodeport")
    assert text.startswith('mesh:gatewayServiceType: "Nodeport" is not one of LoadBalancer, NodePort, ClusterIP')
    assert text.endswith('did you mean "NodePort"?')


def test_all_problems_are_reported_at_once() -> None:
    text = refusal(profile="demmo", tagg="1.10.3")
    assert "mesh:profile" in text
    assert '"tagg"' in text


@pytest.mark.parametrize("port", [0, 65536, "http"])
def test_an_invalid_node_port_is_refused_with_its_path(port: object) -> None:
    assert "mesh:ingressNodePorts.http2" in refusal(profile="demo", ingressNodePorts={"http2": port})


def test_a_node_port_for_a_port_that_the_gateway_does_not_have_is_refused() -> None:
    text = refusal(profile="demo", gatewayServiceType="NodePort", ingressNodePorts={"htp2": 31102})
    assert 'did you mean "http2"?' in text


def test_two_ports_cannot_have_the_same_node_port() -> None:
    text = refusal(profile="demo", gatewayServiceType="NodePort", ingressNodePorts={"http2": 31102, "tls": 31102})
    assert text == "mesh:ingressNodePorts.tls: 31102 is also the node port of http2"


def test_a_cluster_ip_service_has_no_node_ports() -> None:
    text = refusal(gatewayServiceType="ClusterIP", ingressNodePorts={"http2": 31102})
    assert "choose NodePort or LoadBalancer" in text


def test_node_ports_are_refused_without_an_ingress_gateway() -> None:
    assert "minimal has no ingress gateway" in refusal(profile="minimal", ingressNodePorts={"http2": 31102})


def test_bookinfo_needs_an_injected_namespace() -> None:
    text = refusal(bookinfo={"namespace": "shop"}, injectedNamespaces={"default": "existing"})
    assert "shop is not one of mesh:injectedNamespaces (default)" in text


def test_bookinfo_can_be_enabled_and_disabled() -> None:
    on = load(bookinfo=True, injectedNamespaces={"default": "existing"}).bookinfo
    assert on is not None
    assert on.namespace == "default"
    assert load(bookinfo=False).bookinfo is None


def test_a_namespace_is_created_or_existing() -> None:
    assert "is not one of create, existing" in refusal(injectedNamespaces={"shop": "maybe"})


def test_an_invalid_name_of_a_namespace_is_refused() -> None:
    assert "mesh:injectedNamespaces" in refusal(injectedNamespaces={"My_Shop": "create"})


def test_the_context_of_the_command_line_is_used_if_the_file_has_none() -> None:
    assert load("prod").context == "prod"


def test_a_context_on_the_command_line_cannot_contradict_the_file() -> None:
    assert "contradicts mesh:context staging" in refusal("prod", context="staging")


def test_keys_of_other_config_namespaces_are_ignored() -> None:
    assert loading.load({"aws:region": "x"}).settings.profile == "default"


def test_the_namespace_of_a_gateway_must_be_declared() -> None:
    text = refusal(gateways={"internal": {"namespace": "edge"}})
    assert text.startswith("mesh:gateways.internal.namespace: edge is not one of mesh:namespaces (none)")
    assert load(gateways={"internal": {"namespace": "edge"}}, namespaces={"edge": "existing"}).gateways["internal"]


def test_a_namespace_cannot_be_declared_with_and_without_injection() -> None:
    text = refusal(namespaces={"shop": "create"}, injectedNamespaces={"shop": "create"})
    assert "mesh:namespaces.shop: it is also one of mesh:injectedNamespaces" in text


@pytest.mark.parametrize(
    ("config", "line"),
    [
        (
            {
                "gateways": {
                    "istio-ingressgateway": {"ports": [{"name": "a", "port": 80}, {"name": "b", "port": 70000}]}
                }
            },
            "mesh:gateways.istio-ingressgateway.ports[1].port: 70000 is not in 1..65535",
        ),
        (
            {"gateways": {"istio-ingressgateway": {"typ": "NodePort"}}},
            'mesh:gateways.istio-ingressgateway: unknown field "typ"; did you mean "type"?',
        ),
        (
            {"meshConfig": {"outboundTrafficPolicy": {"mode": "REGISTRY"}}},
            'mesh:meshConfig.outboundTrafficPolicy.mode: "REGISTRY" is not one of REGISTRY_ONLY, ALLOW_ANY',
        ),
        (
            {"meshConfig": {"accesLogFile": "x"}},
            'mesh:meshConfig: unknown field "accesLogFile"; did you mean "accessLog',
        ),
        (
            {"meshConfig": {"defaultConfig": {"tracing": {"zipkin": {"address": "z:1"}, "datadog": {}}}}},
            "mesh:meshConfig.defaultConfig.tracing: only one of zipkin, lightstep",
        ),
        (
            {"meshConfig": {"defaultConfig": {"drainDuration": "soon"}}},
            'mesh:meshConfig.defaultConfig.drainDuration: "soon" is not a duration',
        ),
        (
            {"meshConfig": {"extensionProviders": [{"name": "x"}]}},
            "mesh:meshConfig.extensionProviders[0]: needs one of",
        ),
        ({"pilot": {"traceSampling": 101}}, "mesh:pilot.traceSampling: 101 is not in 0..100"),
        ({"pilot": {"autoscaleMin": 9}}, "mesh:pilot: autoscaleMin 9 is more than autoscaleMax 5"),
        ({"pilot": {"resources": {"requests": {"memory": "1 GB"}}}}, 'mesh:pilot.resources.requests.memory: "1 GB" is'),
        ({"pilot": {"tolerations": [{"effect": "Never"}]}}, 'mesh:pilot.tolerations[0].effect: "Never" is not one of'),
        ({"pilot": 5}, 'mesh:pilot: expected a mapping, got "5"'),
        ({"global": {"proxy": {"logLevel": "warn"}}}, 'mesh:global.proxy.logLevel: "warn" is not one of'),
        ({"global": {"proxi": {}}}, 'mesh:global: unknown field "proxi"; did you mean "proxy"?'),
        (
            {"global": {"multiCluster": {"enabled": True}}},
            "mesh:global: multiCluster.enabled needs a multiCluster.clusterN",
        ),
        ({"tag": f"1.10.3@sha256:{'0' * 64}"}, "mesh:tag: "),
        ({"hub": "docker.io/istio/"}, 'mesh:hub: "docker.io/istio/": a registry and a path, without a trailing slash'),
        ({"images": {"pilto": "x"}}, "mesh:images.pilto"),
        ({"images": {"pilot": "sha256:abc"}}, "mesh:images.pilot"),
        ({"revision": "Canary!"}, "mesh:revision: "),
        (
            {"gateways": {"istio-ingressgateway": {"type": "NodePort", "loadBalancerIP": "192.0.2.1"}}},
            "mesh:gateways.istio-ingressgateway: loadBalancerIP and loadBalancerSourceRanges are for a LoadBalancer",
        ),
        (
            {"gateways": {"istio-ingressgateway": {"loadBalancerSourceRanges": ["10.0.0.0/33"]}}},
            'mesh:gateways.istio-ingressgateway.loadBalancerSourceRanges[0]: "10.0.0.0/33" is not a range',
        ),
        (
            {"gateways": {"istio-ingressgateway": {"ports": []}}},
            "mesh:gateways.istio-ingressgateway.ports: must not be empty",
        ),
        (
            {"gateways": {"out": {"kind": "egress", "ports": [{"name": "a", "port": 1, "nodePort": 31000}]}}},
            "mesh:gateways.out: a ClusterIP Service has no node ports",
        ),
        ({"istiodRemote": {"enabled": True}}, "mesh:pilot.enabled and mesh:istiodRemote.enabled"),
        (
            {"profile": "empty", "injectedNamespaces": {"shop": "existing"}},
            "mesh:injectedNamespaces is set, but the profile empty has no control plane that injects",
        ),
        (
            {"cni": {"enabled": True, "namespace": "plugins"}},
            "mesh:cni.namespace: plugins is not one of mesh:namespaces",
        ),
    ],
)
def test_an_invalid_value_is_refused_with_its_full_path(config: dict[str, object], line: str) -> None:
    assert line in refusal(**config)


def test_the_short_forms_cannot_contradict_the_gateway() -> None:
    own = {"istio-ingressgateway": {"type": "LoadBalancer"}}
    text = refusal(gatewayServiceType="NodePort", gateways=own)
    assert text == "mesh:gatewayServiceType NodePort contradicts mesh:gateways.istio-ingressgateway.type LoadBalancer"
    ports = [{"name": "http2", "port": 80, "nodePort": 31000}]
    text = refusal(ingressNodePorts={"http2": 31001}, gateways={"istio-ingressgateway": {"ports": ports}})
    assert text == "mesh:ingressNodePorts.http2: 31001 contradicts nodePort 31000 in mesh:gateways"


def test_a_short_form_that_makes_the_gateway_invalid_is_refused_with_the_gateways_path() -> None:
    own = {"istio-ingressgateway": {"loadBalancerIP": "192.0.2.1"}}
    text = refusal(
        gatewayServiceType="NodePort", gateways=own, namespaces={"a": "create"}, rateLimit={"namespace": "b"}
    )
    gateway, limit = text.splitlines()
    assert gateway == (
        "mesh:gateways.istio-ingressgateway: loadBalancerIP and loadBalancerSourceRanges are for a LoadBalancer,"
        " this is a NodePort"
    )
    assert limit.startswith("mesh:rateLimit.namespace: b is not one of")


def test_two_gateways_cannot_have_the_same_node_port() -> None:
    ports = [{"name": "tls", "port": 443, "nodePort": 31102}]
    text = refusal(ingressNodePorts={"http2": 31102}, gateways={"internal": {"ports": ports}})
    assert "31102 is also the node port of" in text


def test_the_short_forms_are_applied_to_the_gateway() -> None:
    gateway = load(profile="demo", gatewayServiceType="NodePort", ingressNodePorts={"http2": 31102}).gateways[
        "istio-ingressgateway"
    ]
    assert gateway.type == "NodePort"
    assert {port.name: port.nodePort for port in gateway.ports if port.nodePort} == {"http2": 31102}


def test_a_yaml_number_is_accepted_as_a_quantity() -> None:
    assert load(pilot={"resources": {"requests": {"cpu": 2}}}).pilot.resources.requests["cpu"] == "2"
