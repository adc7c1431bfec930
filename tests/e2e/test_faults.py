"""Faults during a run: one more run converges, and nothing is lost, duplicated or left over.

`make torture COUNT=30 SEED=7` kills the engine more often, at other points.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import DEFAULT_RELEASE, SECOND_IS_LONG, Checkout
from tests.e2e.faults import Run, pid, stopped

WRITE_EACH_STEP = ("dev", "today")
COUNT = int(os.environ.get("MESH_TORTURE_COUNT", "3"))
SEED = int(os.environ.get("MESH_TORTURE_SEED", "1"))
SHORT = 15
"""`mesh:timeout` for an object that does not get ready, in seconds."""
AT_MOST = SHORT + 120
"""Seconds that a run with such an object may take on a busy machine; the default timeout of an object is longer."""


@pytest.fixture(scope="module")
def before(checkout: Checkout) -> set[str]:
    """The objects on the cluster before the installation."""
    checkout.make("sandbox")
    checkout.small(injectedNamespaces={"default": "existing", "shop": "create"})
    return checkout.objects()


def converges(checkout: Checkout, target: str, before: set[str]) -> str:
    """Checks that one more run succeeds and that cluster and state then agree; the run's output."""
    text = checkout.make(target)
    if target == "down":
        assert checkout.objects() == before
    else:
        checkout.make("preview", "ARGS=--refresh --expect-no-changes")
    state = json.loads(checkout.pulumi("stack export"))
    assert not state["deployment"].get("pending_operations")
    return text


def locked(checkout: Checkout) -> bool:
    """Whether a run holds the stack's lock."""
    return any((checkout.home / "state" / ".pulumi" / "locks").rglob("*.json"))


@DEFAULT_RELEASE
@pytest.mark.drawn
def test_a_killed_engine_needs_one_more_run(
    checkout: Checkout, before: set[str], record_property: Callable[[str, object], None]
) -> None:
    random_ = random.Random(SEED)
    kinds = {"up": 60, "change": 4, "down": 60}  # operations that a whole run tells of, as a first guess
    done: list[str] = []
    killed = 0
    while killed < COUNT:
        assert len(done) < 2 * COUNT, done
        for kind in kinds:
            if kind == "change":
                checkout.set(tag=patch(checkout, len(done)))
            target = "down" if kind == "down" else "up"
            if killed < COUNT:
                point, plugins = random_.randrange(kinds[kind]), random_.random() < 0.5
                run = Run(checkout, target)
                run.kill_after(point, random_.uniform(0, 0.2), plugins)
                cut = locked(checkout)  # else it had ended by itself a moment before
                text = converges(checkout, target, before)
                assert ("cleared the lock" in text) == cut, text
                assert run.members() == []
                killed += cut
                done.append(f"{kind} {'at' if cut else 'over before'} step {point}{' with plugins' * plugins}")
            elif kind == "down":
                converges(checkout, "down", before)
    record_property("told", f"seed {SEED}: {killed} engines killed, {killed} recovered: {', '.join(done)}")


@DEFAULT_RELEASE
@pytest.mark.drawn
def test_after_a_killed_teardown_all_objects_are_there_or_none(
    checkout: Checkout, before: set[str], record_property: Callable[[str, object], None]
) -> None:
    def killed() -> str:
        """Kills a teardown after some of its operations."""
        point, plugins = random_.randrange(2 * len(whole - before)), random_.random() < 0.5
        Run(checkout, "down").kill_after(point, random_.uniform(0, 0.2), plugins)
        return f"step {point}{' with plugins' * plugins}" if locked(checkout) else ""

    def by_hand(command: str, *, refused: str = "") -> None:
        """Runs `pulumi` as somebody does who has no make: what its message advises, and again."""
        checkout.pulumi("cancel --yes")
        if refused:
            assert refused in checkout.pulumi(f"{command} --yes", code=None)
            checkout.pulumi("refresh --yes --skip-preview")
        checkout.pulumi(f"{command} --yes --skip-preview")

    random_ = random.Random(SEED)
    checkout.make("up")
    whole = lasting(checkout)
    done: list[str] = []
    while len(done) < COUNT:
        checkout.make("up")
        if point := killed():
            target, alone = random_.choice(("up", "down")), random_.random() < 0.5
            if target == "up":
                by_hand("up", refused="run `pulumi refresh` first") if alone else converges(checkout, "up", before)
                assert lasting(checkout) == whole
                checkout.make("preview", "ARGS=--refresh --expect-no-changes")
            else:
                by_hand("destroy") if alone else converges(checkout, "down", before)
                assert checkout.objects() == before
            done.append(f"{point}, then {'pulumi' if alone else 'make'} {target}")
    converges(checkout, "down", before)
    record_property("told", f"seed {SEED}: {'; '.join(done)}")


def lasting(checkout: Checkout) -> set[str]:
    """The objects on the cluster, except those to which controllers give names."""
    return {one for one in checkout.objects() if not one.startswith(("Pod ", "ReplicaSet ", "IPAddress "))}


