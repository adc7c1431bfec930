"""Settings of Istio's that are none here are refused by their own names, and other spellings are taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from mesh.api.model import wire
from mesh.config import door, loading, stack_file
from mesh.config.settings import SettingsError
from mesh.config.stack import Stack

NO_EFFECT = "Istio 1.10 accepts it without any effect"

KEYS = """
    components values spec pilot gateways k8s ingressGateways global service name controlPlanes release meshConfig
    access_log_file accessLogFile istio_cni unvalidatedValues
"""
NAMES = st.sampled_from(KEYS.split())
ANYTHING = st.recursive(
    st.sampled_from([None, True, 3, "1.30"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)


def load(**config: Any) -> Stack:
    return loading.load(stack_file.config({"config": {f"mesh:{key}": value for key, value in config.items()}}))


def problems(**config: Any) -> list[str]:
    with pytest.raises(SettingsError) as error:
        load(**config)
    return str(error.value).split("\n")


def test_a_setting_without_effect_is_refused_by_its_own_name_with_the_key_that_has_one() -> None:
    assert problems(**{"global": {"useMCP": True}}) == [
        f"mesh:global.useMCP: {NO_EFFECT}: write mesh:meshConfig.configSources"
    ]


def test_the_release_of_a_control_plane_decides_what_is_refused_of_it() -> None:
    planes = {"next": {"release": "1.30", "global": {"jwtPolicy": "first-party-jwt"}}}

    assert problems(controlPlanes=planes, **{"global": {"jwtPolicy": "first-party-jwt"}}) == [
        "mesh:controlPlanes.next.global.jwtPolicy: Istio 1.30 accepts it without any effect: leave it out"
    ]


def test_a_further_control_plane_is_told_its_own_keys_and_those_of_the_stack() -> None:
    components = {"pilot": {"k8s": {"hpaSpec": {"minReplicas": 2}}}, "cni": {"enabled": True}}

    assert problems(controlPlanes={"next": {"release": "1.30", "components": components}}) == [
        "mesh:controlPlanes.next.components.pilot.k8s.hpaSpec.minReplicas: it belongs at"
        " mesh:controlPlanes.next.pilot.autoscaleMin",
        "mesh:controlPlanes.next.components.cni.enabled: it belongs at mesh:cni.enabled",
    ]


def test_what_is_refused_of_any_gateway_names_the_gateway() -> None:
    assert problems(gateways={"edge": {"ingressPorts": [{"name": "a", "port": 1}]}}) == [
        "mesh:gateways.edge.ingressPorts: all ports are in one list: write mesh:gateways.edge.ports"
    ]


def test_what_is_no_gateway_among_the_gateways_is_not_read_as_one() -> None:
    assert problems(gateways={"enabled": True}) == [f"mesh:gateways.enabled: {NO_EFFECT}: leave it out"]


def test_other_problems_are_told_too() -> None:
    found = problems(**{"global": {"useMCP": True, "logAsJson": []}})

    assert [line.partition(":")[2].partition(":")[0] for line in found] == ["global.useMCP", "global.logAsJson"]


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (
            {"components": {"pilot": {"k8s": {"hpaSpec": {"minReplicas": 2}}}}},
            ["mesh:components.pilot.k8s.hpaSpec.minReplicas: it belongs at mesh:pilot.autoscaleMin"],
        ),
        (
            {"components": {"ingressGateways": [{"name": "edge", "k8s": {"service": {"ports": []}}}]}},
            [
                "mesh:components.ingressGateways[0].name: the key below mesh:gateways is the name: leave it out",
                "mesh:components.ingressGateways[0].k8s.service.ports: it belongs at mesh:gateways.edge.ports",
            ],
        ),
        (
            {"values": {"global": {"hub": "example.com", "trustDomain": "a", "proxy": {"logLevel": "info"}}}},
            [
                "mesh:values.global.hub: it belongs at mesh:hub",
                f"mesh:values.global.trustDomain: {NO_EFFECT}: write mesh:meshConfig.trustDomain",
                "mesh:values.global.proxy: it belongs at mesh:global.proxy",
            ],
        ),
        (
            {"spec": {"values": {"pilot": {"traceSampling": 2}}}},
            ["mesh:spec.values.pilot.traceSampling: it belongs at mesh:pilot.traceSampling"],
        ),
        (
            {"gateways": {"edge": {"k8s": {"service": {"ports": []}, "resources": {}}}}},
            [
                "mesh:gateways.edge.k8s.service.ports: it belongs at mesh:gateways.edge.ports",
                "mesh:gateways.edge.k8s.resources: it belongs at mesh:gateways.edge.resources",
            ],
        ),
        (
            {"base": {"k8s": {"overlays": []}}},
            ["mesh:base.k8s: these objects have no pods: write mesh:patches"],
        ),
        (
            {"values": {}},
            ["mesh:values: its settings have keys of their own here, see docs/values.md"],
        ),
    ],
)
def test_what_stands_where_an_istio_operator_has_it_is_told_its_place(
    config: Mapping[str, Any], told: list[str]
) -> None:
    assert problems(**config) == told


@limits(deadline=None, database=None, suppress_health_check=list(HealthCheck))
@example({"unvalidatedValues": {"k8s": {}}})
@given(st.dictionaries(NAMES, ANYTHING, max_size=3))
def test_whatever_stands_in_a_config_is_read(config: dict[str, Any]) -> None:
    data, _ = door.admitted(config)

    assert data.keys() <= config.keys()


def test_the_mesh_config_is_read_in_both_spellings_that_istio_reads() -> None:
    tags = {"my_tag": {"environment": {"name": "A", "default_value": "b"}}}
    config = {"access_log_file": "/dev/stdout", "default_config": {"tracing": {"custom_tags": tags}}}

    found = load(meshConfig=config, controlPlanes={"next": {"release": "1.30", "meshConfig": config}}).settings

    for one in (found, found.controlPlanes["next"]):
        data = wire(one.meshConfig)
        assert data["accessLogFile"] == "/dev/stdout"
        assert data["defaultConfig"]["tracing"]["customTags"]["my_tag"]["environment"]["defaultValue"] == "b"


def test_a_field_in_both_spellings_is_one_clear_error() -> None:
    assert problems(meshConfig={"access_log_file": "/a", "accessLogFile": "/b"}) == [
        "mesh:meshConfig.access_log_file: accessLogFile is also set, and is the same field: leave one of them out"
    ]


def test_selectors_have_the_one_spelling_of_kubernetes() -> None:
    selector = {"match_labels": {"team": "a"}}

    assert "unknown field" in problems(meshConfig={"discovery_selectors": [selector]})[0]
