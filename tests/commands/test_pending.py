"""Pending operations in the state after a killed run."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.errors import ClusterError
from cluster.target import Target
from commands import pending
from commands.stackfiles import CommandError


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

    def state(self) -> dict[str, Any]:
        return self.current

    def replace_state(self, deployment: dict[str, Any]) -> None:
        self.current = deployment

    def run(self, *command: str, quiet: bool) -> None:
        assert quiet
        self.commands.append(command)

    @property
    def marked(self) -> list[str]:
        return [one["urn"].rpartition("::")[2] for one in self.current["resources"] if one.get("initErrors")]


class Cluster:
    """A cluster with one object, or none."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, found: dict[str, Any] | None) -> None:
        self.found, self.goes = found, True
        self.asked: list[tuple[str, ...]] = []
        monkeypatch.setattr(Target, "named", lambda _: self)

    def kubectl(self, *args: str, within: int = 10) -> str:
        assert within == (30 if args[0] == "wait" else 10)  # what it waits for is not cut off before
        self.asked.append(args)
        if args[0] == "wait" and not self.goes:
            raise ClusterError("timed out waiting for the condition")
        return json.dumps({"metadata": self.found}) if args[0] == "get" and self.found is not None else ""


STACK = {"type": "pulumi:pulumi:Stack", "inputs": {}}
SETTINGS: Any = SimpleNamespace(context="here", timeout=30)


def carry_on(pulumi: Any) -> bool:
    return pending.carry_on(pulumi, SETTINGS)


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
    assert "while it was changing 1 objects: they are applied anew" in capsys.readouterr().out


def test_pending_creations_are_settled_before_the_state_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    Cluster(monkeypatch, None)
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


def test_what_was_deleted_is_dropped_from_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    Cluster(monkeypatch, None)
    pulumi = Pulumi(operation("a", "deleting"))
    carry_on(pulumi)
    assert pulumi.commands == [("refresh", "--target", "urn:pulumi:dev::mesh::t::a", "--skip-preview", "--yes")]


def test_what_is_being_deleted_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch, {"deletionTimestamp": "2026-01-01T00:00:00Z"})
    pulumi = Pulumi(operation("a", "deleting"))
    carry_on(pulumi)
    assert cluster.asked[-1] == ("wait", "--for=delete", "ConfigMap.v1.", "a", "--namespace", "shop", "--timeout=30s")
    assert len(pulumi.commands) == 1


def test_what_does_not_go_away_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    Cluster(monkeypatch, {"deletionTimestamp": "2026-01-01T00:00:00Z"}).goes = False
    with pytest.raises(CommandError, match="cut off while it was deleting ConfigMap shop/a: timed out waiting"):
        carry_on(Pulumi(operation("a", "deleting")))


def test_what_was_not_deleted_yet_stays_in_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    Cluster(monkeypatch, {})
    pulumi = Pulumi(operation("a", "deleting"))
    carry_on(pulumi)
    assert (pulumi.commands, pulumi.marked) == ([], [])
