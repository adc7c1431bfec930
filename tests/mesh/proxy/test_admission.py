"""What an injector's webhook answers about new pods."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from mesh import releases
from mesh.proxy.admission import Configured, owner
from mesh.proxy.annotations import InjectionError, UnsupportedError
from mesh.releases import manual
from mesh.releases.release import Installation, Release

INJECT = "sidecar.istio.io/inject"
EACH = pytest.mark.parametrize("release", [*map(releases.get, releases.NAMES)], ids=releases.NAMES)
OLD, NEW = releases.get("1.10"), releases.get("1.30")


def installed(release: Release) -> Installation:
    return Installation(release=release, values=release.values("default", {"revision": "canary"}))


def configured(release: Release = OLD, **config: Any) -> Configured:
    mesh = installed(release)
    return Configured(
        injector=release.injector,
        proxy_config=release.proxy_config,
        config={"policy": "enabled", "defaultTemplates": ["sidecar"], **config},
        values=release.injection_values(mesh),
        mesh=release.mesh_config(mesh),
        revision="canary",
    )


def controlled(kind: str, name: str, version: str = "apps/v1") -> dict[str, Any]:
    reference = {"apiVersion": version, "kind": kind, "name": name, "controller": True, "uid": "1"}
    return {"generateName": f"{name}-", "ownerReferences": [reference]}


def pod(metadata: Mapping[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "web", **(metadata or {})},
        "spec": {"containers": [{"name": "web", "image": "web"}], **spec},
    }


def patched(pod: Mapping[str, Any], patch: list[dict[str, Any]]) -> dict[str, Any]:
    """The pod after a patch whose operations set fields of its metadata and spec."""
    found = copy.deepcopy(dict(pod))
    for one in patch:
        _, part, name = one["path"].split("/")
        assert one["op"] == "add"
        found[part][name] = one["value"]
    return found


@EACH
def test_the_pod_of_a_deployment_gets_the_sidecar_of_manual_injection(release: Release) -> None:
    notes = {"sidecar.istio.io/logLevel": "debug"}
    template = {"metadata": {"labels": {"app": "web"}, "annotations": notes}, "spec": pod()["spec"]}
    names = {"name": "web", "namespace": "shop"}
    workload = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": names, "spec": {"template": template}}
    labels = {"app": "web", "pod-template-hash": "77f9"}
    made = pod({**controlled("ReplicaSet", "web-77f9"), "labels": labels, "annotations": notes})
    found = patched(made, configured(release).patch(made, "shop"))
    expected = manual.with_sidecar(installed(release), workload)["spec"]["template"]
    assert found["spec"] == expected["spec"]
    assert found["metadata"]["annotations"] == expected["metadata"]["annotations"]
    assert found["metadata"]["labels"] == {**expected["metadata"]["labels"], "pod-template-hash": "77f9"}
    assert found["metadata"]["generateName"] == "web-77f9-"


@EACH
@pytest.mark.parametrize(
    ("given", "namespace"),
    [
        (pod(hostNetwork=True), "shop"),
        (pod(), "kube-system"),
        (pod({"annotations": {INJECT: "false"}}), "shop"),
        (pod({"labels": {"job": "build"}}), "shop"),
    ],
    ids=["on its node's network", "of Kubernetes", "that says no", "that the configuration leaves out"],
)
def test_a_pod_gets_no_sidecar(release: Release, given: dict[str, Any], namespace: str) -> None:
    never = [{"matchExpressions": [{"key": "job", "operator": "Exists"}]}]
    assert configured(release, neverInjectSelector=never).patch(given, namespace) == []


@EACH
def test_where_injection_is_off_pods_that_ask_are_injected_alone(release: Release) -> None:
    off = configured(release, policy="disabled", alwaysInjectSelector=[{"matchLabels": {"always": "yes"}}])
    assert off.patch(pod(), "shop") == []
    assert off.patch(pod({"annotations": {INJECT: "true"}}), "shop")
    assert off.patch(pod({"labels": {"always": "yes"}}), "shop")


def test_only_the_later_injector_reads_the_label_of_a_pod() -> None:
    labelled = pod({"labels": {INJECT: "true"}})
    assert configured(OLD, policy="disabled").patch(labelled, "shop") == []
    assert configured(NEW, policy="disabled").patch(labelled, "shop")


def test_annotations_of_the_configuration_are_added() -> None:
    found = patched(pod(), configured(injectedAnnotations={"note": "mesh"}).patch(pod(), "shop"))
    assert found["metadata"]["annotations"]["note"] == "mesh"


def test_an_annotation_that_istio_refuses_refuses_the_pod() -> None:
    with pytest.raises(InjectionError, match="interceptionMode"):
        configured().patch(pod({"annotations": {"sidecar.istio.io/interceptionMode": "X"}}), "shop")


@pytest.mark.parametrize(
    ("given", "config"),
    [
        (pod({"annotations": {"inject.istio.io/templates": "gateway"}}), {}),
        (pod(containers=[{"name": "istio-proxy", "image": "auto"}]), {}),
        (pod(), {"defaultTemplates": ["sidecar", "mine"]}),
    ],
    ids=["another template", "a proxy of its own", "other templates for all"],
)
def test_what_only_istio_can_inject_is_told_from_what_it_refuses(given: dict[str, Any], config: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedError):
        configured(**config).patch(given, "shop")


@pytest.mark.parametrize(
    ("release", "metadata", "expected"),
    [
        (OLD, {"name": "web"}, ("v1", "Pod", "web")),
        (OLD, controlled("ReplicaSet", "web-77f9"), ("apps/v1", "ReplicaSet", "web-77f9")),
        (OLD, controlled("StatefulSet", "db"), ("apps/v1", "StatefulSet", "db")),
        (OLD, controlled("Job", "once", "batch/v1"), ("batch/v1", "Job", "once")),
        (OLD, controlled("Job", "nightly-1626000000", "batch/v1"), ("batch/v1beta1", "CronJob", "nightly")),
        # Kubernetes names Jobs by the minute since 1.21, which 1.10 does not know.
        (OLD, controlled("Job", "nightly-27100000", "batch/v1"), ("batch/v1", "Job", "nightly-27100000")),
        (NEW, controlled("Job", "nightly-27100000", "batch/v1"), ("batch/v1", "CronJob", "nightly")),
    ],
)
def test_the_workload_of_a_pod_is_guessed_as_istio_does(
    release: Release, metadata: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    found = owner({"metadata": metadata}, "shop", release.injector)
    assert (found["apiVersion"], found["kind"], found["metadata"]["name"]) == expected
    assert found["metadata"]["namespace"] == "shop"
