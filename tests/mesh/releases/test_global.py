"""Settings of `global`, `telemetry` and `base` that both releases have under Istio's own names, or one of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mesh import releases
from mesh.config import loading
from mesh.config.settings import SettingsError
from mesh.proxy import inject
from mesh.releases.release import Installation
from tests.parity.injection import WORKLOADS
from tests.parity.ours import rendered

Object = dict[str, Any]
GATEWAY = "istio-ingressgateway"
BOTH = pytest.mark.parametrize("release", releases.NAMES)


def installed(release: str, **values: Any) -> Installation:
    """An installation of profile default; `global_` has the settings of `global`."""
    found = releases.get(release)
    differences = {name.rstrip("_"): value for name, value in values.items()}
    return Installation(release=found, values=found.values("default", differences))


def gateway(mesh: Installation) -> Object:
    return mesh.release.gateway_pod(mesh, GATEWAY, mesh.values.gateways[GATEWAY])["spec"]


def istiod(mesh: Installation) -> Object:
    return mesh.release.istiod_pod(mesh)["spec"]


def sidecar(mesh: Installation) -> Object:
    """A pod with a sidecar, from the model that the injection template is made of."""
    release = mesh.release
    values, config = release.injection_values(mesh), release.mesh_config(mesh)
    made = inject(WORKLOADS["plain"], release.injector, release.proxy_config, values, config)
    spec: Object = made["spec"]["template"]["spec"]
    return spec


def tracing(mesh: Installation) -> Object:
    found: Object = mesh.release.mesh_config(mesh)["defaultConfig"]["tracing"]
    return found


def audiences(pod: Object) -> list[str]:
    tokens = [volume["projected"]["sources"][0] for volume in pod["volumes"] if volume["name"] == "istio-token"]
    return [token["serviceAccountToken"]["audience"] for token in tokens]


def names(parts: list[Object]) -> list[str]:
    return [part["name"] for part in parts]


def env(container: Object) -> dict[str, str]:
    return {variable["name"]: variable.get("value", "") for variable in container["env"]}


def refused(**config: Any) -> str:
    keys = {f"mesh:{name}": value if isinstance(value, str) else json.dumps(value) for name, value in config.items()}
    with pytest.raises(SettingsError) as error:
        loading.load(keys)
    return str(error.value)


# Tracers


@BOTH
@pytest.mark.parametrize(
    ("tracer", "settings"),
    [
        ("zipkin", {"address": "zipkin.example.com:9411"}),
        ("datadog", {"address": "datadog.example.com:8126"}),
        ("lightstep", {"address": "lightstep.example.com:443", "accessToken": "t"}),
    ],
)
def test_the_settings_of_the_chosen_tracer_are_those_of_the_proxies(
    release: str, tracer: str, settings: dict[str, str]
) -> None:
    mesh = installed(release, global_={"proxy": {"tracer": tracer}, "tracer": {tracer: settings}})
    assert tracing(mesh) == {tracer: settings}
    assert mesh.release.injection_values(mesh)["global"]["tracer"][tracer] == settings


@BOTH
def test_an_empty_address_of_a_tracer_is_that_of_the_chart(release: str) -> None:
    for tracer, default in {"zipkin": "zipkin.istio-system:9411", "datadog": "$(HOST_IP):8126"}.items():
        mesh = installed(release, global_={"proxy": {"tracer": tracer}, "tracer": {tracer: {"address": ""}}})
        assert tracing(mesh) == {tracer: {"address": default}}


@BOTH
def test_the_mesh_config_counts_more_than_the_settings_of_a_tracer(release: str) -> None:
    given = {"defaultConfig": {"tracing": {"zipkin": {"address": "b:9411"}}}}
    chosen = {"proxy": {"tracer": "zipkin"}, "tracer": {"zipkin": {"address": "a:9411"}}}
    assert tracing(installed(release, global_=chosen, meshConfig=given)) == {"zipkin": {"address": "b:9411"}}


def test_a_collector_that_is_there_already_does_not_replace_an_address_of_the_settings() -> None:
    mesh = installed("1.10", global_={"tracer": {"zipkin": {"address": "a:9411"}}})
    there = Installation(release=mesh.release, values=mesh.values, collector="b:9411")
    assert tracing(there) == {"zipkin": {"address": "a:9411"}}


def test_limits_of_spans_for_google_cloud_are_left_out_if_they_are_zero() -> None:
    limits = {"debug": True, "maxNumberOfAttributes": 5, "maxNumberOfAnnotations": 0}
    mesh = installed("1.10", global_={"proxy": {"tracer": "stackdriver"}, "tracer": {"stackdriver": limits}})
    kept = {"debug": True, "maxNumberOfAttributes": 5, "maxNumberOfMessageEvents": 200}
    assert tracing(mesh) == {"stackdriver": kept}


def test_a_tracer_without_what_it_needs_is_refused() -> None:
    text = refused(**{"global": {"proxy": {"tracer": "lightstep"}, "tracer": {"lightstep": {"address": "a:443"}}}})
    assert "lightstep is chosen" in text
    assert "accessToken" in text
    assert "lightstep.address" not in text


def test_release_1_30_has_no_settings_for_spans_to_google_cloud() -> None:
    text = refused(release="1.30", **{"global": {"tracer": {"stackdriver": {"debug": True}}}})
    assert "mesh:global.tracer.stackdriver: proxies of Istio 1.30 have no such tracer: write mesh:meshConfig." in text


# Where gateways run


@BOTH
def test_gateways_without_a_node_selector_run_on_nodes_with_the_default_labels(release: str) -> None:
    chosen = {"defaultNodeSelector": {"pool": "edge"}}
    affinity = gateway(installed(release, global_=chosen))["affinity"]["nodeAffinity"]
    [term] = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    wanted = {"key": "pool", "operator": "In", "values": ["edge"]}
    assert wanted in term["matchExpressions"]
    own = gateway(installed(release, global_=chosen, gateways={GATEWAY: {"nodeSelector": {"disk": "ssd"}}}))
    assert "pool" not in json.dumps(own)


@BOTH
def test_gateways_without_tolerations_have_the_default_ones(release: str) -> None:
    default, own = ({"key": key, "operator": "Exists"} for key in ("default", "own"))
    chosen = {"defaultTolerations": [default]}
    assert gateway(installed(release, global_=chosen))["tolerations"] == [default]
    mesh = installed(release, global_=chosen, gateways={GATEWAY: {"tolerations": [own]}})
    assert gateway(mesh)["tolerations"] == [own]
    assert "tolerations" not in gateway(installed(release))


def test_an_architecture_of_weight_zero_gets_no_gateways_and_the_others_keep_their_weight() -> None:
    affinity = gateway(installed("1.10", global_={"arch": {"amd64": 3, "ppc64le": 0}}))["affinity"]["nodeAffinity"]
    [term] = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert [one["values"] for one in term["matchExpressions"]] == [["amd64", "s390x"]]
    assert [one["weight"] for one in affinity["preferredDuringSchedulingIgnoredDuringExecution"]] == [3, 2]


def test_gateways_of_1_30_run_on_any_architecture_unless_some_are_chosen() -> None:
    assert "affinity" not in gateway(installed("1.30"))
    affinity = gateway(installed("1.30", global_={"arch": {"arm64": 3}}))["affinity"]["nodeAffinity"]
    [term] = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert [one["values"] for one in term["matchExpressions"]] == [["arm64"]]


@BOTH
def test_default_resources_are_for_parts_whose_own_are_null(release: str) -> None:
    default = {"requests": {"cpu": "20m"}, "limits": {"memory": "1Gi"}}
    nothing: dict[str, Any] = {"resources": None}
    mesh = installed(release, global_={"defaultResources": default}, pilot=nothing, gateways={GATEWAY: nothing})
    found = [pod["containers"][0]["resources"] for pod in (istiod(mesh), gateway(mesh))]
    assert found == [default, default]
    usual = installed(release, global_={"defaultResources": default})
    assert default not in [pod["containers"][0]["resources"] for pod in (istiod(usual), gateway(usual))]


# Certificates, tokens, webhooks


@BOTH
def test_the_audience_of_tokens_is_that_of_the_certificate_authority(release: str) -> None:
    mesh = installed(release, global_={"sds": {"token": {"aud": "vault"}}})
    assert [audiences(pod) for pod in (istiod(mesh), gateway(mesh), sidecar(mesh))] == [["vault"]] * 3


@BOTH
def test_proxies_have_no_root_certificate_of_istiods_if_its_own_comes_from_elsewhere(release: str) -> None:
    mesh = installed(release, global_={"pilotCertProvider": "custom"})
    for pod in (gateway(mesh), sidecar(mesh)):
        assert "istiod-ca-cert" not in names(pod["volumes"])
    assert env(istiod(mesh)["containers"][0])["PILOT_CERT_PROVIDER"] == "custom"
    assert env(gateway(mesh)["containers"][0])["PILOT_CERT_PROVIDER"] == "custom"


@BOTH
def test_certificates_that_kubernetes_no_longer_signs_are_refused_with_the_reason(release: str) -> None:
    text = refused(release=release, **{"global": {"pilotCertProvider": "kubernetes"}})
    assert "no Kubernetes since 1.22 signs istiod's certificate" in text


@pytest.mark.parametrize("provider", ["none", "k8s.io/signer"])
def test_a_provider_of_certificates_that_1_10_lacks_is_refused_with_the_choices(provider: str) -> None:
    text = refused(**{"global": {"pilotCertProvider": provider}})
    assert text.startswith(f'mesh:global.pilotCertProvider: "{provider}" is not one of istiod, custom')


@BOTH
def test_injection_webhooks_that_something_else_brings_are_left_out(release: str) -> None:
    mesh = installed(release, global_={"operatorManageWebhooks": True}, revisionTags={"prod": "default"})
    assert not mesh.release.injection_webhooks(mesh)
    assert mesh.release.validation_webhooks(mesh)


@BOTH
def test_istios_objects_are_not_validated_if_validation_is_off(release: str) -> None:
    mesh = installed(release, global_={"configValidation": False})
    assert not mesh.release.validation_webhooks(mesh)
    assert mesh.release.injection_webhooks(mesh)


def test_outbound_ports_that_all_sidecars_redirect_are_among_their_rules() -> None:
    rules = sidecar(installed("1.10", global_={"proxy": {"includeOutboundPorts": "3306"}}))["initContainers"][0]["args"]
    assert rules[rules.index("-q") + 1] == "3306"


@BOTH
def test_settings_without_a_default_in_the_charts_are_no_injection_values_unless_somebody_sets_them(
    release: str,
) -> None:
    mesh = installed(release)
    found = mesh.release.injection_values(mesh)["global"]
    assert not found.keys() & {"arch", "defaultTolerations"}
    set_ = installed(release, global_={"arch": {"amd64": 1}, "defaultTolerations": [{"operator": "Exists"}]})
    assert {"arch", "defaultTolerations"} <= set_.release.injection_values(set_)["global"].keys()


# The base


def test_definitions_that_the_cluster_has_are_not_installed() -> None:
    kinds = {manifest["kind"] for manifest in rendered("1.10", base='{"enableIstioConfigCRDs": false}')}
    assert "ClusterRole" in kinds
    assert "CustomResourceDefinition" not in kinds


# Telemetry


def filters(mesh: Installation, generation: str = "1.10") -> dict[str, list[Object]]:
    """The patches of the filters for a generation of proxies, by the filter's name without it."""
    return {
        name.removesuffix(f"-{generation}"): made.model_dump(exclude_none=True)["configPatches"]
        for name, made in mesh.release.telemetry_filters(mesh)
        if name.endswith(f"-{generation}")
    }


