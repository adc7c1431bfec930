"""A stack on the embedded cluster, with the real engine, from the first preview to its removal. Each test continues
from the previous one."""

from __future__ import annotations

import base64
import json
import re
import stat
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from tests import owned
from tests.e2e.conftest import NO_CHANGES, Checkout, counts


@pytest.fixture(scope="module")
def before(checkout: Checkout) -> set[str]:
    """The objects on the cluster before the installation."""
    checkout.make("sandbox")
    return checkout.objects()


def test_a_preview_needs_no_cluster_and_creates_nothing(checkout: Checkout) -> None:
    found = checkout.preview()
    assert found["changeSummary"]["create"] > 70
    assert not (checkout.home / "cluster" / "kubeconfig").exists()


def test_an_invalid_config_is_one_error_message_without_a_traceback(checkout: Checkout, before: set[str]) -> None:
    checkout.set(profile="demmo", gatewayServiceType="Nodeport")
    for target in ("preview", "up"):
        text = checkout.make(target, code=None)
        assert 'did you mean "demo"?' in text
        assert 'did you mean "NodePort"?' in text
        assert "Traceback" not in text
    checkout.reset_files()
    assert checkout.objects() == before


@pytest.mark.parametrize(
    ("namespaces", "way_out"),
    [
        ({"default": "create"}, "declare it `existing`"),
        ({"default": "existing", "shop": "existing"}, "declare it `create`"),
    ],
)
def test_a_wrongly_declared_namespace_is_refused_before_any_change(
    checkout: Checkout, before: set[str], namespaces: dict[str, str], way_out: str
) -> None:
    checkout.set(injectedNamespaces=namespaces)
    text = checkout.make("up", code=None)
    checkout.reset_files()
    assert way_out in text
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
    return {name: essence(manifest) for name, manifest in checkout.standing(checkout.rendered("dev")).items()}


def test_a_report_without_state_renders_the_base_branch_without_pulumi(checkout: Checkout) -> None:
    (checkout.root / "stacks" / "Pulumi.new.yaml").write_text("config: {mesh:profile: minimal}\n")
    checkout.set(gatewayServiceType="LoadBalancer")
    nothing = str(checkout.home.parent / "nothing")
    flags = "ARGS=--fail-on high"
    text = checkout.run("make", "--silent", "report", flags, code=2, PATH="/usr/bin:/bin", MESH_CACHE=nothing)
    assert re.search(r"new: \d+ objects changed", text)
    assert "Error 3" in text
    found = {stack: checkout.report(stack) for stack in ("dev", "demo", "new")}
    assert {stack: one["source"]["kind"] for stack, one in found.items()} == dict.fromkeys(found, "base branch")
    assert [change["object"]["name"] for change in found["dev"]["changes"]] == ["istio-ingressgateway"]
    assert [risk["risk"] for risk in found["dev"]["risks"]] == ["opened to the outside"]
    assert found["demo"]["changes"] == []
    assert set(found["new"]["counts"]) == {"create", "unchanged"}
    (checkout.root / "stacks" / "Pulumi.new.yaml").unlink()
    checkout.reset_files()


@pytest.mark.usefixtures("before")
def test_up_creates_the_mesh_and_prints_the_product_pages_address(checkout: Checkout) -> None:
    text = checkout.make("up")
    assert re.search(r"context mesh-dev, server https://127\.0\.0\.1:\d+", text)
    assert 'productPage       : "http://127.0.0.1:31102/productpage"' in text
    assert re.search(r"\+ \d+ created", counts(text))


def test_every_rendered_object_is_on_the_cluster(made: dict[str, dict[str, Any]]) -> None:
    assert len(made) > 100


def test_a_second_up_changes_nothing(checkout: Checkout) -> None:
    for target in ("preview", "refresh", "preview", "up"):
        text = checkout.make(target, NO_CHANGES)
        assert re.fullmatch(r"Resources: \d+ unchanged", counts(text)), target
    checkout.make("preview", "ARGS=--refresh --expect-no-changes")


def test_kubectl_explains_the_custom_resources(checkout: Checkout) -> None:
    text = checkout.kubectl("explain", "virtualservice.spec.http.route.weight")
    assert re.search(r"DESCRIPTION:\n\s+\w+", text)


def test_status_shows_versions_gateways_and_sidecars(checkout: Checkout) -> None:
    text = checkout.make("status")
    assert re.search(r"istiod +1/1 ready +docker.io/istio/pilot:1.10.3", text)
    assert re.search(r"istio-ingressgateway .*NodePort  127.0.0.1  .*http2 31102", text)
    assert "without a sidecar: productpage-v1" in text  # webhooks are off on the embedded cluster


