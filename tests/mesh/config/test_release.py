"""The release of a stack, and images that belong to another release."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mesh import api, releases
from mesh.config import loading, served, stack_file
from mesh.config.settings import Settings, SettingsError
from mesh.traffic.objects import ConfigObject
from tests.releases import RELEASE


def load(**config: Any) -> Any:
    """The settings of config keys as Pulumi hands them over; `__` stands for a dot between names of a map."""
    written: dict[str, Any] = {}
    for path, value in config.items():
        *parents, last = path.split("__")
        place = written
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in written.items()}
    return loading.load({f"mesh:{key}": text for key, text in texts.items()}).settings


def refusal(**config: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        load(**config)
    return str(refused.value)


def test_the_default_release_exists_and_every_release_has_its_registered_name() -> None:
    assert releases.DEFAULT in releases.NAMES
    assert [releases.get(name).name for name in releases.NAMES] == list(releases.NAMES)


@pytest.mark.parametrize("name", releases.NAMES)
def test_a_release_is_named_by_its_minor_version(name: str) -> None:
    assert releases.get(name).version.startswith(f"{name}.")


def test_a_stack_installs_the_release_that_it_names_with_its_images() -> None:
    settings = load(release="1.10")
    assert (settings.hub, settings.tag) == (RELEASE.hub, RELEASE.version)
    assert settings.installation.release is releases.get("1.10")
    assert load() == settings


def test_hub_and_tag_of_the_stack_override_those_of_the_release() -> None:
    settings = load(hub="registry.example.org/istio", tag="1.10.6")
    assert settings.image("pilot") == "registry.example.org/istio/pilot:1.10.6"


def test_an_unknown_release_is_refused_with_the_known_ones() -> None:
    assert refusal(release="1.11") == 'mesh:release: "1.11" is not one of 1.10, 1.30; did you mean "1.10"?'


def test_an_unquoted_release_is_refused_with_the_advice_to_quote_it(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text("config: {mesh:release: 1.10}")
    with pytest.raises(SettingsError) as refused:
        loading.load(stack_file.config(stack_file.document(file)))
    assert str(refused.value) == (
        "mesh:release: 1.10 has no quotes, and YAML reads it as the number 1.1: put it in quotes"
    )


def test_an_unknown_release_does_not_hide_other_problems() -> None:
    text = refusal(release="1.11", profile="demmo", hub="here/")
    assert [line.split(":")[1] for line in text.splitlines()] == ["hub", "release", "profile"]


def test_a_regular_expression_that_the_release_does_not_support_is_refused() -> None:
    rule = {"match": {"path": {"regex": "(?<name>a)"}}, "route": "v1"}
    services = {"reviews": {"namespace": "default", "versions": ["v1"], "rules": [rule]}}
    text = refusal(injectedNamespaces={"default": "existing"}, traffic={"services": services})
    assert text.startswith('mesh:traffic.services.reviews.rules[0].match[0].path.regex: "(?<name>a)": (?<name> is not')


@pytest.mark.parametrize(
    "tag", ["1.10.6", "1.10.3-distroless", "1.10", "v1.10.4", "latest", "x", "prod-7", "2021-07-01", "21.10", "11.1"]
)
def test_a_tag_of_the_release_or_without_a_version_is_accepted(tag: str) -> None:
    assert load(tag=tag).tag == tag


@pytest.mark.parametrize("tag", ["1.24.2", "1.9.0-distroless", "v1.11", "1.1", "1.100.0", "1.11-alpha.0"])
def test_a_tag_of_another_release_is_refused_with_a_solution(tag: str) -> None:
    text = refusal(tag=tag)
    assert text.startswith(f'mesh:tag: "{tag}" is of Istio 1.')
    assert "mesh:release is 1.10" in text
    assert "use a tag of 1.10" in text


@pytest.mark.parametrize("key", ["pilot__image", "global__proxy__image", "global__proxy_init__image", "cni__image"])
def test_a_full_image_reference_of_another_release_is_refused(key: str) -> None:
    path = key.replace("__", ".")
    for image in ("localhost:5000/istio/some:1.24.2", f"istio/some:1.11.0@sha256:{'0' * 64}"):
        assert refusal(**{key: image}).startswith(f'mesh:{path}: "{image[:30]}')
    for image in ("pilot", "localhost:5000/some", "istio/some:1.10.5", "istio/some:prod", "1.9/some@sha256:0"):
        load(**{key: image})


def with_meshes(**fields: Any) -> dict[str, Any]:
    return {"meshConfig": fields}


LATER = '; 1.30 has it: leave it out, or set mesh:release to "1.30"'


@pytest.mark.parametrize(
    ("config", "line"),
    [
        (
            with_meshes(tlsDefaults={"minProtocolVersion": "TLSV1_3"}),
            f"mesh:meshConfig.tlsDefaults: Istio 1.10 has no such setting{LATER}",
        ),
        (
            with_meshes(defaultConfig={"proxyHeaders": {"server": {"disabled": True}}}),
            f"mesh:meshConfig.defaultConfig.proxyHeaders: Istio 1.10 has no such setting{LATER}",
        ),
        (
            with_meshes(extensionProviders=[{"name": "a", "opentelemetry": {"service": "a.b", "port": 4317}}]),
            f"mesh:meshConfig.extensionProviders[0].opentelemetry: Istio 1.10 has no such setting{LATER}",
        ),
        (
            with_meshes(outboundTrafficPolicy={"mode": "ALLOW_ANY_DYNAMIC_DNS"}),
            'mesh:meshConfig.outboundTrafficPolicy.mode: Istio 1.10 has no value "ALLOW_ANY_DYNAMIC_DNS" here; 1.30 has'
            ' it: choose another, or set mesh:release to "1.30"',
        ),
    ],
)
def test_a_setting_that_the_release_lacks_is_refused_with_the_releases_that_have_it(
    config: dict[str, Any], line: str
) -> None:
    assert refusal(**config) == line
    load(release="1.30", **config)


def test_a_setting_that_a_release_removed_is_refused_for_it() -> None:
    config = with_meshes(defaultConfig={"parentShutdownDuration": "61s"})
    load(**config)
    assert refusal(release="1.30", **config) == (
        "mesh:meshConfig.defaultConfig.parentShutdownDuration: Istio 1.30 has no such setting; 1.10 has it: leave it"
        " out"
    )


def test_what_is_not_set_counts_for_nothing() -> None:
    load(**with_meshes(tlsDefaults=None))


def test_a_misspelt_value_is_not_answered_with_one_that_the_release_lacks() -> None:
    config = with_meshes(outboundTrafficPolicy={"mode": "ALLOW_ANY_DYNAMIC"})
    assert refusal(**config) == (
        'mesh:meshConfig.outboundTrafficPolicy.mode: "ALLOW_ANY_DYNAMIC" is not one of REGISTRY_ONLY, ALLOW_ANY; did'
        ' you mean "ALLOW_ANY"?'
    )
    assert refusal(release="1.30", **config).endswith('did you mean "ALLOW_ANY_DYNAMIC_DNS"?')
    text = refusal(**with_meshes(tlsDefault={}))
    assert "tlsDefaults" not in text


def test_each_release_has_its_own_longest_connect_timeout() -> None:
    config = with_meshes(connectTimeout="31s")
    assert (
        refusal(**config) == 'mesh:meshConfig.connectTimeout: "31s" is longer than 30s, the longest that Istio accepts'
    )
    load(release="1.30", **config)
    assert "is longer than 1h" in refusal(release="1.30", **with_meshes(connectTimeout="61m"))


def test_each_release_reads_the_default_providers_of_spans_in_its_own_form() -> None:
    providers = [{"name": "a", "zipkin": {"service": "a.b", "port": 9411}}]
    one, several = ({"tracing": "a"}, {"tracing": ["a"]})
    load(**with_meshes(extensionProviders=providers, defaultProviders=one))
    load(release="1.30", **with_meshes(extensionProviders=providers, defaultProviders=several))
    text = refusal(**with_meshes(extensionProviders=providers, defaultProviders=several))
    assert text.startswith('mesh:meshConfig.defaultProviders.tracing: expected a string, got ["a"]: write a')
    text = refusal(release="1.30", **with_meshes(extensionProviders=providers, defaultProviders=one))
    assert text.startswith('mesh:meshConfig.defaultProviders.tracing: expected a list, got "a": write [a]')


def test_1_30_drains_for_any_number_of_whole_seconds() -> None:
    config = with_meshes(defaultConfig={"drainDuration": "2h"})
    load(release="1.30", **config)
    assert "1s to 1h" in refusal(**config)
    text = refusal(release="1.30", **with_meshes(defaultConfig={"drainDuration": "1500ms"}))
    assert text.startswith('mesh:meshConfig.defaultConfig.drainDuration: "1500ms" is not a whole number of seconds')


@pytest.mark.parametrize(
    ("annotation", "line"),
    [
        ("proxyHeaders: {}", 'proxy.istio.io/config: unknown field "proxyHeaders"'),
        ("interceptionMode: NONE", 'interceptionMode: Istio 1.10 has no value "NONE" here; 1.30 has it'),
        (
            "gatewayTopology: {proxyProtocol: {}}",
            "gatewayTopology.proxyProtocol: Istio 1.10 has no such field; 1.30 has it",
        ),
    ],
)
def test_an_annotation_that_configures_a_proxy_is_checked_against_the_release(annotation: str, line: str) -> None:
    config = {"sidecarInjectorWebhook": {"injectedAnnotations": {"proxy.istio.io/config": annotation}}}
    assert line in refusal(**config)
    load(release="1.30", **config)


def test_the_objects_of_a_stack_are_written_in_the_version_that_its_release_stores() -> None:
    services = {"reviews": {"namespace": "default", "versions": ["v1"], "route": "v1"}}
    for release, version in (("1.10", "networking.istio.io/v1alpha3"), ("1.30", "networking.istio.io/v1")):
        texts = {
            "mesh:release": release,
            "mesh:injectedNamespaces": '{"default": "existing"}',
            "mesh:traffic": json.dumps({"services": services}),
        }
        stack = loading.load(texts)
        versions = stack.installation.release.api
        assert {item.manifest(versions)["apiVersion"] for item in stack.traffic} == {version}


def test_an_object_that_the_release_lacks_or_refuses_is_refused_with_the_key_that_it_comes_from() -> None:
    def item(body: api.Kind) -> ConfigObject:
        return ConfigObject(path="traffic.hosts.shop", body=body, name="shop", namespace="default")

    answer = api.VirtualService.from_wire({"hosts": ["a"], "http": [{"directResponse": {"status": 404}}]})
    objects = [item(answer), item(api.ProxyConfig())]
    assert list(served.of_objects(Settings(release="1.10"), objects)) == [
        "mesh:traffic.hosts.shop: VirtualService http[0].directResponse: Istio 1.10 has no such field; 1.30 has it",
        "mesh:traffic.hosts.shop: Istio 1.10 has no kind ProxyConfig; 1.30 has it",
    ]
    assert list(served.of_objects(Settings(release="1.30"), objects)) == []
