"""Paths of fields that another controller sets, in two versions of an object."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.apps import fields

WEIGHT = ["spec.http[*].route[*].weight"]


def routes(*weights: int | None, **more: Any) -> dict[str, Any]:
    given = [
        {"host": f"v{i}"} if weight is None else {"host": f"v{i}", "weight": weight} for i, weight in enumerate(weights)
    ]
    return {"route": given, **more}


def vs(*http: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"http": list(http)}}


def merged(body: dict[str, Any], other: dict[str, Any], paths: list[str]) -> dict[str, Any]:
    return fields.laid_over(body, other, paths)


@pytest.mark.parametrize(
    ("body", "other", "expected"),
    [
        (vs(routes(90, 10, timeout="7s")), vs(routes(20, 80)), vs(routes(20, 80, timeout="7s"))),
        (vs(routes(None, match=1), routes(90, 10)), vs(routes(20, 80)), vs(routes(None, match=1), routes(20, 80))),
        (vs(routes(1, 2, 97)), vs(routes(20, 80)), vs(routes(1, 2, 97))),
        (vs(routes(None)), vs(routes(20)), vs(routes(20))),
        (vs(routes(20)), vs(routes(None)), vs(routes(None))),
        (
            vs(routes(1, name="b"), routes(2, name="a")),
            vs(routes(3, name="a"), routes(4, name="c")),
            vs(routes(1, name="b"), routes(3, name="a")),
        ),
        (vs(), vs(routes(1)), vs()),
    ],
    ids=["by position", "one more", "other weights", "added", "removed", "by name", "none left"],
)
def test_items_of_lists_that_belong_together_get_the_others_values(
    body: dict[str, Any], other: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert merged(body, other, WEIGHT) == expected


def test_a_field_without_lists_is_taken_if_either_has_it() -> None:
    paths = ["spec.replicas", 'metadata.annotations["example.com/a"]', "spec.absent.inner"]
    here = {"metadata": {"annotations": {}}, "spec": {"replicas": 3}}
    there = {"metadata": {"annotations": {"example.com/a": "b"}}, "spec": {"replicas": 7}}
    assert merged(here, there, paths) == there
    assert merged({"spec": {}}, there, paths) == {"spec": {"replicas": 7}}


def test_an_object_without_the_fields_says_whether_anything_else_has_changed() -> None:
    one, other, another = vs(routes(90, 10)), vs(routes(20, 80)), vs(routes(90, 10, timeout="7s"))
    bare = [fields.without(body, fields.own(WEIGHT, body)) for body in (one, other, another)]
    assert bare[0] == bare[1] != bare[2]
    assert one == vs(routes(90, 10))


def test_a_path_is_written_as_pulumi_writes_it() -> None:
    assert fields.text(("spec", "http", 0, "weight")) == "spec.http[0].weight"
    assert fields.text(("metadata", "annotations", "example.com/a")) == 'metadata.annotations["example.com/a"]'


@pytest.mark.parametrize("path", ["spec", "kind", "status.a", "spec.a[0]", "spec..a", "spec.a ", "metadata.name"])
def test_what_no_controller_may_set_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="is not the path of a field below spec"):
        fields.checked(path)