def contexts(patches: list[Object]) -> list[str]:
    return [patch["match"]["context"] for patch in patches]


def settings(patch: Object) -> Any:
    """What a patch configures its extension with."""
    return json.loads(patch["patch"]["value"]["typed_config"]["value"]["config"]["configuration"]["value"])


@pytest.mark.parametrize(
    ("side", "context"),
    [("gateway", "GATEWAY"), ("inboundSidecar", "SIDECAR_INBOUND"), ("outboundSidecar", "SIDECAR_OUTBOUND")],
)
def test_an_override_of_istios_metrics_takes_the_place_of_their_configuration_on_its_side(
    side: str, context: str
) -> None:
    mine = {"metrics": [{"name": "requests_total"}]}
    chosen = {"v2": {"prometheus": {"configOverride": {side: mine}}}}
    for generation in ("1.9", "1.10"):
        found = filters(installed("1.10", telemetry=chosen), generation)
        for name in ("stats-filter", "tcp-stats-filter"):
            sides = [patch["match"]["context"] for patch in found[name] if settings(patch) == mine]
            assert sides == [context]


def test_google_cloud_gets_metrics_and_logs_only_if_they_are_on() -> None:
    assert not [name for name in filters(installed("1.10")) if "stackdriver" in name]
    found = filters(installed("1.10", telemetry={"v2": {"stackdriver": {"enabled": True}}}))
    assert [name for name in found if "stackdriver" in name] == ["stackdriver-filter", "tcp-stackdriver-filter"]
    assert contexts(found["stackdriver-filter"]) == ["SIDECAR_OUTBOUND", "SIDECAR_INBOUND", "GATEWAY"]


