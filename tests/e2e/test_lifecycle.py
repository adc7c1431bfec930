"""A stack of each release on its embedded cluster, with the real engine, from the first preview to its removal. Each
test continues from the previous one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests import owned
from tests.e2e.conftest import EACH_RELEASE, NO_CHANGES, Checkout, counts

pytestmark = EACH_RELEASE
WRITE_EACH_STEP = ("dev",)


def test_a_preview_needs_no_cluster_and_creates_nothing(checkout: Checkout) -> None:
    found = checkout.preview()
    assert found["changeSummary"]["create"] > 70
    assert not (checkout.cluster / "kubeconfig").exists()


def test_precheck_finds_nothing_wrong_with_a_new_cluster(checkout: Checkout, before: set[str]) -> None:
    text = checkout.make("precheck")
    assert re.search(r"\n\d+ ok, 0 warnings, 0 errors; next: make up", text), text
    assert checkout.objects() == before


ASSIGNED = ("clusterIPs", "healthCheckNodePort")
"""Of a Service's spec, what the cluster itself gives, beside what the table of docs/readiness.md names."""
KEPT = ("labels", "annotations", "name", "namespace", "finalizers", "ownerReferences")
"""Fields of an object's metadata that its creator sets."""


def essence(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """An object of the cluster, without fields that others set and without ownership annotations."""
    found = owned.without(manifest, [row for row in owned.fields() if not row.scaled])
    meta = {key: value for key, value in found["metadata"].items() if key in KEPT}
    marks = ("pulumi.com/", "mesh/", "deployment.kubernetes.io/")  # the last are those of a controller
    notes = {key: value for key, value in meta.pop("annotations", {}).items() if not key.startswith(marks)}
    found = {**found, "metadata": {**meta, **({"annotations": notes} if notes else {})}}
    found.pop("status", None)
    if found["kind"] == "Service":
        found["spec"] = {key: value for key, value in found["spec"].items() if key not in ASSIGNED}
    if found["kind"] == "Secret":
        found.pop("data", None)  # what is rendered holds no secrets
    return found


@pytest.fixture(scope="module")
def made(checkout: Checkout) -> dict[str, dict[str, Any]]:
    """The objects that `up` creates."""
    return {name: essence(manifest) for name, manifest in checkout.standing(checkout.rendered(checkout.stack)).items()}


@pytest.mark.usefixtures("before")
def test_up_creates_the_mesh_and_prints_the_product_pages_address(checkout: Checkout) -> None:
    text = checkout.make("up", "ARGS=")  # with the preview before it
    port = (checkout.as_cloned.settings.ingressNodePorts or {})["http2"]
    assert re.search(rf"context {checkout.context}, server https://127\.0\.0\.1:\d+", text)
    assert f'productPage       : "http://127.0.0.1:{port}/productpage"' in text
    assert re.search(r"\+ \d+ created", counts(text))
    assert not re.search(r"warning: (?:IST|MESH)", text), "what make analyze does not find, the program does not either"


def test_every_rendered_object_is_on_the_cluster(made: dict[str, dict[str, Any]]) -> None:
    assert len(made) > 90


def test_a_second_up_changes_nothing(checkout: Checkout) -> None:
    for target in ("preview", "refresh", "preview", "up"):
        text = checkout.make(target, NO_CHANGES)
        assert re.fullmatch(r"Resources: \d+ unchanged", counts(text)), target
    checkout.make("preview", "ARGS=--refresh --expect-no-changes")


def test_kubectl_explains_the_custom_resources(checkout: Checkout) -> None:
    text = checkout.kubectl("explain", "virtualservice.spec.http.route.weight")
    assert re.search(r"DESCRIPTION:\n\s+\w+", text)


def test_status_shows_versions_gateways_and_sidecars(checkout: Checkout) -> None:
    text, chosen = checkout.make("status"), checkout.as_cloned.settings
    assert re.search(rf"istiod +1/1 ready +{chosen.hub}/pilot:{chosen.tag}", text)
    port = (chosen.ingressNodePorts or {})["http2"]
    assert re.search(rf"istio-ingressgateway .*NodePort  127.0.0.1  .*http2 {port}", text)
    assert f"sidecars  namespace default: 6 pods, 6 with {chosen.hub}/proxyv2:{chosen.tag}" in text
    real = chosen.installation.release.runs_istiod
    said = "built from Istio's sources" if real else "simulated, it injects and validates as its release does"
    assert re.search(rf"istiod    revision default: process .*, {said}", text)


def test_another_service_type_changes_only_the_service(checkout: Checkout) -> None:
    checkout.set(gatewayServiceType="LoadBalancer")
    found = checkout.preview()
    changed = [step["urn"].split("::")[-1] for step in found["steps"] if step["op"] != "same"]
    assert [name for name in changed if name != f"mesh-{checkout.stack}"] == ["istio-ingressgateway"]
    text = checkout.make("up")
    assert "~ 1 updated" in counts(text)
    address = re.search(r'productPage .*"http://([\d.]+)/productpage"', text.replace("\n", " "))
    assert address, text
    checkout.make("preview", "ARGS=--refresh --expect-no-changes")
    checkout.reset_files()
    assert "~ 1 updated" in counts(checkout.make("up"))
    checkout.make("preview", "ARGS=--refresh --expect-no-changes")


def test_a_further_revision_is_installed_beside_the_mesh_without_changing_it(checkout: Checkout) -> None:
    present, beside = checkout.objects(), ("STACK=demo", f"CONTEXT={checkout.context}")
    checkout.small(
        "demo",
        release=checkout.as_cloned.settings.release,
        revision="canary",
        base={"enabled": False},
        injectedNamespaces={"shop": "create"},
    )
    checkout.make("up", *beside)
    made = {" ".join(line.split()[:3]) for line in checkout.objects() - present}
    assert {"Deployment istio-system istiod-canary", "Namespace <none> shop"} <= made
    assert not [name for name in made if name.startswith("CustomResourceDefinition")]
    checkout.make("preview", "ARGS=--refresh --expect-no-changes", *beside)
    checkout.make("preview", "ARGS=--refresh --expect-no-changes")
    checkout.make("down", *beside)
    checkout.reset_files()
    assert checkout.objects() == present


def test_down_leaves_nothing_behind(checkout: Checkout, before: set[str]) -> None:
    text = checkout.make("down")
    assert re.search(r"- \d+ deleted", counts(text))
    assert checkout.objects() == before


def test_applying_the_rendered_files_gives_the_same_objects_as_up(
    checkout: Checkout, before: set[str], made: dict[str, dict[str, Any]]
) -> None:
    folders = checkout.rendered(checkout.stack)
    checkout.install(folders, "--server-side")
    applied = {name: essence(manifest) for name, manifest in checkout.standing(folders).items()}
    assert applied.keys() == made.keys()
    for name, manifest in applied.items():
        assert manifest == made[name], name
    for folder in reversed(folders):  # the namespace `default` cannot be deleted, and nothing else is left of it
        checkout.kubectl("delete", "--ignore-not-found", "--filename", folder, "--wait=false", code=None)
    checkout.kubectl("label", "namespace", "default", "istio-injection-")
    of_definitions = "--selector=kube-aggregator.kubernetes.io/automanaged=true"
    for gone in (["namespace/istio-system"], ["customresourcedefinitions", "--all"], ["apiservices", of_definitions]):
        checkout.kubectl("wait", *gone, "--for=delete", "--timeout=120s", code=None)  # all may be gone already
    checkout.make("down")  # of a stack that is not there: removes what a real istiod has made
    assert checkout.objects() == before
