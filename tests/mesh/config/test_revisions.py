"""Several control planes in one stack: what each of them is, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mesh.config import loading
from mesh.config.settings import Settings, SettingsError

ENTRY = {"1-30-3": {"release": "1.30", "profile": "minimal"}}


def settings(**config: Any) -> Settings:
    text = {f"mesh:{key}": one if isinstance(one, str) else json.dumps(one) for key, one in config.items()}
    return loading.load(text).settings


def refused(**config: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        settings(**config)
    return str(caught.value)


def test_each_control_plane_has_the_values_of_its_own_release_and_profile() -> None:
    found = settings(profile="demo", controlPlanes={"1-30-3": {**ENTRY["1-30-3"], "pilot": {"traceSampling": 5}}})
    assert list(found.installations) == ["default", "1-30-3"]
    first, second = found.installations.values()
    assert (first.release.name, first.values.tag, first.values.hub) == ("1.10", "1.10.3", "docker.io/istio")
    assert (second.release.name, second.values.tag, second.revision) == ("1.30", "1.30.3", "1-30-3")
    assert second.values.pilot.traceSampling == 5
    assert first.values.pilot.traceSampling == 100  # of profile demo
    assert not second.values.gateways
    assert not second.values.base.enabled


def test_what_a_mesh_has_once_is_the_stacks() -> None:
    shared = {
        "meshID": "m",
        "network": "n",
        "multiCluster": {"clusterName": "c"},
        "proxy": {"clusterDomain": "d.local"},
    }
    found = settings(**{"global": shared}, meshConfig={"trustDomain": "t"}, controlPlanes=ENTRY)
    second = found.installations["1-30-3"].values
    assert (second.global_.meshID, second.global_.network) == ("m", "n")
    assert second.global_.multiCluster.clusterName == "c"
    assert second.global_.proxy.clusterDomain == "d.local"
    assert second.meshConfig.trustDomain == "t"


@pytest.mark.parametrize("here", ["1.10", "1.30"])
def test_the_cni_plugin_is_the_stacks_and_its_details_are_those_of_the_release(here: str) -> None:
    found = settings(release=here, cni={"enabled": True, "cniBinDir": "/own"}, controlPlanes=ENTRY)
    cni = found.installations["1-30-3"].values.cni
    assert cni.enabled
    assert (cni.cniBinDir == "/own") == (here == "1.30")


def test_objects_are_written_for_the_oldest_release_and_definitions_are_those_of_the_newest() -> None:
    for config, written, defined in (
        ({"release": "1.10"}, "1.10", "1.10"),
        ({"release": "1.10", "controlPlanes": ENTRY}, "1.10", "1.30"),
        ({"release": "1.10", "base": {"release": "1.30"}}, "1.10", "1.30"),
        ({"release": "1.30", "controlPlanes": ENTRY}, "1.30", "1.30"),
    ):
        for one in settings(**config).installations.values():
            assert one.api.lacks == releases_api(written), config
            assert one.newest.name == defined, config


def releases_api(name: str) -> Any:
    return settings(release=name).installation.release.api.lacks


def test_a_name_stands_for_a_revision() -> None:
    tags = {"stable": "default", "canary": "1-30-3", "old": "elsewhere"}
    found = settings(controlPlanes=ENTRY, revisionTags=tags)
    stands_for = {name: found.revision_of(name) for name in ("", "default", "1-30-3", *tags)}
    assert stands_for == {"": "default", "default": "default", "1-30-3": "1-30-3", **tags}
    assert found.control_plane_of("canary").release.name == "1.30"
    assert found.control_plane_of("old") is not None


def test_a_gateway_has_the_defaults_of_the_release_that_configures_it() -> None:
    chosen = {"istio-ingressgateway": {"revision": "canary", "podAnnotations": {"a": "b"}}}
    config = {"profile": "demo", "controlPlanes": ENTRY, "revisionTags": {"canary": "1-30-3"}}
    moved = settings(**config, gateways=chosen, ingressNodePorts={"http2": 31102})
    today = settings(release="1.30", profile="demo", gateways={"istio-ingressgateway": {"podAnnotations": {"a": "b"}}})
    found, wanted = (one.gateways["istio-ingressgateway"] for one in (moved, today))
    assert found.env == wanted.env
    assert found.enabled
    assert found.podAnnotations == {"a": "b"}
    assert {port.name: port.nodePort for port in found.ports}["http2"] == 31102
    assert moved.gateways["istio-egressgateway"].env == settings(profile="demo").gateways["istio-egressgateway"].env


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (
            {"controlPlanes": {"a": {"release": "1.31"}}},
            'mesh:controlPlanes.a.release: "1.31" is not one of 1.10, 1.30',
        ),
        ({"controlPlanes": {"a": {}}}, "mesh:controlPlanes.a.release: is required"),
        (
            {"controlPlanes": {"a": {"release": "1.30", "profile": "dem"}}},
            'mesh:controlPlanes.a.profile: "dem" is not one of',
        ),
        (
            {"controlPlanes": {"a": {"release": "1.30", "gateways": {}}}},
            'mesh:controlPlanes.a: unknown field "gateways"',
        ),
        (
            {"controlPlanes": {"a": {"release": "1.30", "pilot": {"replica": 2}}}},
            'mesh:controlPlanes.a.pilot: unknown field "replica"',
        ),
        (
            {"controlPlanes": {"a": {"release": "1.10", "pilot": {"taint": {"enabled": True}}}}},
            "mesh:controlPlanes.a.pilot.taint: Istio 1.10 has no such setting; 1.30 has it",
        ),
        (
            {"controlPlanes": {"a": {"release": "1.30", "tag": "1.10.3"}}},
            'mesh:controlPlanes.a.tag: "1.10.3" is of Istio 1.10, but mesh:release is 1.30',
        ),
        (
            {"controlPlanes": {"a": {"release": "1.30", "compatibilityVersion": "1.2"}}},
            'mesh:controlPlanes.a.compatibilityVersion: "1.2" is not one of 1.29',
        ),
        (
            {"controlPlanes": {"default": {"release": "1.30"}}},
            "mesh:controlPlanes.default: default is the control plane of the stack's own keys",
        ),
        (
            {"revision": "a", "controlPlanes": {"a": {"release": "1.30"}}},
            "mesh:controlPlanes.a: a is the control plane of the stack's own keys",
        ),
        ({"controlPlanes": {"a": {"release": "1.30", "profile": "empty"}}}, "the profile empty has no istiod"),
        (
            {"controlPlanes": {"a": {"release": "1.30", "meshConfig": {"trustDomain": "other"}}}},
            'mesh:controlPlanes.a.meshConfig.trustDomain: "other" is not the value of the mesh, "cluster.local"',
        ),
        (
            {"global": {"network": "n"}, "controlPlanes": {"a": {"release": "1.30", "global": {"network": "o"}}}},
            'mesh:controlPlanes.a.global.network: "o" is not the value of the mesh, "n"',
        ),
        ({"base": {"release": "1.3"}}, 'mesh:base.release: "1.3" is not one of 1.10, 1.30; did you mean'),
        (
            {"release": "1.30", "base": {"release": "1.10"}},
            "mesh:base.release: 1.10 is older than the control plane 1.30",
        ),
        (
            {"controlPlanes": ENTRY, "revisionTags": {"1-30-3": "default"}},
            "mesh:revisionTags.1-30-3: 1-30-3 is a revision itself",
        ),
        (
            {"controlPlanes": ENTRY, "injectedNamespaces": {"shop": {"ownership": "create", "revision": "1-30-2"}}},
            'mesh:injectedNamespaces.shop.revision: "1-30-2" is not one of default, 1-30-3; did you mean "1-30-3"?',
        ),
        (
            {"gateways": {"istio-ingressgateway": {"revision": "canary"}}},
            'mesh:gateways.istio-ingressgateway.revision: "canary" is not one of default',
        ),
        (
            {"revisionTags": {"old": "b"}, "gateways": {"istio-ingressgateway": {"revision": "old"}}},
            "mesh:gateways.istio-ingressgateway.revision: old stands for b, which is not a control plane of this stack",
        ),
        (
            {
                "controlPlanes": ENTRY,
                "revisionTags": {"default": "1-30-3"},
                "injectedNamespaces": {"default": "existing"},
            },
            "mesh:revisionTags.default: 1-30-3 would also inject namespace default, whose pods now have the sidecar of"
            " another control plane: set mesh:injectedNamespaces.default.revision first",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_key(config: dict[str, Any], text: str) -> None:
    assert text in refused(**config)


def test_the_default_tag_may_move_when_the_namespaces_name_their_revision() -> None:
    named = {"default": {"ownership": "existing", "revision": "1-30-3"}}
    settings(controlPlanes=ENTRY, revisionTags={"default": "1-30-3"}, injectedNamespaces=named)