def test_another_service_type_changes_only_the_service(checkout: Checkout) -> None:
    checkout.set(gatewayServiceType="LoadBalancer")
    found = checkout.preview()
    changed = [step["urn"].split("::")[-1] for step in found["steps"] if step["op"] != "same"]
    assert [name for name in changed if name != "mesh-dev"] == ["istio-ingressgateway"]
    text = checkout.make("up")
    assert "~ 1 updated" in counts(text)
    address = re.search(r'productPage .*"http://([\d.]+)/productpage"', text.replace("\n", " "))
    assert address, text
    checkout.make("preview", "ARGS=--refresh --expect-no-changes")
    checkout.reset_files()
    assert "~ 1 updated" in counts(checkout.make("up"))
    checkout.make("preview", "ARGS=--refresh --expect-no-changes")


def test_a_report_shows_drift_changes_and_changed_secrets_without_values(checkout: Checkout) -> None:
    file = checkout.home / "project" / "Pulumi.dev.yaml"
    before = file.read_text()
    command = (
        'pulumi config set --secret mesh-addons:grafanaPassword hunter2 --stack "$STACK" --config-file "$STACK_FILE"'
    )
    checkout.run("bash", "-c", f'eval "$(make -s env)" && {command}')
    checkout.kubectl("delete", "poddisruptionbudget", "istiod", "--namespace=istio-system")
    routes = {"versions": ["v1", "v2", "v3"], "route": {"v1": 90, "v3": 10}}
    checkout.set(traffic={"services": {"reviews": routes}})
    checkout.make("report", "STACK=dev")
    live = checkout.report("dev")
    checkout.run("make", "--silent", "report", "STACK=dev", MESH_OFFLINE="1")
    recorded = checkout.report("dev")
    assert (live["source"]["kind"], recorded["source"]["kind"]) == ("cluster", "recorded state")
    assert [(one["op"], one["object"]["kind"]) for one in live["drift"]] == [("delete", "PodDisruptionBudget")]
    traffic = [("create", "DestinationRule"), ("create", "VirtualService")]
    for found, more in ((live, [("create", "PodDisruptionBudget")]), (recorded, [])):
        changes = [(one["op"], one["object"]["kind"]) for one in found["changes"]]
        assert sorted(changes) == sorted([*traffic, *more, ("update", "Secret")]), found
        assert [one["after"] for one in found["requests"]] == ["90 % reviews v1, 10 % reviews v3"]
        assert [one["risk"] for one in found["risks"]] == ["secret changed"]
        assert "hunter2" not in str(found)
    file.write_text(before)
    checkout.reset_files()
    checkout.make("up", "ARGS=--refresh")


def _encrypted(checkout: Checkout, command: str) -> None:
    """Runs `pulumi config` on the stack's file, with MARKER in the environment."""
    by_hand = f'{command} --path --stack "$STACK" --config-file "$STACK_FILE"'
    checkout.run("bash", "-c", f'eval "$(make -s env)" && {by_hand}', MARKER=MARKER)


MARKER = 'plain-"marker"'


def test_an_encrypted_setting_is_applied_and_shown_nowhere(checkout: Checkout) -> None:
    keys = ("mesh:pilot.env.TOKEN", "mesh:meshConfig.defaultConfig.proxyMetadata.TOKEN")
    for key in keys:
        _encrypted(checkout, f'pulumi config set --secret {key} "$MARKER"')
    shown = [checkout.make(target) for target in ("preview", "up", "analyze", "status", "policy")]
    assert checkout.preview(NO_CHANGES.removeprefix("ARGS="))["changeSummary"].keys() == {"same"}
    command = ("get", "--namespace=istio-system", "--output=json")
    environment = json.loads(checkout.kubectl(*command, "deployment", "istiod"))["spec"]["template"]["spec"]
    assert {"name": "TOKEN", "value": MARKER} in environment["containers"][0]["env"]
    document = json.loads(checkout.kubectl(*command, "configmap", "istio"))["data"]["mesh"]
    assert yaml.safe_load(document)["defaultConfig"]["proxyMetadata"]["TOKEN"] == MARKER

    _encrypted(checkout, f'pulumi config set --secret {keys[0]} "$MARKER$MARKER"')
    config = yaml.safe_load((checkout.root / "stacks" / "Pulumi.dev.yaml").read_text())["config"]
    checkout.set(meshConfig={**config.get("mesh:meshConfig", {}), "accessLogEncoding": "JSON"})
    shown += [checkout.make("report", "STACK=dev"), (checkout.root / "reports" / "dev.md").read_text()]
    found = {one["object"]["name"]: one["fields"] for one in checkout.report("dev")["changes"]}
    assert [one["path"] for one in found["istio"]] == ["data.mesh.accessLogEncoding"]
    assert [one["path"] for one in found["istiod"]] == ["spec.template.spec.containers[discovery].env[TOKEN].value"]

    checkout.reset_files()
    for key in keys:
        _encrypted(checkout, f"pulumi config rm {key}")
    shown.append(checkout.make("up"))
    kept = [file.read_text(errors="replace") for file in (checkout.home / "state").rglob("*") if file.is_file()]
    hidden = ("plain-", base64.b64encode(MARKER.encode()).decode().rstrip("=")[:-1])
    assert not [text for text in (*shown, *kept) for part in hidden if part in text]


