"""The objects of a stack with several control planes, and the order in which they come."""

from __future__ import annotations

import json
from typing import Any

import pytest

from commands import render
from engine.recorder import Resource
from tests.meshes import manifest_of

pytestmark = pytest.mark.slow

ENTRY = {"1-30-3": {"release": "1.30", "profile": "minimal"}}
NEVER = {"matchLabels": {"istio.io/deactivated": "never-match"}}
APP = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "cart", "namespace": "shop"},
    "spec": {
        "selector": {"matchLabels": {"app": "cart"}},
        "template": {
            "metadata": {"labels": {"app": "cart"}},
            "spec": {"containers": [{"name": "cart", "image": "cart:1"}]},
        },
    },
}


class Made:
    """The resources of a stack."""

    def __init__(self, **config: Any) -> None:
        text = {f"mesh:{key}": one if isinstance(one, str) else json.dumps(one) for key, one in config.items()}
        self.all = render.record("dev", {"mesh:context": "here", **text})
        self._by_urn = {one.urn: one for one in self.all}

    def __getitem__(self, name: tuple[str, str]) -> Resource:
        (found,) = [one for one in self.all if (one.type.rpartition(":")[2], one.name) == name]
        return found

    def __contains__(self, name: tuple[str, str]) -> bool:
        return any((one.type.rpartition(":")[2], one.name) == name for one in self.all)

    def waits(self, name: tuple[str, str]) -> set[str]:
        """The names of all resources that one waits for, directly or by others."""
        found: set[str] = set()
        todo = [self[name]]
        while todo:
            for urn in todo.pop().depends_on:
                if urn not in found and urn in self._by_urn:
                    found.add(urn)
                    todo.append(self._by_urn[urn])
        return {f"{self._by_urn[urn].type.rpartition(':')[2]} {self._by_urn[urn].name}" for urn in found}


def versions(definition: Resource) -> list[str]:
    return [one["name"] for one in definition.inputs["spec"]["versions"]]


def test_each_control_plane_has_its_own_objects_and_the_definitions_are_those_of_the_newest() -> None:
    made = Made(controlPlanes=ENTRY)
    for kind, name in (
        ("Deployment", "istiod"),
        ("Service", "istiod"),
        ("ConfigMap", "istio"),
        ("ConfigMap", "istio-sidecar-injector"),
        ("MutatingWebhookConfiguration", "istio-sidecar-injector"),
    ):
        assert (kind, name) in made
        assert (kind, f"{name}-1-30-3") in made
    assert "v1" in versions(made["CustomResourceDefinition", "virtualservices.networking.istio.io"])
    assert ("CustomResourceDefinition", "proxyconfigs.networking.istio.io") in made
    wanted = "CustomResourceDefinition virtualservices.networking.istio.io"
    assert wanted in made.waits(("Deployment", "istiod-1-30-3"))


def test_the_account_that_istiods_of_1_10_share_is_there_whichever_control_plane_is_first() -> None:
    other = {"old": {"release": "1.10", "profile": "minimal"}}
    assert ("ServiceAccount", "istiod-service-account") in Made(release="1.30", controlPlanes=other)
    assert ("ServiceAccount", "istiod-service-account") not in Made(release="1.30")


def test_objects_are_written_in_a_version_that_all_control_planes_validate() -> None:
    namespaces = {"default": "existing"}
    both = Made(controlPlanes=ENTRY, injectedNamespaces=namespaces, bookinfo=True)
    assert both["VirtualService", "bookinfo"].inputs["apiVersion"] == "networking.istio.io/v1alpha3"
    today = Made(release="1.30", controlPlanes=ENTRY, injectedNamespaces=namespaces, bookinfo=True)
    assert today["VirtualService", "bookinfo"].inputs["apiVersion"] == "networking.istio.io/v1"


def test_the_validator_of_1_10_is_not_asked_for_versions_that_it_refuses() -> None:
    def rules(**config: Any) -> Any:
        webhook = Made(**config)["ValidatingWebhookConfiguration", "istiod-istio-system"].inputs["webhooks"][0]
        return webhook["rules"][0]["apiVersions"]

    assert rules() == ["*"]
    assert rules(controlPlanes=ENTRY) == rules(base={"release": "1.30"}) == ["v1alpha3", "v1beta1"]


def test_tags_belong_to_the_control_plane_that_they_stand_for() -> None:
    made = Made(controlPlanes=ENTRY, revisionTags={"stable": "default", "canary": "1-30-3", "far": "other"})
    found = {
        tag: made["MutatingWebhookConfiguration", f"istio-revision-tag-{tag}"].inputs
        for tag in ("stable", "canary", "far")
    }
    services = {tag: one["webhooks"][0]["clientConfig"]["service"]["name"] for tag, one in found.items()}
    assert services == {"stable": "istiod", "canary": "istiod-1-30-3", "far": "istiod-other"}
    labels = {tag: one["metadata"]["labels"]["istio.io/rev"] for tag, one in found.items()}
    assert labels == {"stable": "default", "canary": "1-30-3", "far": "other"}
    assert ("Service", "istiod-revision-tag-canary") in made
    assert ("Service", "istiod-revision-tag-stable") not in made  # 1.10 has none


