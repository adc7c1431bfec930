"""An installation in another namespace than `istio-system`, and another root namespace of the mesh's configuration."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
import yaml

from commands import render
from mesh.analysis.mesh import Mesh
from mesh.analysis.objects import Object
from mesh.config import loading
from mesh.config.settings import SettingsError
from mesh.core.names import DEFAULT_NAMES
from mesh.review import subject

pytestmark = pytest.mark.slow

Manifest = dict[str, Any]

USUAL: Final = "istio-system"
ROOT: Final = "mesh-root"
ELSEWHERE: Final = {"global": {"istioNamespace": ROOT}}
ADDONS: Final = ("prometheus", "jaeger", "grafana", "kiali")
PROFILES: Final = [
    *(("1.10", profile) for profile in ("default", "demo", "minimal", "openshift")),
    *(("1.30", profile) for profile in ("default", "demo", "minimal", "ambient")),
]
DELIBERATE: Final[Mapping[tuple[str, str], set[str]]] = {
    # Istio's own values of these profiles, which name the usual namespace wherever Istio is installed.
    ("1.10", "openshift"): {'ConfigMap istio-cni-config: "istio-system",'},
    ("1.30", "demo"): {"ConfigMap istio: service: tracing.istio-system.svc.cluster.local"},
}
"""The lines of objects that name `istio-system` all the same."""


def config(**keys: Any) -> dict[str, str]:
    return {f"mesh:{key}": one if isinstance(one, str) else json.dumps(one) for key, one in keys.items()}


def objects(**keys: Any) -> dict[str, Manifest]:
    """The objects of a stack, by kind and name."""
    made = render.manifests(render.record("x", config(context="here", **keys)))
    return {f"{one['kind']} {one['metadata']['name']}": one for one in made}


def problem(**keys: Any) -> str:
    with pytest.raises(SettingsError) as raised:
        loading.load(config(**keys))
    return str(raised.value)


def lines(value: Any) -> Iterator[str]:
    """All keys and lines of text in an object."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key)
            yield from lines(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from lines(inner)
    elif isinstance(value, str):
        yield from (line.strip() for line in value.splitlines())


def whole(release: str, profile: str) -> dict[str, Manifest]:
    """A stack with addons, policies, a global rate limit and, where the release has them, network policies."""
    network = {"networkPolicy": {"enabled": True}} if release == "1.30" else {}
    return objects(
        release=release,
        profile=profile,
        injectedNamespaces={"shop": "create"},
        addons={**{name: {} for name in ADDONS}, "insecureDemo": True},
        security={"mtls": {"mesh": "STRICT"}},
        traffic={
            "services": {"cart": {"namespace": "shop", "limit": {"requests": 5, "per": "minute", "scope": "global"}}}
        },
        **{"global": {"istioNamespace": ROOT, **network}},
    )


@pytest.mark.parametrize(("release", "profile"), PROFILES)
def test_no_object_names_the_usual_namespace(release: str, profile: str) -> None:
    found = {
        f"{made['kind']} {made['metadata']['name']}: {line}"
        for made in whole(release, profile).values()
        for line in lines(made)
        if USUAL in line
    }
    assert found == DELIBERATE.get((release, profile), set())


def test_objects_without_a_namespace_have_istios_in_their_names() -> None:
    old, new = objects(**ELSEWHERE), objects(release="1.30", **ELSEWHERE)
    assert f"ValidatingWebhookConfiguration istiod-{ROOT}" in old
    assert f"ClusterRole istio-reader-{ROOT}" in old
    assert f"ValidatingWebhookConfiguration istio-validator-{ROOT}" in new
    assert f"ClusterRole istiod-clusterrole-{ROOT}" in new
    for made in (old, new):
        assert f"MutatingWebhookConfiguration istio-sidecar-injector-{ROOT}" in made
        assert f"Namespace {ROOT}" in made


def test_the_tag_that_istioctl_makes_by_itself_names_no_namespace() -> None:
    tags = {"revision": "canary", "revisionTags": {"prod": "canary"}}
    made = objects(release="1.30", **tags, **ELSEWHERE)
    assert f"MutatingWebhookConfiguration istio-revision-tag-prod-{ROOT}" in made
    assert "MutatingWebhookConfiguration istio-revision-tag-default" in made


@pytest.mark.parametrize("release", ["1.10", "1.30"])
def test_proxies_are_led_to_the_istiod_of_the_namespace(release: str) -> None:
    made = objects(release=release, **ELSEWHERE)
    config = yaml.safe_load(made["ConfigMap istio"]["data"]["mesh"])
    assert config["rootNamespace"] == ROOT
    assert config["defaultConfig"]["discoveryAddress"] == f"istiod.{ROOT}.svc:15012"
    values = json.loads(made["ConfigMap istio-sidecar-injector"]["data"]["values"])
    assert values["global"]["istioNamespace"] == ROOT


def test_the_jaeger_of_profile_demo_is_the_addons_own() -> None:
    made = objects(release="1.30", profile="demo", addons={"jaeger": {}}, **ELSEWHERE)
    config = yaml.safe_load(made["ConfigMap istio"]["data"]["mesh"])
    [jaeger] = [one for one in config["extensionProviders"] if one["name"] == "jaeger"]
    assert jaeger["opentelemetry"]["service"] == f"jaeger-collector.{ROOT}.svc.cluster.local"


def test_a_gateway_may_name_istios_namespace_and_not_the_usual_one() -> None:
    named = {"istio-ingressgateway": {"namespace": ROOT}}
    assert objects(gateways=named, **ELSEWHERE)["Deployment istio-ingressgateway"]["metadata"]["namespace"] == ROOT
    said = problem(gateways={"istio-ingressgateway": {"namespace": USUAL}}, **ELSEWHERE)
    assert said.startswith("mesh:gateways.istio-ingressgateway.namespace: istio-system is not one of mesh:namespaces")


def test_all_control_planes_of_a_stack_are_in_one_namespace() -> None:
    entry = {"1-30-3": {"release": "1.30", "profile": "minimal"}}
    made = objects(controlPlanes=entry, **ELSEWHERE)
    assert made["Deployment istiod-1-30-3"]["metadata"]["namespace"] == ROOT
    other = {"1-30-3": {"release": "1.30", "profile": "minimal", "global": {"istioNamespace": "other"}}}
    said = problem(controlPlanes=other, **ELSEWHERE)
    assert said.startswith('mesh:controlPlanes.1-30-3.global.istioNamespace: "other" is not the value of the mesh')


# The root namespace of the configuration

APART: Final = {"meshConfig": {"rootNamespace": "mesh-config"}, "namespaces": {"mesh-config": "existing"}}


def test_what_is_for_the_whole_mesh_is_in_the_root_namespace_and_istiod_is_not() -> None:
    made = objects(security={"mtls": {"mesh": "STRICT"}}, injectedNamespaces={"shop": "create"}, **APART)
    assert yaml.safe_load(made["ConfigMap istio"]["data"]["mesh"])["rootNamespace"] == "mesh-config"
    assert made["Deployment istiod"]["metadata"]["namespace"] == USUAL
    for name in ("PeerAuthentication default", "EnvoyFilter stats-filter-1.10"):
        assert made[name]["metadata"]["namespace"] == "mesh-config"


def test_policies_of_the_root_namespace_apply_to_the_whole_mesh_in_the_analysis() -> None:
    stack = loading.load(config(release="1.30", injectedNamespaces={"shop": "create"}, **APART))
    labels = {"app": "cart"}
    containers = [{"name": "cart", "image": "cart:1"}]
    pod = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "cart", "namespace": "shop", "labels": labels}}
    mesh = Mesh([Object.read({**pod, "spec": {"containers": containers}})], stack.settings.mesh_names)
    selected = {place: len(mesh.selected_by(_policy(place))) for place in ("mesh-config", USUAL, "shop")}
    assert selected == {"mesh-config": 1, USUAL: 0, "shop": 1}


def test_a_review_reads_both_namespaces_of_the_mesh_before_from_its_config_maps() -> None:
    made = objects(**ELSEWHERE, **APART)
    maps = [Object.read(made[f"ConfigMap {name}"]) for name in ("istio", "istio-sidecar-injector")]
    found = subject._names(maps, DEFAULT_NAMES)
    assert (found.root, found.home) == ("mesh-config", ROOT)


def _policy(namespace: str) -> Object:
    meta = {"name": "default", "namespace": namespace}
    body = {"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication", "metadata": meta}
    return Object.read({**body, "spec": {"mtls": {"mode": "STRICT"}}})


def test_a_root_namespace_that_nobody_declares_is_refused() -> None:
    said = problem(meshConfig={"rootNamespace": "mesh-config"})
    assert said.startswith("mesh:meshConfig.rootNamespace: mesh-config is not one of mesh:namespaces (none)")


def test_a_root_namespace_that_filters_need_before_the_stack_makes_it_is_refused() -> None:
    wanted = {**APART, "namespaces": {"mesh-config": "create"}}
    assert "declare it `existing`, and create it first" in problem(**wanted)
    loading.load(config(release="1.30", **wanted))  # proxies of 1.30 need no filters