def test_sidecars_send_nothing_about_outbound_requests_if_that_is_off() -> None:
    found = filters(installed("1.10", telemetry={"v2": {"stackdriver": {"enabled": True, "disableOutbound": True}}}))
    assert contexts(found["stackdriver-filter"]) == ["SIDECAR_INBOUND", "GATEWAY"]
    assert contexts(found["tcp-stackdriver-filter"]) == ["SIDECAR_INBOUND", "GATEWAY"]


def test_what_google_cloud_logs_is_said_for_each_side() -> None:
    chosen = {"enabled": True, "logging": True, "inboundAccessLogging": "FULL", "outboundAccessLogging": "ERRORS_ONLY"}
    found = filters(installed("1.10", telemetry={"v2": {"stackdriver": chosen}}))
    outbound, inbound, gateway = map(settings, found["stackdriver-filter"])
    assert outbound == {"access_logging": "ERRORS_ONLY"}
    assert inbound == {
        "disable_server_access_logging": False,
        "access_logging": "FULL",
        "disable_host_header_fallback": True,
    }
    assert gateway == {"access_logging": "ERRORS_ONLY", "disable_host_header_fallback": True}
    assert [settings(patch) for patch in found["tcp-stackdriver-filter"]] == [
        {"access_logging": "ERRORS_ONLY"},
        {"disable_server_access_logging": False, "access_logging": "FULL"},
        {"access_logging": "ERRORS_ONLY"},
    ]


