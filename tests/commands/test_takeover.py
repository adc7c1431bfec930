"""Fields change hands."""

from __future__ import annotations

from typing import Any

import pytest

from cluster.client import Answer
from commands import takeover
from commands.stackfiles import CommandError
from tests.fake_api import FakeApi, status

PATH = "/api/v1/namespaces/shop/configmaps/c"
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "shop"}, "data": {"a": "1"}}


def entry(manager: str, operation: str, fields: dict[str, Any], subresource: str = "") -> dict[str, Any]:
    return {"manager": manager, "operation": operation, "fieldsV1": fields, "subresource": subresource}


OWN = entry("mesh-dev", "Apply", {"f:data": {"f:a": {}}, "f:webhooks": {'k:{"name":"x"}': {".": {}, "f:name": {}}}})


def left(*others: dict[str, Any]) -> list[Any]:
    """What others have of an object once the stack has it."""
    return [other["fieldsV1"] for other in takeover.remaining([OWN, *others], "mesh-dev") if other != OWN]


@pytest.mark.parametrize("operation", ["Apply", "Update"])
def test_who_has_the_same_fields_loses_them(operation: str) -> None:
    assert left(entry("kubectl", operation, {"f:data": {".": {}, "f:a": {}}})) == []


def test_what_the_stack_does_not_set_stays_with_whoever_set_it() -> None:
    fields = {"f:data": {"f:a": {}, "f:b": {}}, "f:metadata": {"f:labels": {"f:team": {}}}}
    assert left(entry("kubectl", "Update", fields)) == [
        {"f:data": {"f:b": {}}, "f:metadata": {"f:labels": {"f:team": {}}}}
    ]


def test_of_what_the_stack_sets_as_a_whole_nobody_keeps_a_part() -> None:
    assert left(entry("kubectl", "Apply", {"f:data": {"f:a": {"f:deep": {}}}})) == []


def test_a_field_that_another_writes_into_a_thing_of_ours_stays_its_own() -> None:
    authority: dict[str, Any] = {"f:webhooks": {'k:{"name":"x"}': {"f:clientConfig": {"f:caBundle": {}}}}}
    assert left(entry("pilot-discovery", "Update", authority)) == [authority]


def test_status_is_left_to_controllers() -> None:
    assert left(entry("kubelet", "Update", {"f:data": {"f:a": {}}}, "status")) == [{"f:data": {"f:a": {}}}]


def test_an_object_is_tried_before_it_is_changed() -> None:
    api = FakeApi({f"PATCH {PATH}": status(422, "spec.selector: field is immutable")})
    with pytest.raises(CommandError, match=r"ConfigMap c: spec\.selector: field is immutable\nnothing was touched"):
        takeover.take(api, {PATH: CONFIG}, "mesh-dev")
    assert [("dryRun=All" in request.path, "force=true" in request.path) for request in api.asked] == [(True, True)]


def test_an_object_that_only_the_stack_has_is_applied_and_nothing_more() -> None:
    api = FakeApi({f"PATCH {PATH}": Answer(200, {"metadata": {"managedFields": [OWN], "resourceVersion": "1"}})})
    takeover.take(api, {PATH: CONFIG}, "mesh-dev")
    assert len(api.asked) == 2


def test_an_object_that_changes_meanwhile_is_tried_again_and_not_for_ever() -> None:
    shared = {"metadata": {"managedFields": [OWN, entry("kubectl", "Apply", OWN["fieldsV1"])], "resourceVersion": "1"}}

    class Busy(FakeApi):
        def ask(self, request: Any) -> Answer:
            merge = request.content_type == takeover.MERGE
            super().ask(request)
            return status(409, "the object has been modified") if merge else Answer(200, shared)

    api = Busy()
    with pytest.raises(CommandError, match="it changes all the time"):
        takeover.take(api, {PATH: CONFIG}, "mesh-dev")
    sent = [request.body for request in api.asked if request.content_type == takeover.MERGE]
    assert {str(body) for body in sent} == {str({"metadata": {"resourceVersion": "1", "managedFields": [OWN]}})}
    assert 1 < len(sent) < 10
