"""Strategic merge patches; tests/e2e/test_patches.py compares drawn ones with kubectl's."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.core import kinds
from mesh.patches.merge import merged
from mesh.patches.paths import PatchError, merging, written
from tests.patching import DELETE, REPLACE

UNKNOWN = object()
"""A value that only an update will know."""


def pod(**fields: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": fields}}}


def patched(base: dict[str, Any], patch: dict[str, Any]) -> Any:
    """The pod's spec after a patch."""
    return merged(pod(**base), pod(**patch), merging(kinds.DEPLOYMENT))["spec"]["template"]["spec"]


def refusal(base: dict[str, Any], patch: dict[str, Any]) -> str:
    with pytest.raises(PatchError) as error:
        patched(base, patch)
    return f"{written(error.value.path).removeprefix('spec.template.spec.')}: {error.value.text}"


def test_mappings_are_merged_and_null_removes_a_key() -> None:
    base = {"nodeSelector": {"a": "1", "b": "2"}}
    assert patched(base, {"nodeSelector": {"b": None, "c": "3"}}) == {"nodeSelector": {"a": "1", "c": "3"}}


def test_containers_and_their_variables_are_merged_by_name() -> None:
    base = {"containers": [{"name": "a", "image": "x", "env": [{"name": "A", "value": "1"}]}, {"name": "b"}]}
    patch = {"containers": [{"name": "a", "env": [{"name": "A", "value": "2"}]}]}
    found = {"name": "a", "image": "x", "env": [{"name": "A", "value": "2"}]}
    assert patched(base, patch) == {"containers": [found, {"name": "b"}]}


def test_a_new_item_of_a_merged_list_comes_first_as_in_kubernetes() -> None:
    base, patch = {"volumes": [{"name": "a"}, {"name": "b"}]}, {"volumes": [{"name": "c"}]}
    assert [one["name"] for one in patched(base, patch)["volumes"]] == ["c", "a", "b"]


def test_tolerations_are_replaced_as_a_whole() -> None:
    assert patched({"tolerations": [{"key": "a"}]}, {"tolerations": [{"key": "b"}]}) == {"tolerations": [{"key": "b"}]}


def test_an_item_can_be_removed_by_its_name() -> None:
    base = {"volumes": [{"name": "a"}, {"name": "b"}]}
    assert patched(base, {"volumes": [{"name": "a", **DELETE}]}) == {"volumes": [{"name": "b"}]}


def test_a_merged_list_can_be_replaced_as_a_whole() -> None:
    base = {"volumes": [{"name": "a"}, {"name": "b"}]}
    assert patched(base, {"volumes": [REPLACE, {"name": "c"}]}) == {"volumes": [{"name": "c"}]}


def test_a_mapping_can_be_replaced_as_a_whole() -> None:
    base = {"nodeSelector": {"a": "1"}}
    assert patched(base, {"nodeSelector": {"b": "2", **REPLACE}}) == {"nodeSelector": {"b": "2"}}


def test_the_pull_secrets_of_an_account_are_replaced_and_those_of_pods_merged() -> None:
    base, patch = {"imagePullSecrets": [{"name": "a"}]}, {"imagePullSecrets": [{"name": "b"}]}
    assert merged(base, patch, merging(kinds.SERVICE_ACCOUNT)) == patch
    assert patched(base, patch) == {"imagePullSecrets": [{"name": "b"}, {"name": "a"}]}


def test_lists_of_istios_kinds_are_replaced() -> None:
    base, patch = {"spec": {"ports": [{"port": 1}]}}, {"spec": {"ports": [{"port": 2}]}}
    assert merged(base, patch, merging(kinds.VIRTUAL_SERVICE)) == patch


def test_the_object_itself_stays_as_it_is() -> None:
    base = {"volumes": [{"name": "a", "emptyDir": {}}]}
    patched(base, {"volumes": [{"name": "a", "emptyDir": {"medium": "Memory"}}]})
    assert base == {"volumes": [{"name": "a", "emptyDir": {}}]}


def test_what_only_an_update_knows_stays_beside_what_is_patched() -> None:
    found = patched({"nodeSelector": {"a": UNKNOWN}}, {"nodeSelector": {"b": "1"}})
    assert found == {"nodeSelector": {"a": UNKNOWN, "b": "1"}}


@pytest.mark.parametrize(
    ("base", "patch", "says"),
    [
        (
            {"nodeSelector": UNKNOWN},
            {"nodeSelector": {"a": "b"}},
            "nodeSelector: is known only during an update, so that nothing can be merged into it",
        ),
        (
            {"containers": [{"name": "a"}]},
            {"containers": [{"image": "x"}]},
            "containers: an item lacks `name`, by which items of this list are merged",
        ),
        (
            {"containers": [{"name": "a"}]},
            {"containers": ["a"]},
            'containers: "a" is not a mapping with `name`, by which items of this list are merged',
        ),
        (
            {"nodeSelector": {"a": "b"}},
            {"nodeSelector": {"$patch": "remove"}},
            'nodeSelector["$patch"]: "remove" is not one of delete, replace',
        ),
        (
            {},
            {"nodeSelector": {"a": "b", **REPLACE}},
            'nodeSelector["$patch"]: the object has no value to replace: leave the directive out',
        ),
        (
            {"tolerations": [{"key": "a"}]},
            {"tolerations": [{"key": "a", **DELETE}]},
            'tolerations[0]["$patch"]: this list is replaced as a whole, since its items have no merge key: write the'
            " whole list, or null",
        ),
        (
            {},
            {"$setElementOrder/containers": []},
            '["$setElementOrder/containers"]: $setElementOrder/containers is not a directive here: $patch is the only'
            " one",
        ),
    ],
)
def test_what_cannot_be_merged_is_refused_with_the_place(base: Any, patch: Any, says: str) -> None:
    assert refusal(base, patch).removeprefix("spec.template.spec") == says