@SECOND_IS_LONG
def test_an_api_server_killed_during_up_needs_one_more_run(checkout: Checkout, before: set[str]) -> None:
    run = Run(checkout, "up")
    assert run.until(lambda: run.steps > 20)
    os.kill(pid(checkout, "kube-apiserver"), signal.SIGKILL)
    time.sleep(1)
    checkout.make("sandbox")
    run.end()
    converges(checkout, "up", before)


@SECOND_IS_LONG
def test_a_field_of_another_manager_is_reported_and_can_be_taken_back(checkout: Checkout, before: set[str]) -> None:
    taken = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "istio", "namespace": "istio-system"},
        "data": {"meshNetworks": "networks: {taken: {}}"},
    }
    file = checkout.root.parent / "taken.json"
    file.write_text(json.dumps(taken))
    checkout.kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=other", "--filename", str(file))
    text = checkout.make("up", "ARGS=--refresh", code=None)
    assert 'conflict with "other"' in text
    assert ".data.meshNetworks" in text
    assert "docs/troubleshooting.md" in text
    checkout.run(*checkout.command("up", "ARGS=--refresh"), PULUMI_K8S_ENABLE_PATCH_FORCE="true")
    converges(checkout, "up", before)


@DEFAULT_RELEASE
def test_pods_that_never_get_ready_fail_the_run_after_the_timeout(checkout: Checkout, before: set[str]) -> None:
    node = checkout.kubectl("get", "nodes", "--output=name").strip()
    checkout.kubectl("cordon", node)
    checkout.set(tag=patch(checkout, 90), timeout=SHORT)
    text = checkout.make("up", code=None)
    assert re.search(r"Deployment istio-system/istiod is not ready: .*nodes are available", text), text
    assert seconds(text) < AT_MOST
    checkout.kubectl("uncordon", node)
    converges(checkout, "up", before)


@DEFAULT_RELEASE
def test_a_killed_change_that_is_taken_back_leaves_nothing_on_the_cluster(checkout: Checkout, before: set[str]) -> None:
    def notes() -> str:
        return checkout.kubectl(
            "get", "deployment", "istiod", "--namespace=istio-system", "--output", f"jsonpath={path}"
        )

    path, last = "{.spec.template.metadata.annotations}", checkout.given("pilot")
    node = checkout.kubectl("get", "nodes", "--output=name").strip()
    checkout.kubectl("cordon", node)  # so that the change is not over before the kill
    checkout.set(pilot={**(last or {}), "podAnnotations": {"example.com/killed": "yes"}})
    run = Run(checkout, "up")
    assert run.until(lambda: "killed" in notes()), run.text
    run.kill(plugins=False)
    checkout.kubectl("uncordon", node)
    checkout.set(pilot=last)
    assert "while it was changing 1 objects" in converges(checkout, "up", before)
    assert "killed" not in notes()


@DEFAULT_RELEASE
def test_a_killed_deletion_that_is_taken_back_leaves_the_objects_on_the_cluster(
    checkout: Checkout, before: set[str]
) -> None:
    def hold(finalizers: list[str]) -> None:
        patch = json.dumps({"metadata": {"finalizers": finalizers}})
        checkout.kubectl("patch", object_, "--namespace=istio-system", "--type=merge", f"--patch={patch}")

    object_ = checkout.kubectl("get", "envoyfilters", "--namespace=istio-system", "--output=name").split()[0]
    going = ("get", object_, "--namespace=istio-system", "--output=jsonpath={.metadata.deletionTimestamp}")
    last = checkout.given("telemetry")
    hold(["example.com/held"])  # so that the deletion is not over before the kill
    checkout.set(telemetry={"enabled": False})
    run = Run(checkout, "up")
    assert run.until(lambda: bool(checkout.kubectl(*going))), run.text
    run.kill(plugins=True)
    hold([])
    checkout.set(telemetry=last)
    converges(checkout, "up", before)
    assert object_ in checkout.kubectl("get", "envoyfilters", "--namespace=istio-system", "--output=name")


@DEFAULT_RELEASE
@pytest.mark.long
def test_an_exceeded_quota_is_reported(checkout: Checkout, before: set[str]) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "full", "namespace": "istio-system"},
        "spec": {"hard": {"pods": "1"}},
    }
    converges(checkout, "up", before)
    checkout.apply(quota)
    checkout.set(tag=patch(checkout, 91), timeout=SHORT)
    text = checkout.make("up", code=None)
    assert re.search(r"Deployment istio-system/istiod is not ready: .*exceeded quota: full", text), text
    checkout.kubectl("delete", "resourcequota", "full", "--namespace=istio-system")
    converges(checkout, "up", before)


@DEFAULT_RELEASE
@pytest.mark.long
def test_a_load_balancer_without_an_address_fails_the_run_after_the_timeout(
    checkout: Checkout, before: set[str]
) -> None:
    checkout.set(profile="default", gatewayServiceType="NodePort", timeout=300)
    converges(checkout, "up", before)
    checkout.apply(*nobody_gives_addresses())
    checkout.set(gatewayServiceType="LoadBalancer", timeout=SHORT)
    text = checkout.make("up", code=None)
    for kind in ("binding", ""):
        checkout.kubectl("delete", f"validatingadmissionpolicy{kind}", "no-addresses")
    checkout.make("sandbox-stop")  # who gives addresses here has given up on the Service until it starts anew
    assert "Service istio-system/istio-ingressgateway is not ready: the load balancer has no address" in text
    assert seconds(text) < AT_MOST
    converges(checkout, "up", before)