def test_an_override_for_google_cloud_takes_the_place_of_all_its_configurations() -> None:
    mine = {"disable_host_header_fallback": True}
    found = filters(installed("1.10", telemetry={"v2": {"stackdriver": {"enabled": True, "configOverride": mine}}}))
    assert [settings(patch) for name in found if "stackdriver" in name for patch in found[name]] == [mine] * 6


def test_logs_for_google_cloud_are_sampled_before_they_are_written() -> None:
    policy = {"enabled": True, "logWindowDuration": "3600s"}
    found = filters(installed("1.10", telemetry={"v2": {"stackdriver": {"enabled": True}, "accessLogPolicy": policy}}))
    [patch] = found["stackdriver-sampling-accesslog-filter"]
    assert settings(patch) == {"log_window_duration": "3600s"}
    chain = patch["match"]["listener"]["filterChain"]["filter"]
    assert chain["subFilter"] == {"name": "istio.stackdriver"}
    alone = filters(installed("1.10", telemetry={"v2": {"accessLogPolicy": policy}}))
    assert "stackdriver-sampling-accesslog-filter" not in alone


def test_google_cloud_is_a_default_provider_of_1_30_unless_others_are_named() -> None:
    chosen = {"v2": {"stackdriver": {"enabled": True}}}
    mesh = installed("1.30", telemetry=chosen)
    assert mesh.release.mesh_config(mesh)["defaultProviders"] == {
        "metrics": ["prometheus", "stackdriver"],
        "accessLogging": ["stackdriver"],
    }
    named = installed("1.30", telemetry=chosen, meshConfig={"defaultProviders": {"accessLogging": ["envoy"]}})
    assert named.release.mesh_config(named)["defaultProviders"] == {"accessLogging": ["envoy"]}