def test_the_default_labels_go_over_to_the_tag_before_the_first_control_plane_lets_them_go() -> None:
    made = Made(controlPlanes=ENTRY, revisionTags={"default": "1-30-3"})
    own = made["MutatingWebhookConfiguration", "istio-sidecar-injector"].inputs["webhooks"]
    assert all(hook["namespaceSelector"] == hook["objectSelector"] == NEVER for hook in own)
    tag = made["MutatingWebhookConfiguration", "istio-revision-tag-default"].inputs["webhooks"]
    assert any(hook["name"].startswith("namespace.") for hook in tag)
    waits = made.waits(("MutatingWebhookConfiguration", "istio-sidecar-injector"))
    assert "MutatingWebhookConfiguration istio-revision-tag-default" in waits


def test_a_default_tag_of_1_10_has_the_default_labels_unless_the_control_plane_has_no_name() -> None:
    named = Made(revision="a", revisionTags={"default": "a"})
    hooks = named["MutatingWebhookConfiguration", "istio-revision-tag-default"].inputs["webhooks"]
    assert [hook["name"].partition(".sidecar")[0] for hook in hooks] == [
        "rev.namespace",
        "rev.object",
        "namespace",
        "object",
    ]
    unnamed = Made(revisionTags={"default": "default"})
    assert ("MutatingWebhookConfiguration", "istio-revision-tag-default") not in unnamed


def test_a_namespace_is_labelled_as_it_is_written_after_its_injector_and_its_pods_restart() -> None:
    common = {
        "controlPlanes": ENTRY,
        "revisionTags": {"stable": "default", "canary": "1-30-3"},
        "objects": [APP],
    }
    found = {}
    for name in ("", "stable", "canary", "1-30-3"):
        made = Made(**common, injectedNamespaces={"shop": {"ownership": "create", "revision": name}})
        labels = made["Namespace", "shop"].inputs["metadata"]["labels"]
        template = made["Deployment", "shop/cart"].inputs["spec"]["template"]["metadata"]
        found[name] = labels, (template.get("annotations") or {}).get("mesh/revision")
        injector = {"canary": "istio-revision-tag-canary", "1-30-3": "istio-sidecar-injector-1-30-3"}
        if name in injector:
            assert f"MutatingWebhookConfiguration {injector[name]}" in made.waits(("Deployment", "shop/cart"))
    assert found == {
        "": ({"istio-injection": "enabled"}, None),
        "stable": ({"istio.io/rev": "stable"}, None),  # the same control plane: nothing restarts
        "canary": ({"istio.io/rev": "canary"}, "1-30-3"),
        "1-30-3": ({"istio.io/rev": "1-30-3"}, "1-30-3"),
    }


def test_manual_injection_is_that_of_the_namespaces_control_plane() -> None:
    by_hand = {"ownership": "create", "injection": "manual", "revision": "1-30-3"}
    made = Made(controlPlanes=ENTRY, injectedNamespaces={"shop": by_hand}, objects=[APP])
    containers = made["Deployment", "shop/cart"].inputs["spec"]["template"]["spec"]["containers"]
    assert containers[-1]["image"] == "registry.istio.io/release/proxyv2:1.30.3"


def test_a_gateway_is_a_proxy_of_its_control_plane() -> None:
    made = Made(controlPlanes=ENTRY, gateways={"istio-ingressgateway": {"revision": "1-30-3"}})
    gateway = made["Deployment", "istio-ingressgateway"].inputs
    assert gateway["metadata"]["labels"]["istio.io/rev"] == "1-30-3"
    assert gateway["spec"]["template"]["spec"]["containers"][0]["image"].endswith("proxyv2:1.30.3")
    assert "Deployment istiod-1-30-3" in made.waits(("Deployment", "istio-ingressgateway"))


def test_what_a_further_control_plane_installs_stays_as_it_is_when_it_becomes_the_stacks_own() -> None:
    """The last step of an upgrade removes the old control plane, and touches no proxy."""
    named = {"default": {"ownership": "existing", "revision": "1-30-3"}}
    gateways = {"istio-ingressgateway": {"revision": "1-30-3"}, "istio-egressgateway": {"revision": "1-30-3"}}
    common = {
        "profile": "demo",
        "revisionTags": {"default": "1-30-3"},
        "injectedNamespaces": named,
        "gateways": gateways,
        "bookinfo": True,
    }
    before = Made(**common, controlPlanes={"1-30-3": {"release": "1.30", "profile": "demo"}})
    after = Made(**common, release="1.30", revision="1-30-3")
    objects = {(one.type, one.name): one.inputs for one in before.all}
    changed = {one.name for one in after.all if objects.get((one.type, one.name)) not in (None, one.inputs)}
    assert changed == set()
    new = {one.name for one in after.all if (one.type, one.name) not in objects}
    assert new == {"bookinfo-gateway", "bookinfo"}  # in a version that only 1.30 validates


def test_plain_objects_of_the_stack_wait_for_all_validators() -> None:
    route = manifest_of("VirtualService", "a", {"hosts": ["a"], "http": [{"route": [{"destination": {"host": "a"}}]}]})
    made = Made(controlPlanes=ENTRY, namespaces={"shop": "existing"}, objects=[route])
    waits = made.waits(("VirtualService", "shop/a"))
    assert "ValidatingWebhookConfiguration istio-validator-1-30-3-istio-system" in waits
    assert "ValidatingWebhookConfiguration istiod-istio-system" in waits
