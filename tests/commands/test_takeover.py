"""Taking fields from other field managers."""

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
    """The entries of other managers after the stack has taken over an object."""
    return [other["fieldsV1"] for other in takeover.remaining([OWN, *others], "mesh-dev") if other != OWN]


@pytest.mark.parametrize("operation", ["Apply", "Update"])
def test_other_managers_lose_fields_that_the_stack_applies(operation: str) -> None:
    assert left(entry("kubectl", operation, {"f:data": {".": {}, "f:a": {}}})) == []


def test_fields_that_the_stack_does_not_set_keep_their_manager() -> None:
    fields = {"f:data": {"f:a": {}, "f:b": {}}, "f:metadata": {"f:labels": {"f:team": {}}}}
    assert left(entry("kubectl", "Update", fields)) == [
        {"f:data": {"f:b": {}}, "f:metadata": {"f:labels": {"f:team": {}}}}
    ]


def test_fields_below_one_that_the_stack_applies_are_removed() -> None:
    assert left(entry("kubectl", "Apply", {"f:data": {"f:a": {"f:deep": {}}}})) == []


def test_another_managers_field_inside_an_item_of_the_stack_is_kept() -> None:
    authority: dict[str, Any] = {"f:webhooks": {'k:{"name":"x"}': {"f:clientConfig": {"f:caBundle": {}}}}}
    assert left(entry("pilot-discovery", "Update", authority)) == [authority]


def test_status_keeps_its_manager() -> None:
    assert left(entry("kubelet", "Update", {"f:data": {"f:a": {}}}, "status")) == [{"f:data": {"f:a": {}}}]


def test_a_dry_run_comes_before_a_change() -> None:
    api = FakeApi({f"PATCH {PATH}": status(422, "spec.selector: field is immutable")})
    with pytest.raises(CommandError, match=r"ConfigMap c: spec\.selector: field is immutable\nnothing was changed"):
        takeover.take(api, {PATH: CONFIG}, "mesh-dev")
    assert [("dryRun=All" in request.path, "force=true" in request.path) for request in api.asked] == [(True, True)]


def test_managed_fields_of_the_stack_alone_are_not_patched() -> None:
    api = FakeApi({f"PATCH {PATH}": Answer(200, {"metadata": {"managedFields": [OWN], "resourceVersion": "1"}})})
    takeover.take(api, {PATH: CONFIG}, "mesh-dev")
    assert len(api.asked) == 2


def test_a_conflicting_change_is_retried_a_limited_number_of_times() -> None:
    shared = {"metadata": {"managedFields": [OWN, entry("kubectl", "Apply", OWN["fieldsV1"])], "resourceVersion": "1"}}

    class Busy(FakeApi):
        def ask(self, request: Any) -> Answer:
            merge = request.content_type == takeover.MERGE
            super().ask(request)
            return status(409, "the object has been modified") if merge else Answer(200, shared)

    api = Busy()
    with pytest.raises(CommandError, match="it keeps changing"):
        takeover.take(api, {PATH: CONFIG}, "mesh-dev")
    sent = [request.body for request in api.asked if request.content_type == takeover.MERGE]
    assert {str(body) for body in sent} == {str({"metadata": {"resourceVersion": "1", "managedFields": [OWN]}})}
    assert 1 < len(sent) < 10
