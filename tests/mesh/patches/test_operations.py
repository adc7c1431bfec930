"""JSON patches; tests/e2e/test_patches.py compares them with kubectl's."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from mesh.patches.operations import Operation, applied
from mesh.patches.paths import PatchError, written

UNKNOWN = object()
BODY: dict[str, Any] = {"a": [{"n": 1}, {"n": 2}], "b/c": {"d~": True}, "x": UNKNOWN}


def done(op: str, path: str, **more: Any) -> Any:
    return applied(BODY, Operation.model_validate({"op": op, "path": path, **more}))


@pytest.mark.parametrize(
    ("op", "path", "more", "found"),
    [
        ("add", "/a/1", {"value": 5}, {"a": [{"n": 1}, 5, {"n": 2}]}),
        ("add", "/a/-", {"value": 5}, {"a": [{"n": 1}, {"n": 2}, 5]}),
        ("add", "/e", {"value": None}, {"e": None}),
        ("remove", "/a/0", {}, {"a": [{"n": 2}]}),
        ("remove", "/b~1c/d~0", {}, {"b/c": {}}),
        ("replace", "/a/0/n", {"value": 3}, {"a": [{"n": 3}, {"n": 2}]}),
        ("move", "/e", {"from": "/a/0"}, {"a": [{"n": 2}], "e": {"n": 1}}),
        ("copy", "/a/0", {"from": "/a/1"}, {"a": [{"n": 2}, {"n": 1}, {"n": 2}]}),
        ("test", "/a", {"value": [{"n": 1}, {"n": 2}]}, {}),
    ],
)
def test_each_operation_changes_its_own_place_alone(op: str, path: str, more: Any, found: Any) -> None:
    assert done(op, path, **more) == {**BODY, **found}


@pytest.mark.parametrize(
    ("op", "path", "more", "says"),
    [
        ("remove", "/b", {}, "b: is not in the object (keys there: a, b/c, x)"),
        ("replace", "/a/0/m", {"value": 1}, "a[0].m: is not in the object (keys there: n)"),
        ("add", "/a/3", {"value": 1}, 'a: index "3" is not one of 0, 1, 2, -'),
        ("remove", "/a/-", {}, 'a: index "-" is not one of 0, 1'),
        ("add", "/a/0/n/z", {"value": 1}, "a[0].n: 1 has no parts"),
        ("test", "/a/0/n", {"value": True}, "a[0].n: is 1, and not true"),
        ("test", "/x", {"value": 1}, "x: is known only during an update, so that it cannot be tested"),
        ("add", "/x/y", {"value": 1}, "x: is known only during an update, so that nothing in it can be patched"),
        ("move", "/a/0/n/z", {"from": "/a/0"}, "a[0].n.z: is inside the value that would be moved"),
    ],
)
def test_an_operation_without_its_place_is_refused(op: str, path: str, more: Any, says: str) -> None:
    with pytest.raises(PatchError) as error:
        done(op, path, **more)
    assert f"{written(error.value.path)}: {error.value.text}" == says


@pytest.mark.parametrize(
    ("operation", "says"),
    [
        ({"op": "add", "path": "/a"}, "is required for add, replace and test"),
        ({"op": "remove", "path": "/a", "value": 1}, "is only for add, replace and test"),
        ({"op": "copy", "path": "/a"}, "is required for move and copy"),
        ({"op": "test", "path": "/a", "value": 1, "from": "/b"}, "is only for move and copy"),
        ({"op": "remove", "path": "a.b"}, '"a.b" is not a JSON pointer: write it like "/spec/replicas"'),
    ],
)
def test_an_operation_has_the_parts_that_it_needs(operation: Any, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Operation.model_validate(operation)
