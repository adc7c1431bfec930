"""A stack on the embedded cluster, with the real engine, from the first preview to its removal. Each test continues
from the previous one."""

from __future__ import annotations

import base64
import json
import re
import stat

import pytest
import yaml

from tests.e2e.conftest import NO_CHANGES, Checkout, counts


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
def test_up_creates_the_mesh(checkout: Checkout) -> None:
    assert re.search(r"\+ \d+ created", counts(checkout.make("up")))


def test_a_report_shows_drift_changes_and_changed_secrets_without_values(checkout: Checkout) -> None:
    file = checkout.home / "project" / "Pulumi.dev.yaml"
    before = file.read_text()
    checkout.pulumi('config set --secret mesh-addons:grafanaPassword hunter2 --config-file "$STACK_FILE"')
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
    checkout.pulumi(f'config {command} --path --config-file "$STACK_FILE"', MARKER=MARKER)


MARKER = 'plain-"marker"'


def test_an_encrypted_setting_is_applied_and_shown_nowhere(checkout: Checkout) -> None:
    keys = ("mesh:pilot.env.TOKEN", "mesh:meshConfig.defaultConfig.proxyMetadata.TOKEN")
    for key in keys:
        _encrypted(checkout, f'set --secret {key} "$MARKER"')
    shown = [checkout.make(target) for target in ("preview", "up", "analyze", "status", "policy")]
    assert checkout.preview(NO_CHANGES.removeprefix("ARGS="))["changeSummary"].keys() == {"same"}
    command = ("get", "--namespace=istio-system", "--output=json")
    environment = json.loads(checkout.kubectl(*command, "deployment", "istiod"))["spec"]["template"]["spec"]
    assert {"name": "TOKEN", "value": MARKER} in environment["containers"][0]["env"]
    document = json.loads(checkout.kubectl(*command, "configmap", "istio"))["data"]["mesh"]
    assert yaml.safe_load(document)["defaultConfig"]["proxyMetadata"]["TOKEN"] == MARKER

    _encrypted(checkout, f'set --secret {keys[0]} "$MARKER$MARKER"')
    checkout.set(meshConfig={**(checkout.given("meshConfig") or {}), "accessLogEncoding": "JSON"})
    shown += [checkout.make("report", "STACK=dev"), (checkout.root / "reports" / "dev.md").read_text()]
    found = {one["object"]["name"]: one["fields"] for one in checkout.report("dev")["changes"]}
    assert [one["path"] for one in found["istio"]] == ["data.mesh.accessLogEncoding"]
    assert [one["path"] for one in found["istiod"]] == ["spec.template.spec.containers[discovery].env[TOKEN].value"]

    checkout.reset_files()
    for key in keys:
        _encrypted(checkout, f"rm {key}")
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


def test_no_context_is_an_error_that_lists_the_contexts(checkout: Checkout) -> None:
    kubeconfig = str(checkout.cluster / "kubeconfig")
    text = checkout.run("make", "--silent", "up", "STACK=demo", code=None, KUBECONFIG=kubeconfig)
    assert "no cluster is named" in text
    assert "Contexts of the kubeconfig: mesh-dev" in text


def test_pulumi_can_be_run_by_hand(checkout: Checkout) -> None:
    text = checkout.pulumi('preview --config-file "$STACK_FILE" --expect-no-changes')
    assert "unchanged" in counts(text)


def test_the_passphrase_is_readable_by_its_owner_only(checkout: Checkout) -> None:
    assert stat.S_IMODE((checkout.home / "passphrase").stat().st_mode) == 0o600
    assert stat.S_IMODE(checkout.home.stat().st_mode) & 0o077 == 0


def test_down_leaves_nothing_behind(checkout: Checkout, before: set[str]) -> None:
    text = checkout.make("down")
    assert re.search(r"- \d+ deleted", counts(text))
    assert checkout.objects() == before


def test_a_state_that_belongs_to_another_cluster_is_refused_with_both_names(checkout: Checkout) -> None:
    checkout.small()
    checkout.make("sandbox-reset")
    checkout.make("up")
    checkout.run(str(checkout.root / ".venv/bin/python"), "-m", "sandbox", "reset")  # the state stays
    text = checkout.make("up", code=None)
    ids = re.findall(r"\(?id ([0-9a-f-]{36})", text)
    assert "belongs to another cluster" in text
    assert len(set(ids)) == 2


def test_a_reset_of_the_cluster_deletes_the_state_that_belongs_to_it(checkout: Checkout) -> None:
    assert "deleted the state of stack dev with its cluster" in checkout.make("sandbox-reset")
    assert re.search(r"\+ \d+ created", counts(checkout.make("up")))
    checkout.make("down")
    checkout.reset_files()


def test_the_work_tree_stays_clean(checkout: Checkout) -> None:
    assert checkout.run("git", "status", "--porcelain") == ""
