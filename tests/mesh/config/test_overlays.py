"""Overlays of an IstioOperator as patches. What each overlay makes of the object was seen in Istio's own tool."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from mesh.config.overlays import translated
from mesh.core.kinds import GroupKind
from mesh.patches.patch import Patch
from mesh.patches.paths import merging

BODY: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "istiod", "namespace": "istio-system"},
    "spec": {
        "strategy": {"rollingUpdate": {"maxSurge": "100%"}},
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "discovery",
                        "args": ["discovery", "--domain", "cluster.local"],
                        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                    }
                ],
                "volumes": [{"name": "a"}, {"name": "b"}],
            }
        },
    },
}
POD = "spec.template.spec"
CONTAINER = f"{POD}.containers.[name:discovery]"


def overlay(*patches: tuple[str, Any]) -> dict[str, Any]:
    return {"kind": "Deployment", "name": "istiod", "patches": [{"path": path, "value": v} for path, v in patches]}


def container(body: Any) -> Any:
    return body["spec"]["template"]["spec"]["containers"][0]


def _set(*steps: str | int, value: Any) -> Callable[[Any], None]:
    def change(body: Any) -> None:
        for step in steps[:-1]:
            body = body[step]
        body[steps[-1]] = value

    return change


@pytest.mark.parametrize(
    ("path", "value", "how", "change"),
    [
        ("spec.replicas", 3, "merge", _set("spec", "replicas", value=3)),
        ("metadata.labels.a\\.b/c", "x", "merge", _set("metadata", "labels", value={"a.b/c": "x"})),
        ("spec.strategy", {"type": "Recreate"}, "merge", _set("spec", "strategy", value={"type": "Recreate"})),
        ("spec.strategy", "type: Recreate", "merge", _set("spec", "strategy", value={"type": "Recreate"})),
        (f"{CONTAINER}.image", "x", "merge", lambda body: container(body).update(image="x")),
        (f"{CONTAINER}.env.[name:B].value", "3", "merge", lambda body: container(body)["env"][1].update(value="3")),
        (f"{CONTAINER}.env.[name:A]", None, "merge", lambda body: container(body)["env"].pop(0)),
        (
            f"{CONTAINER}.env.[name:A]",
            {"name": "C"},
            "json",
            lambda b: _set("env", 0, value={"name": "C"})(container(b)),
        ),
        (f"{CONTAINER}.args.[--dom]", "--d", "json", lambda body: _set("args", 1, value="--d")(container(body))),
        (f"{CONTAINER}.args[2]", None, "json", lambda body: container(body)["args"].pop(2)),
        (f"{CONTAINER}.args.[-1]", "--new", "json", lambda body: container(body)["args"].append("--new")),
        (
            f"{POD}.volumes",
            [{"name": "c"}],
            "merge",
            _set("spec", "template", "spec", "volumes", value=[{"name": "c"}]),
        ),
    ],
)
def test_a_path_has_the_effect_that_it_has_in_istio(
    path: str, value: Any, how: str, change: Callable[[Any], object]
) -> None:
    found = translated(overlay((path, value)), BODY)
    (entry,) = found.patches
    wanted = copy.deepcopy(BODY)
    change(wanted)
    assert (list(entry), entry["object"]) == (["object", how], "Deployment istio-system/istiod")
    assert Patch.model_validate(entry).applied(BODY, merging(GroupKind.of(BODY))) == wanted
    assert found.left == []


def test_paths_that_follow_each_other_become_one_merge() -> None:
    paths = (("spec.replicas", 3), (f"{CONTAINER}.image", "x"), (f"{CONTAINER}.env.[name:B].value", "3"))
    (entry,) = translated(overlay(*paths), BODY).patches
    inner = [{"name": "discovery", "image": "x", "env": [{"name": "B", "value": "3"}]}]
    assert entry["merge"] == {"spec": {"replicas": 3, "template": {"spec": {"containers": inner}}}}


def test_an_item_that_only_its_index_names_is_tested_first() -> None:
    (entry,) = translated(overlay((f"{CONTAINER}.args.[--domain]", None)), BODY).patches
    args = "/spec/template/spec/containers/0/args/1"
    assert [(one["op"], one["path"], one.get("value")) for one in entry["json"]] == [
        ("test", "/spec/template/spec/containers/0/name", "discovery"),
        ("test", args, "--domain"),
        ("remove", args, None),
    ]


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (f"{CONTAINER}.env.[name:Z].value", "x", "no item is [name:Z]"),
        ("spec.replicas", None, "there is nothing to remove"),
        (f"{POD}.tolerations.[0].key", "a", "there is no list at [0]"),
        (f"{CONTAINER}.name.first", "a", '"discovery" has no parts'),
        (f"{CONTAINER}.name", "discovery", "it already has this value"),
        ("", "x", "it has no path"),
    ],
)
def test_what_cannot_be_translated_is_left_with_the_reason(path: str, value: Any, says: str) -> None:
    found = translated(overlay((path, value)), BODY)
    assert (found.patches, found.left) == ([], [f"{path}: {says}"])
