"""The road of a stack to another release: what is done, what comes next, and that each step's edit leads there."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from mesh.config import edits, loading, stack_file
from mesh.upgrade.road import Mark, Road, road
from mesh.upgrade.standing import Standing
from mesh.upgrade.target import Target, UpgradeError, choose

ROOT = Path(__file__).parents[3]
ALL = ["definitions", "control plane", "canary namespace", "other namespaces", "gateways", "default tag"]
END = "old control plane"
TWO: Mapping[str, Any] = {"shop": "create", "bank": {"ownership": "create"}}


def standing(config: Mapping[str, Any], to: str = "1.30", revision: str = "", namespace: str = "") -> Standing:
    own = {f"mesh:{key}": value for key, value in config.items()}
    settings = loading.load(stack_file.config({"config": own})).settings
    return Standing.of(settings, own, choose(settings, to, revision), namespace)


def marks(found: Road) -> dict[str, str]:
    return {one.name: str(one.mark) for one in found.stations}


def next_step(config: Mapping[str, Any], **asked: str) -> str:
    found = road(standing(config, **asked)).move
    return found.name if found else ""


class Taken(NamedTuple):
    """A step that was taken."""

    name: str
    lines: list[str]
    """The lines of the file that it changed."""
    left_out: list[str]
    config: dict[str, Any]


def walked(text: str, to: str = "1.30", revision: str = "") -> Iterator[Taken]:
    """Goes the whole road by the edits of a stack file; each result is read as a stack."""
    for _ in range(10):
        content = stack_file.parse(text, "x")
        settings = loading.load(stack_file.config(content)).settings
        found = road(Standing.of(settings, content.get("config") or {}, choose(settings, to, revision))).move
        if not found:
            return
        new = edits.edited(text, found.edits, "x")
        changed = difflib.unified_diff(text.splitlines(), new.splitlines(), n=0, lineterm="")
        lines = [line for line in changed if not line.startswith(("---", "+++", "@@"))]
        yield Taken(found.name, lines, list(found.left_out), stack_file.parse(new, "x")["config"])
        text = new
    raise AssertionError("the road does not end")


def text_of(**config: Any) -> str:
    return str(yaml.safe_dump({"config": {f"mesh:{key}": value for key, value in config.items()}}))


FILES = {
    "dev": (ROOT / "stacks" / "Pulumi.dev.yaml").read_text(),
    "demo": (ROOT / "stacks" / "Pulumi.demo.yaml").read_text(),
    "hardened": (ROOT / "stacks" / "Pulumi.hardened.yaml").read_text(),
    "nothing said": "",
    "an empty config": "config: {}\n",
    "one line": "config: {mesh:profile: demo, mesh:injectedNamespaces: {a: create, b: {ownership: create}}}\n",
    "JSON": 'config:\n  mesh:injectedNamespaces: \'{"a": "create", "b": "create"}\'\n  mesh:profile: minimal',
    "anchors": (
        "config:\n  mesh:release: '1.10'\n  mesh:injectedNamespaces:\n    a: &ours {ownership: create} # ours\n"
        "    b: *ours\n    c:\n      <<: *ours\n      injection: auto\n"
    ),
    "a revision and tags": text_of(
        revision="1-10-3",
        revisionTags={"stable": "1-10-3"},
        injectedNamespaces={"a": {"ownership": "create", "revision": "stable"}, "b": "create"},
    ),
    "gateways off": text_of(gateways={"istio-ingressgateway": {"enabled": False}}),
    "a profile that 1.30 lacks": text_of(
        profile="external", base={"enabled": True}, pilot={"enabled": True}, istiodRemote={"enabled": False}
    ),
    "manual injection": text_of(injectedNamespaces={"a": {"ownership": "create", "injection": "manual"}}),
    "encrypted": ("config:\n  mesh:pilot:\n    env:\n      TOKEN:\n        secure: v1:abc\nencryptionsalt: v1:salt\n"),
}


@pytest.mark.parametrize("text", FILES.values(), ids=list(FILES))
def test_every_file_can_go_the_whole_road(text: str) -> None:
    taken = list(walked(text))
    names = [one.name for one in taken]
    assert names == [step for step in (*ALL, END) if step in names], "in this order"
    assert {"definitions", "control plane", "default tag", END} <= set(names)
    last = taken[-1].config
    assert (last["mesh:release"], last["mesh:revision"]) == ("1.30", "1-30-3")
    assert "mesh:controlPlanes" not in last
    assert "release" not in last.get("mesh:base", {})


def test_the_steps_of_dev_are_one_to_three_lines() -> None:
    taken = {one.name: one.lines for one in walked(FILES["dev"])}
    assert taken == {
        "definitions": ['+  mesh:base: { release: "1.30" }'],
        "control plane": ["+  mesh:controlPlanes:", '+    1-30-3: { release: "1.30", profile: demo }'],
        "canary namespace": ["-    default: existing", "+    default: { ownership: existing, revision: 1-30-3 }"],
        "gateways": [
            "+  mesh:gateways:",
            "+    istio-ingressgateway: { revision: 1-30-3 }",
            "+    istio-egressgateway: { revision: 1-30-3 }",
        ],
        "default tag": ["+  mesh:revisionTags: { default: 1-30-3 }"],
        END: [
            '-  mesh:base: { release: "1.30" }',
            "-  mesh:controlPlanes:",
            '-    1-30-3: { release: "1.30", profile: demo }',
            '+  mesh:release: "1.30"',
            "+  mesh:revision: 1-30-3",
        ],
    }


def test_the_stations_are_done_next_or_later() -> None:
    found = road(standing({"injectedNamespaces": TWO, "base": {"release": "1.30"}}))
    assert list(marks(found)) == ["check", *ALL, END]
    assert list(marks(found).values()) == ["done", "done", "next", *["later"] * 5]


def test_nothing_has_moved_until_a_namespace_or_a_gateway_has() -> None:
    new = {"injectedNamespaces": TWO, "controlPlanes": {"new": {"release": "1.30"}}}
    assert road(standing({})).unmoved
    assert road(standing(new)).unmoved
    assert not road(standing({**new, "injectedNamespaces": {"shop": {**TWO["bank"], "revision": "new"}}})).unmoved
    assert not road(standing({**new, "gateways": {"istio-ingressgateway": {"revision": "new"}}})).unmoved
    assert not road(standing({"release": "1.30", "revision": "1-30-3", "profile": "minimal"})).unmoved


def test_steps_that_do_not_apply_are_not_on_the_road() -> None:
    assert list(marks(road(standing({"profile": "minimal"})))) == [
        "check",
        "definitions",
        "control plane",
        "default tag",
        END,
    ]
    found = marks(road(standing({"base": {"enabled": False}, "revision": "a", "injectedNamespaces": {"x": "create"}})))
    assert not {"definitions", "other namespaces", "default tag"} & found.keys(), "another stack has them"


ENTRY = {"1-30-3": {"release": "1.30"}}
AHEAD = {
    "a control plane without the definitions' own step": ({"controlPlanes": ENTRY}, "canary namespace"),
    "a tag that stands for the target": (
        {
            "controlPlanes": ENTRY,
            "revisionTags": {"canary": "1-30-3"},
            "injectedNamespaces": {**TWO, "shop": {"ownership": "create", "revision": "canary"}},
        },
        "other namespaces",
    ),
    "gateways before namespaces": (
        {"controlPlanes": ENTRY, "gateways": {"istio-ingressgateway": {"revision": "1-30-3"}}},
        "canary namespace",
    ),
    "a control plane of another name": ({"controlPlanes": {"new": {"release": "1.30"}}}, "canary namespace"),
}


@pytest.mark.parametrize(("config", "step"), AHEAD.values(), ids=list(AHEAD))
def test_what_somebody_did_by_hand_counts(config: Mapping[str, Any], step: str) -> None:
    assert next_step({"injectedNamespaces": TWO, **config}) == step


def test_a_namespace_can_be_chosen_at_each_step() -> None:
    config: dict[str, Any] = {"controlPlanes": ENTRY, "injectedNamespaces": {**TWO, "x": "create"}}
    (edit,) = road(standing(config, namespace="bank")).move.edits  # type: ignore[union-attr]
    assert edit.path == ("mesh:injectedNamespaces", "bank", "revision")
    config["injectedNamespaces"]["bank"] = {"ownership": "create", "revision": "1-30-3"}
    (edit,) = road(standing(config, namespace="x")).move.edits  # type: ignore[union-attr]
    assert edit.path == ("mesh:injectedNamespaces", "x")
    with pytest.raises(UpgradeError, match=r'NAMESPACE: "y" is not one of shop, bank, x'):
        road(standing(config, namespace="y"))
    with pytest.raises(UpgradeError, match=r"NAMESPACE=bank has moved to 1-30-3 already: name one of shop, x"):
        road(standing(config, namespace="bank"))


def test_tags_of_the_old_control_plane_go_along_and_others_stay() -> None:
    tags = {"stable": "default", "other": "elsewhere"}
    config = {"profile": "minimal", "controlPlanes": ENTRY, "revisionTags": tags}
    found = road(standing(config)).move
    assert found is not None
    assert {edit.path[-1] for edit in found.edits} == {"default", "stable"}


def test_namespaces_of_a_third_control_plane_stay_there() -> None:
    third = {"controlPlanes": {**ENTRY, "other": {"release": "1.10"}}, "profile": "minimal"}
    spaces = {"shop": {"ownership": "create", "revision": "other"}}
    assert "canary namespace" not in marks(road(standing({**third, "injectedNamespaces": spaces})))


SAID = {
    "hub": "registry.example/istio",
    "tag": "1.10.3-distroless",
    "pilot": {"autoscaleMin": 2, "image": "registry.example/pilot:1.10.3"},
    "global": {"meshID": "m", "logAsJson": True},
    "meshConfig": {"trustDomain": "example.com", "accessLogFile": "/dev/stdout"},
}


def test_a_control_plane_gets_the_stacks_own_settings_as_far_as_its_release_knows_them() -> None:
    step = next(one for one in walked(text_of(**SAID)) if one.name == "control plane")
    assert step.config["mesh:controlPlanes"]["1-30-3"] == {
        "release": "1.30",
        "profile": "default",
        "hub": "registry.example/istio",
        "pilot": {"autoscaleMin": 2},
        "global": {"logAsJson": True},
        "meshConfig": {"accessLogFile": "/dev/stdout"},
    }
    assert step.left_out == [
        "mesh:pilot.image: it is specific to Istio 1.10",
        "mesh:tag: it is specific to Istio 1.10",
    ]


def test_the_last_step_changes_nothing_of_the_control_plane() -> None:
    *_, before, after = walked(text_of(**SAID))
    old, new = (
        loading.load(stack_file.config({"config": one.config})).installations["1-30-3"].values
        for one in (before, after)
    )
    of_all = {"gateways", "base", "revisionTags"}
    assert {
        key: value for key, value in new.model_dump(include=set(type(old).model_fields)).items() if key not in of_all
    } == {key: value for key, value in old.model_dump().items() if key not in of_all}
    assert after.config["mesh:global"] == {"meshID": "m", "logAsJson": True}
    assert "mesh:tag" not in after.config


def test_settings_that_the_release_lacks_are_left_out_and_said() -> None:
    text = text_of(pilot={"enableProtocolSniffingForInbound": False, "autoscaleMin": 2}, profile="minimal")
    steps = {one.name: one for one in walked(text)}
    (said,) = steps["control plane"].left_out
    assert said == "mesh:pilot.enableProtocolSniffingForInbound: Istio 1.30 has no such setting; 1.10 has it"
    assert steps["control plane"].config["mesh:controlPlanes"]["1-30-3"]["pilot"] == {"autoscaleMin": 2}
    assert steps[END].config["mesh:pilot"] == {"autoscaleMin": 2}


def test_gateways_stay_as_they_are_when_the_profile_changes() -> None:
    config = {"profile": "minimal", "gateways": {"out": {"kind": "egress"}}}
    *_, last = walked(text_of(**config))
    assert last.config["mesh:gateways"] == {"out": {"kind": "egress", "revision": "1-30-3"}}
    openshift = [one.config for one in walked(text_of(profile="openshift"))][-1]
    settings = loading.load(stack_file.config({"config": openshift})).settings
    assert [name for name, one in settings.gateways.items() if one.enabled] == ["istio-ingressgateway"]


def test_the_same_release_with_other_settings_goes_the_same_way() -> None:
    text = text_of(release="1.30", revision="a", hub="h.example/x", injectedNamespaces=TWO)
    taken = list(walked(text, revision="b"))
    assert [one.name for one in taken] == [*ALL[1:], END]
    assert taken[0].config["mesh:controlPlanes"]["b"]["hub"] == "h.example/x"
    assert taken[-1].config["mesh:revision"] == "b"
    assert not list(walked(text)), "without a revision there is nowhere to go"


@pytest.mark.parametrize(
    ("config", "to", "revision", "text"),
    [
        ({}, "", "", r"TO is missing: .* The stack's own is 1.10; there are 1.10, 1.30"),
        ({}, "1.31", "", 'TO: "1.31" is not one of 1.10, 1.30'),
        (
            {"release": "1.30"},
            "1.10",
            "",
            "TO=1.10 is older than the stack's release 1.30, and a downgrade is not possible",
        ),
        ({"profile": "empty"}, "1.30", "", "the profile empty has no istiod on this cluster"),
        ({}, "1.30", "A_b", "REVISION=A_b: a revision has lowercase letters"),
        ({"revision": "x"}, "1.30", "x", "REVISION=x is a control plane of another release"),
        ({"revisionTags": {"x": "default"}}, "1.30", "x", "REVISION=x is a tag"),
        (
            {"controlPlanes": {"a": {"release": "1.30"}, "b": {"release": "1.30"}}},
            "1.30",
            "",
            "name the one to go to, REVISION=a or b",
        ),
    ],
)
def test_what_is_no_target_is_refused(config: Mapping[str, Any], to: str, revision: str, text: str) -> None:
    with pytest.raises(UpgradeError, match=text):
        standing(config, to, revision)


def test_the_target_is_the_usual_revision_or_one_that_stands() -> None:
    def target(**config: Any) -> Target:
        return standing(config).target

    assert target() == Target(release="1.30", revision="1-30-3")
    assert target(controlPlanes={"new": {"release": "1.30"}}).revision == "new"
    assert target(release="1.30", revision="x").revision == "x"


def test_the_end_of_the_road_has_no_next_step() -> None:
    found = road(standing({"release": "1.30", "revision": "1-30-3", "profile": "demo"}))
    assert found.move is None
    assert set(marks(found).values()) == {Mark.DONE}
