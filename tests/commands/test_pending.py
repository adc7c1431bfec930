"""Pending operations in the state after a killed run."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from cluster import proxy
from cluster.client import Answer, Request
from cluster.state import StackState
from cluster.target import Target
from commands import pending
from commands.pulumi_cli import PulumiCli
from commands.stackfiles import CommandError
from tests.fake_api import KNOWN


def operation(name: str, kind: str = "creating", **inputs: Any) -> dict[str, Any]:
    whole = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}, **inputs}
    resource = {"urn": f"urn:pulumi:dev::mesh::t::{name}", "inputs": whole}
    return {"type": kind, "resource": resource}


class Pulumi:
    """The state of a stack, and the commands that were run on it."""

    stack = "dev"

    def __init__(self, *operations: dict[str, Any]) -> None:
        # A replacement that is not finished has its old object in the state, too.
        recorded = [{**one["resource"], "type": "t", **more} for one in operations for more in ({}, {"delete": True})]
        self.current: dict[str, Any] = {"resources": recorded, "pending_operations": [*operations]}
        self.commands: list[tuple[str, ...]] = []
        self.unlocked = False
        self.stays = False

    def state(self) -> dict[str, Any]:
        return self.current

    def replace_state(self, deployment: dict[str, Any]) -> None:
        self.current = deployment

    def unlock(self) -> None:
        self.unlocked = True

    def run(self, *command: str, quiet: bool) -> None:
        assert quiet
        self.commands.append(command)
        if not self.stays:  # a refresh drops what is gone
            resources = self.current["resources"]
            self.current = {**self.current, "resources": [one for one in resources if one["urn"] not in command]}

    @property
    def marked(self) -> list[str]:
        return [one["urn"].rpartition("::")[2] for one in self.current["resources"] if one.get("initErrors")]


class Api:
    """An API server with ConfigMap a, which is being deleted for some more requests, and a clock that waiting moves."""

    def __init__(self) -> None:
        self.going = 0
        self.asked: list[str] = []
        self.now = 0.0

    def ask(self, request: Request) -> Answer:
        name = request.path.rpartition("/")[2]
        self.asked.append(name)
        if name == "v1":
            return KNOWN["/api/v1"]
        if name != "a" or self.asked.count("a") > self.going:
            return Answer(404)
        meta = {"name": "a", "namespace": "shop", "deletionTimestamp": "now", "finalizers": ["example.com/held"]}
        return Answer(200, {"metadata": meta})

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    made = Api()
    monkeypatch.setattr(Target, "named", lambda _: None)
    monkeypatch.setattr(proxy, "connect", lambda _: nullcontext(made))
    monkeypatch.setattr(pending, "time", SimpleNamespace(sleep=made.sleep, monotonic=lambda: made.now))
    return made


STACK = {"type": "pulumi:pulumi:Stack", "inputs": {}}
SETTINGS: Any = SimpleNamespace(context="here", timeout=30)


def carry_on(pulumi: Any) -> bool:
    return pending.carry_on(pulumi, SETTINGS)


def as_cli(pulumi: Any) -> PulumiCli:
    found: PulumiCli = pulumi
    return found


def names(state: dict[str, Any]) -> list[str]:
    return [resource["urn"].rpartition("::")[2] for resource in pending.unfinished(state)]


def test_a_pending_creation_is_found_once() -> None:
    assert names({"pending_operations": [operation("a"), operation("b"), operation("a")]}) == ["a", "b"]


def test_a_recorded_object_is_not_pending() -> None:
    assert names({"resources": [operation("a")["resource"]], "pending_operations": [operation("a")]}) == []


def test_pending_updates_and_deletions_are_no_creations() -> None:
    assert names({"pending_operations": [operation("a", "updating"), operation("b", "deleting")]}) == []


def test_pending_components_are_ignored() -> None:
    component = {"type": "creating", "resource": {"urn": "urn:pulumi:dev::mesh::c::base", "inputs": {}}}
    assert names({"pending_operations": [component]}) == []


def test_a_state_without_resources_has_no_pending_creation() -> None:
    assert names({}) == []


def test_what_was_being_changed_is_applied_anew(capsys: pytest.CaptureFixture[str]) -> None:
    pulumi = Pulumi(operation("a", "updating"), operation("b", "reading"))
    assert not carry_on(pulumi)
    assert pulumi.marked == ["a"]
    assert "while it was changing 1 objects: they are applied again" in capsys.readouterr().out


def test_pending_creations_are_settled_before_the_state_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Target, "named", lambda _: SimpleNamespace(kubectl=lambda *_: ""))
    pulumi = Pulumi(operation("a", "updating"))
    pulumi.current["pending_operations"].append(operation("b"))
    pulumi.current["resources"].append({"urn": "urn:pulumi:dev::mesh::pulumi:pulumi:Stack::dev", **STACK})
    assert not carry_on(pulumi)
    assert [command[:2] for command in pulumi.commands] == [("refresh", "--clear-pending-creates")]
    assert pulumi.marked == ["a"]


def test_a_state_without_pending_operations_stays_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    pulumi = Pulumi()
    before = pulumi.state()
    assert not carry_on(pulumi)
    assert pulumi.state() is before
    assert (pulumi.commands, capsys.readouterr().out) == ([], "")


REFRESHED = ("refresh", "--target", "urn:pulumi:dev::mesh::t::a", "--skip-preview", "--yes")


def test_what_was_deleted_is_dropped_from_the_state(capsys: pytest.CaptureFixture[str], api: Api) -> None:
    pulumi = Pulumi(operation("a", "deleting"))
    carry_on(pulumi)
    assert (pulumi.commands, api.asked.count("a")) == ([REFRESHED], 1)
    assert "of the objects that a killed run was deleting, 1 are gone" in capsys.readouterr().out


def test_what_is_being_deleted_is_waited_for(api: Api) -> None:
    api.going = 3
    pulumi = Pulumi(operation("a", "deleting"))
    carry_on(pulumi)
    assert (pulumi.commands, api.asked.count("a")) == ([REFRESHED], 4)
    assert pulumi.unlocked  # before it waits: what still runs of the killed run would delete more


def test_what_does_not_go_away_is_named(capsys: pytest.CaptureFixture[str], api: Api) -> None:
    api.going = 1000
    with pytest.raises(CommandError, match="interrupted while it was deleting ConfigMap shop/a: after 30 s"):
        carry_on(Pulumi(operation("a", "deleting")))
    assert "ConfigMap shop/a is being deleted, and waits: finalizer example.com/held" in capsys.readouterr().out
    assert 30 < api.now < 31


@pytest.mark.usefixtures("api")
def test_what_was_not_deleted_yet_stays_in_the_state(capsys: pytest.CaptureFixture[str]) -> None:
    pulumi = Pulumi(operation("a", "deleting"))
    pulumi.stays = True
    carry_on(pulumi)
    assert (pulumi.commands, pulumi.marked) == ([REFRESHED], [])
    assert "of the objects that a killed run was deleting, 0 are gone" in capsys.readouterr().out


@pytest.mark.usefixtures("api")
def test_a_teardown_first_records_that_all_objects_are_being_deleted() -> None:
    pulumi = Pulumi(operation("a"), operation("b"))
    pulumi.current["resources"].append({"urn": "urn:pulumi:dev::mesh::pulumi:pulumi:Stack::dev", **STACK})
    pending.expect_deletion(as_cli(pulumi), pulumi.state())
    recorded = {one["urn"]: one.get("outputs") or {} for one in pulumi.state()["resources"] if not one.get("delete")}
    assert StackState.of(recorded).being_deleted == 2
    pulumi.current["pending_operations"] = []
    carry_on(pulumi)
    assert pulumi.commands == [(*REFRESHED[:3], "--target", REFRESHED[2].replace("::a", "::b"), *REFRESHED[3:])]


def test_objects_that_a_teardown_left_are_refreshed() -> None:
    pulumi = Pulumi(operation("a"))
    pending.record_what_stays(as_cli(pulumi))
    assert pulumi.commands == []
    pending.expect_deletion(as_cli(pulumi), pulumi.state())
    pending.record_what_stays(as_cli(pulumi))
    assert pulumi.commands == [REFRESHED]