@DEFAULT_RELEASE
def test_a_second_run_at_the_same_time_is_refused(checkout: Checkout, before: set[str]) -> None:
    first = Run(checkout, "down")
    assert first.until(lambda: first.steps > 3)
    text = checkout.make("up", code=None)
    assert re.search(rf"stack {checkout.stack} is locked by process \d+ of \S+ on \S+, since \d{{4}}-", text)
    assert first.end() == 0
    converges(checkout, "down", before)


@DEFAULT_RELEASE
def test_an_etcd_that_pauses_for_ten_seconds_needs_at_most_one_more_run(checkout: Checkout, before: set[str]) -> None:
    checkout.small(timeout=300)
    run = Run(checkout, "up")
    assert run.until(lambda: run.steps > 20)
    with stopped(checkout, "etcd"):
        time.sleep(10)
    os.kill(pid(checkout, "kwok"), signal.SIGKILL)  # unlike a kubelet it gives up what it could not write
    checkout.make("sandbox")
    run.end()
    converges(checkout, "up", before)


@SECOND_IS_LONG
def test_a_killed_provider_needs_one_more_run(checkout: Checkout, before: set[str]) -> None:
    run = Run(checkout, "down")
    assert run.until(lambda: run.steps > 10)
    os.kill(run.plugin("pulumi-resource-kubernetes"), signal.SIGKILL)
    assert run.end() != 0
    converges(checkout, "down", before)


@DEFAULT_RELEASE
def test_a_missing_permission_is_reported_and_the_next_run_continues(
    checkout: Checkout, before: set[str], tmp_path: Path
) -> None:
    restricted = limited_user(checkout, tmp_path)
    checkout.small("demo", release=checkout.as_cloned.settings.release, context="restricted")
    text = checkout.run("make", "--silent", "up", "STACK=demo", code=None, KUBECONFIG=restricted)
    assert re.search(r"validatingwebhookconfigurations\S* .*is forbidden: .*cannot patch resource", text), text
    checkout.kubectl("create", "clusterrolebinding", "more", "--clusterrole=cluster-admin", "--user=limited")
    for target in ("up", "down"):
        checkout.run("make", "--silent", target, "STACK=demo", KUBECONFIG=restricted)
    checkout.kubectl("delete", "clusterrolebinding", "limited", "more")
    checkout.kubectl("delete", "clusterrole", "limited")
    checkout.reset_files()
    assert checkout.objects() == before


def patch(checkout: Checkout, number: int) -> str:
    """A tag of the stack's release with another patch number."""
    return f"{checkout.as_cloned.settings.release}.{number}"


def nobody_gives_addresses() -> list[dict[str, Any]]:
    """An admission policy that prevents changes of Services' status."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["services/status"]}
    head = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": "no-addresses"}}
    policy = {"matchConstraints": {"resourceRules": [rule]}, "validations": [{"expression": "false"}]}
    binding = {"policyName": "no-addresses", "validationActions": ["Deny"]}
    return [
        {**head, "kind": "ValidatingAdmissionPolicy", "spec": policy},
        {**head, "kind": "ValidatingAdmissionPolicyBinding", "spec": binding},
    ]


def limited_user(checkout: Checkout, folder: Path) -> str:
    """A kubeconfig with a context `restricted`, whose user may do everything but change admission webhooks."""
    groups = ["", "apps", "autoscaling", "policy", "rbac.authorization.k8s.io", "apiextensions.k8s.io"]
    istio = [f"{group}.istio.io" for group in ("networking", "security", "telemetry")]
    hooks = "admissionregistration.k8s.io"
    rules: list[dict[str, Any]] = [
        {"apiGroups": [*groups, *istio], "resources": ["*"], "verbs": ["*"]},
        {"apiGroups": [hooks], "resources": ["mutatingwebhookconfigurations"], "verbs": ["*"]},
        {"apiGroups": [hooks], "resources": ["*"], "verbs": ["get", "list", "watch"]},
    ]
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "limited"}}
    checkout.apply({**role, "rules": rules})
    checkout.kubectl("create", "clusterrolebinding", "limited", "--clusterrole=limited", "--user=limited")
    config = json.loads((checkout.cluster / "kubeconfig").read_text())
    user = {**config["users"][0]["user"], "as": "limited"}
    config["users"] = [{"name": "limited", "user": user}]
    config["contexts"] = [{"name": "restricted", "context": {"cluster": checkout.context, "user": "limited"}}]
    config["current-context"] = "restricted"
    file = folder / "kubeconfig"
    file.write_text(json.dumps(config))
    return str(file)


def seconds(text: str) -> int:
    """The duration that Pulumi prints."""
    found = re.findall(r"Duration: (?:(\d+)m)?(\d+)s", text)
    minutes, rest = found[-1]
    return 60 * int(minutes or 0) + int(rest)
