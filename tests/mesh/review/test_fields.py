"""Differences between manifests, field by field."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mesh.core.secure import HIDDEN
from mesh.review.fields import Field, differences


def told(old: Any, new: Any) -> list[tuple[str, Any, Any]]:
    return [(one.path, one.old, one.new) for one in differences(old, new)]


def test_only_fields_that_differ_are_reported_each_with_its_path() -> None:
    old = {"spec": {"replicas": 1, "paused": False, "gone": "x"}, "same": [1]}
    new = {"spec": {"replicas": 2, "paused": False, "come": "y"}, "same": [1]}
    assert told(old, new) == [("spec.come", None, "y"), ("spec.gone", "x", None), ("spec.replicas", 1, 2)]


def test_a_key_with_dots_is_written_in_brackets() -> None:
    assert told({"labels": {"istio.io/rev": "a"}}, {"labels": {"istio.io/rev": "b"}}) == [
        ("labels[istio.io/rev]", "a", "b")
    ]


def test_list_items_with_names_are_matched_by_name_in_any_order() -> None:
    old = [{"name": "a", "image": "1"}, {"name": "b", "image": "1"}]
    new = [{"name": "b", "image": "2"}, {"name": "a", "image": "1"}]
    assert told({"containers": old}, {"containers": new}) == [("containers[b].image", "1", "2")]


def test_list_items_without_names_are_matched_by_position() -> None:
    routes = [{"timeout": "1s"}, {"timeout": "2s"}]
    assert told({"http": routes}, {"http": [routes[0], {"timeout": "3s"}]}) == [("http[1].timeout", "2s", "3s")]
    assert told({"http": routes}, {"http": [{"timeout": "0s"}, *routes]}) == [("http[0]", None, {"timeout": "0s"})]


def test_the_last_route_is_matched_although_a_route_is_inserted_before_it() -> None:
    old, new = [{"timeout": "5s"}], [{"match": 1}, {"timeout": "3s"}]
    assert told({"http": old}, {"http": new}) == [("http[0]", None, {"match": 1}), ("http[1].timeout", "5s", "3s")]


def test_a_yaml_or_json_document_in_a_text_is_compared_by_its_fields() -> None:
    old, new = "a: 1\nb:\n  c: 2\n", "a: 1\nb:\n  c: 3\n"
    assert told({"data": {"mesh": old}}, {"data": {"mesh": new}}) == [("data.mesh.b.c", 2, 3)]
    both = [json.dumps({"title": title}, indent=1) for title in ("x", "y")]
    assert told(*both) == [("title", "x", "y")]


def test_other_texts_are_reported_by_the_number_of_changed_lines() -> None:
    found = list(differences({"data": {"text": "one\ntwo\nthree\n"}}, {"data": {"text": "one\n2\nthree\nfour\n"}}))
    assert found == [Field(path="data.text", note="text: 2 lines added, 1 removed")]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"login_token": {"signing_key": "hunter1"}}, {"login_token": {"signing_key": "hunter2"}}),
        ({}, {"login_token": {"signing_key": "hunter2"}}),
        (
            {"env": [{"name": "ADMIN_PASSWORD", "value": "hunter1"}]},
            {"env": [{"name": "ADMIN_PASSWORD", "value": "hunter2"}]},
        ),
        ({"env": []}, {"env": [{"name": "ADMIN_PASSWORD", "value": "hunter2"}]}),
        ({"rules": [{"client_secret": "hunter1"}]}, {"rules": [{"client_secret": "hunter2"}, {"x": 1}]}),
    ],
)
def test_values_that_look_like_secrets_are_hidden(old: Any, new: Any) -> None:
    found = list(differences(old, new))
    assert found
    assert "hunter" not in str(found)
    assert HIDDEN in str(found)
