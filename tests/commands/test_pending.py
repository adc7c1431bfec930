"""Which objects a killed update was creating."""

from typing import Any

from commands import pending


def operation(name: str, kind: str = "creating", **inputs: Any) -> dict[str, Any]:
    resource = {"urn": f"urn:pulumi:dev::mesh::t::{name}", "inputs": {"kind": "ConfigMap", **inputs}}
    return {"type": kind, "resource": resource}


def names(state: dict[str, Any]) -> list[str]:
    return [resource["urn"].rpartition("::")[2] for resource in pending.unfinished(state)]


def test_what_was_being_created_is_named_once() -> None:
    assert names({"pending_operations": [operation("a"), operation("b"), operation("a")]}) == ["a", "b"]


def test_what_is_recorded_meanwhile_is_finished() -> None:
    assert names({"resources": [operation("a")["resource"]], "pending_operations": [operation("a")]}) == []


def test_updates_and_deletions_need_nothing_since_the_state_has_those_objects() -> None:
    assert names({"pending_operations": [operation("a", "updating"), operation("b", "deleting")]}) == []


def test_a_component_is_no_object_on_the_cluster() -> None:
    component = {"type": "creating", "resource": {"urn": "urn:pulumi:dev::mesh::c::base", "inputs": {}}}
    assert names({"pending_operations": [component]}) == []


def test_a_state_without_resources_has_none() -> None:
    assert names({}) == []
