"""Pending creations in the state after a killed update."""

from typing import Any

from commands import pending


def operation(name: str, kind: str = "creating", **inputs: Any) -> dict[str, Any]:
    resource = {"urn": f"urn:pulumi:dev::mesh::t::{name}", "inputs": {"kind": "ConfigMap", **inputs}}
    return {"type": kind, "resource": resource}


def names(state: dict[str, Any]) -> list[str]:
    return [resource["urn"].rpartition("::")[2] for resource in pending.unfinished(state)]


def test_a_pending_creation_is_found_once() -> None:
    assert names({"pending_operations": [operation("a"), operation("b"), operation("a")]}) == ["a", "b"]


def test_a_recorded_object_is_not_pending() -> None:
    assert names({"resources": [operation("a")["resource"]], "pending_operations": [operation("a")]}) == []


def test_pending_updates_and_deletions_are_ignored() -> None:
    assert names({"pending_operations": [operation("a", "updating"), operation("b", "deleting")]}) == []


def test_pending_components_are_ignored() -> None:
    component = {"type": "creating", "resource": {"urn": "urn:pulumi:dev::mesh::c::base", "inputs": {}}}
    assert names({"pending_operations": [component]}) == []


def test_a_state_without_resources_has_no_pending_creation() -> None:
    assert names({}) == []