def test_a_restarted_cluster_is_recognized_as_the_same(checkout: Checkout) -> None:
    checkout.make("sandbox-stop")
    assert "does not answer" in checkout.make("preview", NO_CHANGES)
    checkout.make("sandbox")
    checkout.make("preview", "ARGS=--refresh --expect-no-changes")


def test_another_stack_on_the_same_cluster_is_refused_with_the_owner(checkout: Checkout) -> None:
    present = checkout.objects()
    text = checkout.make("up", "STACK=demo", "CONTEXT=mesh-dev", code=None)
    assert "already has the mesh of project mesh, stack dev" in text
    assert checkout.objects() == present


def test_a_further_revision_is_installed_beside_the_mesh_without_changing_it(checkout: Checkout) -> None:
    present, beside = checkout.objects(), ("STACK=demo", "CONTEXT=mesh-dev")
    checkout.small("demo", revision="canary", base={"enabled": False}, injectedNamespaces={"shop": "create"})
    checkout.make("up", *beside)
    made = {" ".join(line.split()[:3]) for line in checkout.objects() - present}
    assert {"Deployment istio-system istiod-canary", "Namespace <none> shop"} <= made
    assert not [name for name in made if name.startswith("CustomResourceDefinition")]
    checkout.make("preview", "ARGS=--refresh --expect-no-changes", *beside)
    checkout.make("preview", "ARGS=--refresh --expect-no-changes")
    checkout.make("down", *beside)
    checkout.reset_files()
    assert checkout.objects() == present


def test_no_context_is_an_error_that_lists_the_contexts(checkout: Checkout) -> None:
    kubeconfig = str(checkout.home / "cluster" / "kubeconfig")
    text = checkout.run("make", "--silent", "up", "STACK=demo", code=None, KUBECONFIG=kubeconfig)
    assert "no cluster is named" in text
    assert "Contexts of the kubeconfig: mesh-dev" in text


def test_pulumi_can_be_run_by_hand(checkout: Checkout) -> None:
    preview = 'pulumi preview --stack "$STACK" --config-file "$STACK_FILE" --expect-no-changes'
    text = checkout.run("bash", "-c", f'eval "$(make -s env)" && {preview}')
    assert "unchanged" in counts(text)


def test_the_passphrase_is_readable_by_its_owner_only(checkout: Checkout) -> None:
    assert stat.S_IMODE((checkout.home / "passphrase").stat().st_mode) == 0o600
    assert stat.S_IMODE(checkout.home.stat().st_mode) & 0o077 == 0


def test_down_leaves_nothing_behind(checkout: Checkout, before: set[str]) -> None:
    text = checkout.make("down")
    assert re.search(r"- \d+ deleted", counts(text))
    assert checkout.objects() == before


def test_applying_the_rendered_files_gives_the_same_objects_as_up(
    checkout: Checkout, before: set[str], made: dict[str, dict[str, Any]]
) -> None:
    folders = checkout.rendered("dev")
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
    assert checkout.objects() == before


def test_a_state_that_belongs_to_another_cluster_is_refused_with_both_names(checkout: Checkout) -> None:
    checkout.make("sandbox-reset")
    checkout.make("up")
    checkout.run(str(checkout.root / ".venv/bin/python"), "-m", "sandbox", "reset")  # the state stays
    text = checkout.make("up", code=None)
    ids = re.findall(r"\(?id ([0-9a-f-]{36})", text)
    assert "belongs to another cluster" in text
    assert len(set(ids)) == 2


def test_a_reset_of_the_cluster_deletes_the_state_that_belongs_to_it(checkout: Checkout) -> None:
    assert "the state of stack dev is gone with its cluster" in checkout.make("sandbox-reset")
    assert re.search(r"\+ \d+ created", counts(checkout.make("up")))
    checkout.make("down")


def test_the_work_tree_stays_clean(checkout: Checkout) -> None:
    assert checkout.run("git", "status", "--porcelain") == ""
