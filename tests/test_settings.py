"""A stack's config: what is accepted, and the words for what is not."""

import json

import pytest

from components import profiles, settings
from components.settings import Settings, SettingsError


def load(command_line: str | None = None, /, **keys: object) -> Settings:
    """The settings of a config with these keys, as Pulumi hands them over."""
    text = {f"mesh:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in keys.items()}
    return settings.load(text, command_line)


def refusal(command_line: str | None = None, /, **keys: object) -> str:
    with pytest.raises(SettingsError) as refused:
        load(command_line, **keys)
    return str(refused.value)


def test_nothing_configured_is_the_default_profile_of_the_release() -> None:
    chosen = load()
    assert (chosen.profile, chosen.hub, chosen.tag) == ("default", "docker.io/istio", "1.10.3")
    assert chosen.gateways["istio-ingressgateway"].type == "LoadBalancer"


def test_the_service_type_is_that_of_the_ingress_gateway_alone() -> None:
    gateways = load(profile="demo", gatewayServiceType="NodePort").gateways
    assert gateways["istio-ingressgateway"].type == "NodePort"
    assert gateways["istio-egressgateway"].type == "ClusterIP"


def test_a_misspelt_key_is_refused_with_the_nearest_name() -> None:
    assert 'unknown field "profil"; did you mean "profile"?' in refusal(profil="demo")


def test_a_misspelt_profile_is_refused_with_the_choices() -> None:
    assert refusal(profile="demmo") == (
        f'mesh:profile: "demmo" is not one of {", ".join(profiles.NAMES)}; did you mean "demo"?'
    )


def test_a_misspelt_service_type_is_refused_with_the_choices() -> None:
    text = refusal(gatewayServiceType="Nodeport")
    assert text.startswith('mesh:gatewayServiceType: "Nodeport" is not one of LoadBalancer, NodePort, ClusterIP')
    assert text.endswith('did you mean "NodePort"?')


def test_all_problems_are_named_at_once() -> None:
    text = refusal(profile="demmo", tagg="1.10.3")
    assert "mesh:profile" in text
    assert '"tagg"' in text


@pytest.mark.parametrize("port", [0, 65536, "http"])
def test_a_node_port_that_is_no_port_is_refused_with_its_path(port: object) -> None:
    assert "mesh:ingressNodePorts.http2" in refusal(profile="demo", ingressNodePorts={"http2": port})


def test_a_node_port_for_a_port_that_the_gateway_does_not_have_is_refused() -> None:
    text = refusal(profile="demo", gatewayServiceType="NodePort", ingressNodePorts={"htp2": 31102})
    assert 'did you mean "http2"?' in text


def test_two_ports_cannot_have_one_node_port() -> None:
    text = refusal(profile="demo", gatewayServiceType="NodePort", ingressNodePorts={"http2": 31102, "tls": 31102})
    assert text == "mesh:ingressNodePorts.tls: 31102 is also the node port of http2"


def test_a_cluster_ip_service_has_no_node_ports() -> None:
    text = refusal(gatewayServiceType="ClusterIP", ingressNodePorts={"http2": 31102})
    assert "choose NodePort or LoadBalancer" in text


def test_a_profile_without_ingress_gateway_has_no_node_ports() -> None:
    assert "minimal has no ingress gateway" in refusal(profile="minimal", ingressNodePorts={"http2": 31102})


def test_bookinfo_runs_only_where_pods_are_injected() -> None:
    text = refusal(bookinfo={"namespace": "shop"}, injectedNamespaces={"default": "existing"})
    assert "shop is not one of mesh:injectedNamespaces (default)" in text


def test_bookinfo_can_be_switched_on_and_off() -> None:
    on = load(bookinfo=True, injectedNamespaces={"default": "existing"}).bookinfo
    assert on is not None
    assert on.namespace == "default"
    assert load(bookinfo=False).bookinfo is None


def test_a_namespace_is_created_or_existing() -> None:
    assert "is not one of create, existing" in refusal(injectedNamespaces={"shop": "maybe"})


def test_a_namespace_has_a_name_that_kubernetes_accepts() -> None:
    assert "mesh:injectedNamespaces" in refusal(injectedNamespaces={"My_Shop": "create"})


def test_the_context_of_the_command_line_is_used_where_the_file_names_none() -> None:
    assert load("prod").context == "prod"


def test_the_command_line_cannot_lead_a_stack_away_from_its_cluster() -> None:
    assert "contradicts mesh:context staging" in refusal("prod", context="staging")


def test_keys_of_other_namespaces_are_left_alone() -> None:
    assert settings.load({"aws:region": "x"}).profile == "default"
