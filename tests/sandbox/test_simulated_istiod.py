"""What a simulated control plane answers and patches; tests/e2e/test_control_planes.py has one with an API server."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import yaml

from cluster.client import Answer
from mesh import releases
from mesh.proxy import injection
from mesh.releases.release import Installation
from sandbox.istiod.simulated import answers, webhooks
from sandbox.istiod.simulated.plane import Plane
from tests.fake_api import FakeApi, listing

ADMISSION = "/apis/admissionregistration.k8s.io/v1"
MUTATING, VALIDATING = f"{ADMISSION}/mutatingwebhookconfigurations", f"{ADMISSION}/validatingwebhookconfigurations"
MAPS = "GET /api/v1/namespaces/istio-system/configmaps"
BUNDLE = "Y2E="


def plane(revision: str = "default", release: str = "1.10") -> Plane:
    name = "istiod" if revision == "default" else f"istiod-{revision}"
    where = {"namespace": "istio-system", "service": name, "address": "127.0.0.1", "folder": ""}
    return Plane(release=release, revision=revision, **where)


# Injection


def installed(revision: str = "") -> FakeApi:
    """A cluster with the ConfigMaps of a control plane of 1.10."""
    release, suffix = releases.get("1.10"), f"-{revision}" if revision else ""
    mesh = Installation(release=release, values=release.values("default", {"revision": revision}))
    injector = injection.config_map_data(release.injection_templates(), release.injection_values(mesh))
    config = {"mesh": yaml.safe_dump(release.mesh_config(mesh))}
    return FakeApi(
        {
            f"{MAPS}/istio-sidecar-injector{suffix}": Answer(200, {"data": injector}),
            f"{MAPS}/istio{suffix}": Answer(200, {"data": config}),
        }
    )


def asked(**changes: Any) -> dict[str, Any]:
    pod = {"metadata": {"name": "web"}, "spec": {"containers": [{"name": "web", "image": "web"}]}, **changes}
    return {"uid": "1", "operation": "CREATE", "namespace": "shop", "object": pod}


def inject(api: FakeApi, revision: str = "default", **changes: Any) -> dict[str, Any]:
    return answers.by_path(plane(revision), api)["/inject"](asked(**changes))


@pytest.mark.parametrize("revision", ["", "canary"])
def test_a_pod_is_injected_from_the_config_maps_of_its_control_plane(revision: str) -> None:
    answer = inject(installed(revision), revision or "default")
    assert (answer["allowed"], answer["patchType"]) == (True, "JSONPatch")
    patch = {one["path"]: one["value"] for one in json.loads(base64.b64decode(answer["patch"]))}
    assert [one["name"] for one in patch["/spec/containers"]] == ["web", "istio-proxy"]
    assert patch["/spec/containers"][1]["image"] == "docker.io/istio/proxyv2:1.10.3"
    assert patch["/metadata/labels"]["istio.io/rev"] == (revision or "default")


def test_a_change_of_the_config_maps_holds_for_the_next_pod() -> None:
    api = installed()
    found = api.answers[f"{MAPS}/istio-sidecar-injector"].body["data"]
    config = {**yaml.safe_load(found["config"]), "policy": "disabled"}
    api.answers[f"{MAPS}/istio-sidecar-injector"] = Answer(200, {"data": {**found, "config": yaml.safe_dump(config)}})
    assert inject(api) == {"allowed": True}


def test_a_pod_that_istio_refuses_is_refused_with_the_reason() -> None:
    pod = {"name": "web", "annotations": {"sidecar.istio.io/interceptionMode": "X"}}
    answer = inject(installed(), metadata=pod)
    assert answer["allowed"] is False
    assert 'interceptionMode: "X" is not one of' in answer["status"]["message"]


def test_a_pod_that_only_istio_can_inject_starts_without_a_sidecar_and_with_a_warning() -> None:
    pod = {"name": "web", "annotations": {"inject.istio.io/templates": "gateway"}}
    answer = inject(installed(), metadata=pod)
    assert answer["allowed"] is True
    assert "istiod is simulated here; inject.istio.io/templates" in answer["warnings"][0]


def test_a_pod_is_refused_while_the_configuration_of_the_injector_is_missing() -> None:
    answer = inject(FakeApi({f"{MAPS}/istio-sidecar-injector": Answer(404, {"message": "not found"})}))
    assert answer["allowed"] is False
    assert "not found" in answer["status"]["message"]


# Validation


def route(version: str, weight: int = 100, kind: str = "VirtualService") -> dict[str, Any]:
    destination = {"destination": {"host": "a"}, "weight": weight}
    return {
        "apiVersion": f"networking.istio.io/{version}",
        "kind": kind,
        "metadata": {"name": "a", "namespace": "shop"},
        "spec": {"hosts": ["a.example.com"], "http": [{"route": [destination]}]},
    }


def validate(manifest: dict[str, Any], operation: str = "CREATE", release: str = "1.10") -> dict[str, Any]:
    request = {"uid": "1", "operation": operation, "namespace": "shop", "object": manifest}
    return answers.by_path(plane(release=release), FakeApi())["/validate"](request)


@pytest.mark.parametrize("version", ["v1alpha3", "v1beta1"])
def test_a_valid_object_in_a_version_of_the_release_is_accepted(version: str) -> None:
    assert validate(route(version)) == {"allowed": True}


@pytest.mark.parametrize("manifest", [route("v1"), route("v1beta1", kind="ProxyConfig"), route("v1", kind="Strange")])
def test_what_came_after_the_release_is_refused_as_istio_1_10_does(manifest: dict[str, Any]) -> None:
    answer = validate(manifest)
    assert answer == {"allowed": False, "status": {"message": f"unrecognized type {manifest['kind']}"}}


def test_a_later_release_knows_later_versions() -> None:
    assert validate(route("v1"), release="1.30") == {"allowed": True}


def test_an_invalid_object_is_refused_with_the_place_and_not_when_it_is_deleted() -> None:
    answer = validate(route("v1alpha3", weight=-3))
    assert answer["allowed"] is False
    assert answer["status"]["message"].startswith("configuration is invalid: http[0].route[0].weight: ")
    assert validate(route("v1alpha3", weight=-3), "DELETE") == {"allowed": True}


# Patches of the webhooks


def hook(
    service: str = "istiod", bundle: str = "", policy: str = "Ignore", namespace: str = "istio-system"
) -> dict[str, Any]:
    config: dict[str, Any] = {"service": {"name": service, "namespace": namespace}}
    if bundle:
        config["caBundle"] = bundle
    return {"name": f"{service}.example.com", "clientConfig": config, "failurePolicy": policy}


def configuration(name: str, revision: str, *hooks: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    labels = {"istio.io/rev": revision} if revision else {}
    return {"metadata": {"name": name, "labels": labels, **metadata}, "webhooks": list(hooks)}


def patches(
    injectors: list[dict[str, Any]], validators: list[dict[str, Any]], revision: str = "default"
) -> dict[str, list[dict[str, Any]]]:
    """The webhooks of each patch, by name of the configuration."""
    api = FakeApi({f"GET {MUTATING}": listing(*injectors), f"GET {VALIDATING}": listing(*validators)})
    webhooks.patch(api, plane(revision), BUNDLE)
    sent = [one for one in api.asked if one.method == "PATCH" and one.body]
    assert {one.content_type for one in sent} <= {"application/strategic-merge-patch+json"}
    return {one.path.rpartition("/")[2].partition("?")[0]: list(one.body["webhooks"]) for one in sent if one.body}


def test_each_webhook_without_the_certificate_gets_it() -> None:
    found = patches([configuration("injector", "default", hook(), hook(bundle=BUNDLE))], [])
    assert found == {"injector": [{"name": "istiod.example.com", "clientConfig": {"caBundle": BUNDLE}}]}


def test_the_certificate_of_another_control_plane_is_replaced() -> None:
    found = patches([configuration("istio-revision-tag-canary", "default", hook(bundle="b3RoZXI="))], [])
    assert [*found] == ["istio-revision-tag-canary"]


def test_a_validator_is_found_by_its_name_or_label_and_made_to_refuse() -> None:
    named = configuration("istiod-istio-system", "", hook(bundle=BUNDLE))
    labelled = configuration("istio-validator-istio-system", "default", hook(bundle=BUNDLE, policy="Fail"), hook())
    found = patches([], [named, labelled])
    assert {name: [one["failurePolicy"] for one in hooks] for name, hooks in found.items()} == {
        "istiod-istio-system": ["Fail"],
        "istio-validator-istio-system": ["Fail"],
    }


def test_webhooks_of_other_control_planes_and_of_others_are_left_alone() -> None:
    others = [
        configuration("injector-1-30-3", "1-30-3", hook("istiod-1-30-3")),
        configuration("repointed", "default", hook("istiod-1-30-3")),
        configuration("elsewhere", "default", hook(namespace="other")),
        configuration("foreign", "", hook()),
        configuration("going", "default", hook(), deletionTimestamp="2026-01-01T00:00:00Z"),
        configuration("done", "default", hook(bundle=BUNDLE)),
        {
            "metadata": {"name": "by-url", "labels": {"istio.io/rev": "default"}},
            "webhooks": [{"name": "a", "clientConfig": {"url": "https://a"}}],
        },
    ]
    assert patches(others, others) == {
        "done": [{"name": "istiod.example.com", "clientConfig": {"caBundle": BUNDLE}, "failurePolicy": "Fail"}]
    }
    assert [*patches(others, [], "1-30-3")] == ["injector-1-30-3"]
