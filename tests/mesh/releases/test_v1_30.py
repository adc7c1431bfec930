"""What release 1.30 installs: its profiles, platforms, tags and policies, by the objects that the program registers."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from commands import render
from mesh import releases
from mesh.config import loading
from mesh.config.settings import SettingsError
from mesh.values.values import Values

pytestmark = pytest.mark.slow

RELEASE = releases.get("1.30")
NEVER = {"matchLabels": {"istio.io/deactivated": "never-match"}}

Objects = dict[tuple[str, str], dict[str, Any]]


def installed(**config: Any) -> Objects:
    """The objects that a config of the release installs, by kind and name; those of a namespace are all different."""
    return _installed(json.dumps(config, sort_keys=True))


@cache
def _installed(config: str) -> Objects:
    given = {"release": "1.30", **json.loads(config)}
    flat = {f"mesh:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}
    return {(one["kind"], one["metadata"]["name"]): one for one in render.manifests(render.record("x", flat))}


def refused(**config: Any) -> str:
    given = {"release": "1.30", **config}
    flat = {f"mesh:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}
    with pytest.raises(SettingsError) as error:
        loading.load(flat)
    return str(error.value)


def container(objects: Objects, kind: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = objects[kind, name]["spec"]["template"]["spec"]["containers"][0]
    return found


def env(objects: Objects, kind: str, name: str) -> dict[str, Any]:
    return {one["name"]: one.get("value") for one in container(objects, kind, name)["env"]}


def injection_values(objects: Objects) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(objects["ConfigMap", "istio-sidecar-injector"]["data"]["values"])
    return values


def of_kind(objects: Objects, kind: str) -> list[str]:
    return sorted(name for found, name in objects if found == kind)


@pytest.mark.parametrize("name", RELEASE.profiles.names)
def test_every_profile_is_valid(name: str) -> None:
    assert isinstance(RELEASE.values(name), Values)


@pytest.mark.parametrize(
    ("profile", "workloads"),
    [
        ("minimal", ["istiod"]),
        ("default", ["istio-ingressgateway", "istiod"]),
        ("demo", ["istio-egressgateway", "istio-ingressgateway", "istiod"]),
        ("stable", ["istio-ingressgateway", "istiod"]),
        ("ambient", ["istio-cni-node", "istiod", "ztunnel"]),
        ("openshift", ["istio-cni-node", "istio-ingressgateway", "istiod"]),
        ("openshift-ambient", ["istio-cni-node", "istiod", "ztunnel"]),
        ("remote", []),
        ("empty", []),
    ],
)
def test_a_profile_runs_its_workloads(profile: str, workloads: list[str]) -> None:
    remote = {"injectionURL": "https://istiod.example.com/inject"} if profile == "remote" else {}
    objects = installed(profile=profile, istiodRemote=remote)
    assert sorted([*of_kind(objects, "Deployment"), *of_kind(objects, "DaemonSet")]) == workloads


def test_images_come_from_the_registry_of_istio_itself() -> None:
    assert container(installed(), "Deployment", "istiod")["image"] == "registry.istio.io/release/pilot:1.30.3"


def test_a_variant_ends_the_tag_of_every_image_and_a_digest_replaces_both() -> None:
    digest = "sha256:" + "a" * 64
    objects = installed(profile="ambient", images={"ztunnel": digest})
    assert container(objects, "Deployment", "istiod")["image"].endswith("/pilot:1.30.3-distroless")
    assert container(objects, "DaemonSet", "istio-cni-node")["image"].endswith("/install-cni:1.30.3-distroless")
    assert container(objects, "DaemonSet", "ztunnel")["image"].endswith(f"/ztunnel@{digest}")


def test_no_envoy_filters_are_installed_for_telemetry() -> None:
    assert of_kind(installed(profile="demo"), "EnvoyFilter") == []
    mesh = installed()["ConfigMap", "istio"]["data"]["mesh"]
    assert "prometheus" in mesh


def test_a_single_pod_has_no_disruption_budget() -> None:
    assert of_kind(installed(), "PodDisruptionBudget") == []
    assert of_kind(installed(pilot={"autoscaleMin": 2}), "PodDisruptionBudget") == ["istiod"]


# Platforms and compatibility versions


def test_a_platform_counts_more_than_the_profile_and_less_than_the_config() -> None:
    on_k3s = {"platform": "k3s"}
    volumes = RELEASE.values("ambient", {"global": on_k3s}).cni
    assert volumes.cniBinDir == "/var/lib/rancher/k3s/data/cni"
    assert RELEASE.values("ambient", {"global": on_k3s, "cni": {"cniBinDir": "/mine"}}).cni.cniBinDir == "/mine"


def test_openshift_chooses_the_users_of_pods_and_lets_agents_be_privileged() -> None:
    objects = installed(profile="openshift-ambient")
    assert ("ClusterRoleBinding", "ztunnel") in objects
    assert ("NetworkAttachmentDefinition", "istio-cni") in objects
    gateway = installed(profile="openshift")["Deployment", "istio-ingressgateway"]["spec"]["template"]["spec"]
    assert gateway["securityContext"] == {"runAsNonRoot": True}


def test_a_compatibility_version_keeps_the_behavior_that_it_and_later_releases_had() -> None:
    kept = RELEASE.values("default", {"compatibilityVersion": "1.27"}).pilot.env
    assert set(kept) == {
        "PILOT_SIDECAR_PICK_BEST_SERVICE_NAMESPACE",
        "DISABLE_TRACK_REMAINING_CB_METRICS",
        "DISABLE_SHADOW_HOST_SUFFIX",
        "PILOT_SPAWN_UPSTREAM_SPAN_FOR_GATEWAY",
    }
    chosen = {"compatibilityVersion": "1.29", "pilot": {"env": {"PILOT_SIDECAR_PICK_BEST_SERVICE_NAMESPACE": "true"}}}
    assert RELEASE.values("default", chosen).pilot.env["PILOT_SIDECAR_PICK_BEST_SERVICE_NAMESPACE"] == "true"


def test_an_unknown_compatibility_version_is_refused_with_the_choices() -> None:
    text = refused(compatibilityVersion="1.24")
    assert 'mesh:compatibilityVersion: "1.24" is not one of 1.29, 1.28, 1.27, 1.26, 1.25' in text


# Tags


def test_the_first_control_plane_has_the_default_tag() -> None:
    objects = installed()
    assert of_kind(objects, "MutatingWebhookConfiguration") == ["istio-revision-tag-default", "istio-sidecar-injector"]
    names = ["istio-validator-istio-system", "istiod-default-validator"]
    assert of_kind(objects, "ValidatingWebhookConfiguration") == names
    unlabelled = objects["ValidatingWebhookConfiguration", "istiod-default-validator"]["webhooks"][0]
    assert unlabelled["objectSelector"]["matchExpressions"] == [{"key": "istio.io/rev", "operator": "DoesNotExist"}]


def test_pods_with_the_default_labels_are_injected_once() -> None:
    """Either by the control plane without a name, or by the tag `default`: never by both."""
    for config, active in (
        ({}, "istio-sidecar-injector"),
        ({"revisionTags": {"default": "canary"}}, "istio-revision-tag-default"),
        ({"revision": "canary"}, "istio-revision-tag-default"),
    ):
        enabled = [
            name
            for (kind, name), one in installed(**config).items()
            if kind == "MutatingWebhookConfiguration"
            for hook in one["webhooks"]
            if hook["name"].startswith("namespace.") and hook["namespaceSelector"] != NEVER
        ]
        assert enabled == [active]


def test_a_revision_of_its_own_leaves_the_default_tag_to_the_stack_with_the_base() -> None:
    objects = installed(revision="canary", base={"enabled": False})
    assert of_kind(objects, "MutatingWebhookConfiguration") == ["istio-sidecar-injector-canary"]
    assert of_kind(objects, "ValidatingWebhookConfiguration") == ["istio-validator-canary-istio-system"]
    assert ("ServiceAccount", "istiod-canary") in objects
    assert ("ServiceAccount", "istio-reader-service-account") not in objects


def test_a_tag_leads_pods_to_its_revision() -> None:
    objects = installed(revision="canary", revisionTags={"prod": "canary", "old": "default"})
    tag = objects["MutatingWebhookConfiguration", "istio-revision-tag-prod"]
    assert tag["metadata"]["labels"] == {"app": "sidecar-injector", "istio.io/rev": "canary", "istio.io/tag": "prod"}
    hooks = {hook["name"].partition(".sidecar")[0]: hook for hook in tag["webhooks"]}
    assert list(hooks) == ["rev.namespace", "rev.object"]
    assert hooks["rev.namespace"]["namespaceSelector"]["matchExpressions"][0]["values"] == ["prod"]
    assert hooks["rev.namespace"]["clientConfig"]["service"]["name"] == "istiod-canary"
    old = objects["MutatingWebhookConfiguration", "istio-revision-tag-old"]["webhooks"][0]
    assert old["clientConfig"]["service"]["name"] == "istiod"
    services = [name for name in of_kind(objects, "Service") if "tag" in name]
    assert services == ["istiod-revision-tag-prod"]  # that of another revision belongs to its own stack


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"revision": "a", "revisionTags": {"a": "a"}}, "mesh:revisionTags.a: a is a revision itself"),
        (
            {"revisionTags": {"a": "b", "b": "c"}},
            "mesh:revisionTags.a: b is a tag, and tags stand for revisions: write c",
        ),
        ({"profile": "empty", "revisionTags": {"a": "b"}}, "the profile empty has no control plane that injects"),
        ({"revisionTags": {"A": "b"}}, "mesh:revisionTags.A"),
        (
            {"profile": "ambient", "ztunnel": {"namespace": "kube-system"}},
            "mesh:ztunnel.namespace is kube-system, but istiod trusts istio-system",
        ),
        (
            {"profile": "ambient", "global": {"platform": "openshift"}},
            "mesh:ztunnel.namespace is istio-system with mesh:global.platform openshift, but istiod trusts kube-system",
        ),
    ],
)
def test_names_that_contradict_each_other_are_refused(config: dict[str, Any], text: str) -> None:
    assert text in refused(**config)


# Policies and scopes


def test_network_policies_admit_the_ports_of_each_part() -> None:
    assert of_kind(installed(profile="ambient"), "NetworkPolicy") == []
    wanted = {"networkPolicy": {"enabled": True}}
    assert of_kind(installed(profile="ambient", **{"global": wanted}), "NetworkPolicy") == [
        "istio-cni",
        "istiod",
        "ztunnel",
    ]
    policy = installed(**{"global": wanted})["NetworkPolicy", "istio-ingressgateway"]["spec"]
    admitted = {port["port"] for rule in policy["ingress"] for port in rule["ports"]}
    assert admitted == {8080, 8443, 15020, 15021, 15090}
    assert policy["egress"] == [{}]


def test_profile_stable_denies_what_is_not_stable_to_objects_of_its_revision() -> None:
    objects = installed(profile="stable", revision="canary")
    name = "stable-channel-policy-canary-istio-system.istio.io"
    policy = objects["ValidatingAdmissionPolicy", name]["spec"]
    assert policy["matchConstraints"]["objectSelector"]["matchExpressions"][0]["values"] == ["canary"]
    assert "!variables.isEnvoyFilter" in [one["expression"] for one in policy["validations"]]
    (binding,) = of_kind(objects, "ValidatingAdmissionPolicyBinding")
    assert objects["ValidatingAdmissionPolicyBinding", binding]["spec"]["policyName"] == name


def test_each_scope_installs_its_half_of_the_objects() -> None:
    scopes = {
        scope: set(installed(profile="ambient", **{"global": {"resourceScope": scope}}))
        for scope in ("all", "cluster", "namespace")
    }
    assert scopes["cluster"] | scopes["namespace"] == scopes["all"]
    assert scopes["cluster"] & scopes["namespace"] == set()
    assert ("Namespace", "istio-system") in scopes["cluster"]
    assert ("Deployment", "istiod") in scopes["namespace"]


# The control plane


def test_istiod_trusts_ztunnel_where_it_is() -> None:
    trusted = env(installed(profile="openshift-ambient"), "Deployment", "istiod")["CA_TRUSTED_NODE_ACCOUNTS"]
    assert trusted == "kube-system/ztunnel"


def test_ambient_mode_is_known_to_istiod_the_plugin_and_the_templates() -> None:
    objects = installed(profile="ambient")
    assert env(objects, "Deployment", "istiod")["PILOT_ENABLE_AMBIENT"] == "true"
    assert objects["ConfigMap", "istio-cni-config"]["data"]["AMBIENT_ENABLED"] == "true"
    values = injection_values(objects)["pilot"]["cni"]
    assert values == {"ambient": {"enabled": True}, "enabled": True, "provider": "default"}


def test_the_templates_see_what_differs_from_the_plugins_defaults() -> None:
    objects = installed(cni={"enabled": True, "provider": "multus", "image": "install-cni"})
    assert injection_values(objects)["pilot"]["cni"] == {"enabled": True, "provider": "multus"}


def test_pods_use_the_plugin_of_another_stack() -> None:
    objects = installed(pilot={"cni": {"enabled": True}})
    assert injection_values(objects)["pilot"]["cni"] == {"enabled": True, "provider": "default"}
    assert of_kind(objects, "DaemonSet") == []


def test_an_unknown_provider_of_istiods_certificate_is_refused_with_the_choices() -> None:
    text = refused(**{"global": {"pilotCertProvider": "vault"}})
    assert text == 'mesh:global.pilotCertProvider: "vault" is not one of istiod, custom, none, k8s.io/SIGNER'


def test_a_remote_control_plane_has_its_webhook_its_readers_and_its_address_here() -> None:
    objects = installed(profile="remote", **{"global": {"remotePilotAddress": "192.0.2.7"}})
    assert of_kind(objects, "MutatingWebhookConfiguration") == ["istio-sidecar-injector"]
    assert of_kind(objects, "ValidatingWebhookConfiguration") == []
    assert objects["EndpointSlice", "istiod"]["endpoints"] == [{"addresses": ["192.0.2.7"]}]
    assert of_kind(objects, "ClusterRole") == ["istio-reader-clusterrole-istio-system"]
    named = installed(profile="remote", **{"global": {"remotePilotAddress": "istiod.example.com"}})
    assert named["Service", "istiod"]["spec"]["externalName"] == "istiod.example.com"


def test_a_configuration_cluster_has_the_account_and_the_validation_of_a_remote_istiod() -> None:
    objects = installed(profile="remote", **{"global": {"configCluster": True, "remotePilotAddress": "192.0.2.7"}})
    assert ("ServiceAccount", "istiod") in objects
    assert of_kind(objects, "ValidatingWebhookConfiguration") == ["istio-validator-istio-system"]


def test_istiod_leaves_a_validator_alone_whose_certificates_are_given() -> None:
    config = {"base": {"validationURL": "https://istiod.example.com/validate", "validationCABundle": "YQ=="}}
    hook = installed(**config)["ValidatingWebhookConfiguration", "istio-validator-istio-system"]["webhooks"][0]
    assert hook["failurePolicy"] == "Fail"
    assert hook["clientConfig"] == {"url": "https://istiod.example.com/validate", "caBundle": "YQ=="}


@pytest.mark.parametrize(
    ("repair", "rule"),
    [
        ({}, None),
        ({"repairPods": False, "deletePods": True}, (["pods"], ["delete"])),
        ({"repairPods": False, "labelPods": True}, (["pods/status"], ["update", "patch"])),
    ],
)
def test_the_repair_of_pods_may_do_what_it_is_told_to_do(repair: dict[str, Any], rule: Any) -> None:
    role = installed(cni={"enabled": True, "repair": repair})["ClusterRole", "istio-cni-repair-role"]
    allowed = [(one["resources"], one["verbs"]) for one in role["rules"]][2:]
    assert allowed == ([rule] if rule else [])
