"""Edits of stack files: what is asked for changes, and nothing else does."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import pytest

from mesh.config import edits, stack_file
from mesh.config.edits import Drop, Edit, Put
from mesh.config.stack_file import StackFileError

ROOT = Path(__file__).parents[3]
FILES = sorted([*(ROOT / "stacks").glob("*.yaml"), *(ROOT / "examples").glob("*/stack.yaml")])


def edited(text: str, *asked: Edit) -> str:
    return edits.edited(text, asked, "Pulumi.x.yaml")


def changed(text: str, *asked: Edit) -> list[str]:
    """The lines that an edit changes, as a diff shows them."""
    lines = difflib.ndiff(text.splitlines(), edited(text, *asked).splitlines())
    return [line for line in lines if line[0] in "+-"]


EVERY = (
    ("mesh:base", {"release": "1.30"}, ['+   mesh:base: { release: "1.30" }']),
    (
        "mesh:controlPlanes",
        {"1-30-3": {"release": "1.30", "profile": "demo"}},
        ["+   mesh:controlPlanes:", '+     1-30-3: { release: "1.30", profile: demo }'],
    ),
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
@pytest.mark.parametrize(("key", "value", "lines"), EVERY)
def test_a_new_key_is_all_that_changes_and_goes_without_a_trace(
    file: Path, key: str, value: Any, lines: list[str]
) -> None:
    text = file.read_text()
    put = Put((key,), value, after=("mesh:profile", "mesh:context"))
    assert changed(text, put) == lines
    assert edited(edited(text, put), Drop((key,))) == text


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_every_key_of_every_file_can_go_and_be_changed(file: Path) -> None:
    text = file.read_text()
    config = stack_file.parse(text, file.name)["config"]
    for key, value in config.items():
        without = stack_file.parse(edited(text, Drop((key,))), file.name)["config"]
        assert without == {name: item for name, item in config.items() if name != key}
        other = stack_file.parse(edited(text, Put((key,), "x")), file.name)["config"]
        assert other == {**config, key: "x"}
        for inner in value if isinstance(value, dict) else ():
            made = stack_file.parse(edited(text, Put((key, inner), {"a": {"b": 1}})), file.name)["config"]
            assert made == {**config, key: {**value, inner: {"a": {"b": 1}}}}


NAMESPACES = "mesh:injectedNamespaces"
MOVED = Put((NAMESPACES, "shop"), {"ownership": "create", "revision": "v"})
REVISION = Put((NAMESPACES, "shop", "revision"), "v")
STEPS = {
    "a short form becomes a map": (
        "config:\n  mesh:injectedNamespaces:\n    shop: create # ours\n    bank: create\n",
        MOVED,
        "config:\n  mesh:injectedNamespaces:\n    shop: { ownership: create, revision: v } # ours\n    bank: create\n",
    ),
    "braces stay braces": (
        "config:\n  mesh:injectedNamespaces: {shop: create, bank: create}\n",
        MOVED,
        "config:\n  mesh:injectedNamespaces: {shop: { ownership: create, revision: v }, bank: create}\n",
    ),
    "a map in braces gets a key": (
        "config:\n  mesh:injectedNamespaces: { shop: { ownership: create } } # ours\n",
        REVISION,
        "config:\n  mesh:injectedNamespaces: { shop: { ownership: create, revision: v } } # ours\n",
    ),
    "braces over several lines": (
        "config:\n  mesh:injectedNamespaces: {\n    shop: {\n      ownership: create, # ours\n    }\n  }\n",
        REVISION,
        "config:\n  mesh:injectedNamespaces: {\n    shop: {\n      ownership: create, revision: v, # ours\n    }\n"
        "  }\n",
    ),
    "a block gets a key before the comment that follows it": (
        "config:\n  mesh:injectedNamespaces:\n      shop:\n          ownership: create\n\n"
        "  # the rest\n  mesh:profile: demo\n",
        REVISION,
        "config:\n  mesh:injectedNamespaces:\n      shop:\n          ownership: create\n          revision: v\n\n"
        "  # the rest\n  mesh:profile: demo\n",
    ),
    "an alias is written out where it changes": (
        "config:\n  mesh:injectedNamespaces:\n    bank: &ours { ownership: create }\n    shop: *ours\n",
        REVISION,
        "config:\n  mesh:injectedNamespaces:\n    bank: &ours { ownership: create }\n"
        "    shop: { ownership: create, revision: v }\n",
    ),
    "an anchor that changes leaves its aliases as they were": (
        "config:\n  mesh:injectedNamespaces:\n    shop: &ours { ownership: create }\n    bank: *ours\n",
        REVISION,
        "config:\n  mesh:injectedNamespaces:\n    shop: &ours { ownership: create, revision: v }\n"
        "    bank: { ownership: create }\n",
    ),
    "a merge key is written out": (
        "config:\n  mesh:injectedNamespaces:\n    bank: &ours { ownership: create }\n    shop:\n      <<: *ours\n",
        REVISION,
        "config:\n  mesh:injectedNamespaces:\n    bank: &ours { ownership: create }\n"
        "    shop: { ownership: create, revision: v }\n",
    ),
    "JSON in a string becomes a map": (
        'config:\n  mesh:injectedNamespaces: \'{"shop": {"ownership": "create"}}\'\n',
        REVISION,
        "config:\n  mesh:injectedNamespaces:\n    shop: { ownership: create, revision: v }\n",
    ),
    "the lines of Windows stay": (
        'config:\r\n  mesh:profile: "demo"\r\n',
        Put(("mesh:base",), {"release": "1.30"}),
        'config:\r\n  mesh:profile: "demo"\r\n  mesh:base: { release: "1.30" }\r\n',
    ),
    "a file without a line break at its end": (
        "config:\n  mesh:profile: demo",
        Put(("mesh:revision",), "v"),
        "config:\n  mesh:profile: demo\n  mesh:revision: v\n",
    ),
    "a text over several lines stays whole": (
        "config:\n  mesh:hub: |\n    a\n\n    b\n\n  mesh:profile: demo\n",
        Put(("mesh:revision",), "v", after=("mesh:hub",)),
        "config:\n  mesh:hub: |\n    a\n\n    b\n  mesh:revision: v\n\n  mesh:profile: demo\n",
    ),
    "an empty config": ("config:\n", Put(("mesh:revision",), "v"), "config:\n  mesh:revision: v\n"),
    "an empty config in braces": ("config: {}\n", Put(("mesh:revision",), "v"), "config:\n  mesh:revision: v\n"),
    "an empty file": ("", Put(("mesh:revision",), "v"), "config:\n  mesh:revision: v\n"),
    "a file without config": (
        "encryptionsalt: v1:abc\n",
        Put(("mesh:base", "release"), "1.30"),
        'encryptionsalt: v1:abc\nconfig:\n  mesh:base: { release: "1.30" }\n',
    ),
    "a key that is null": (
        "config:\n  mesh:base:\n  mesh:profile: demo\n",
        Put(("mesh:base", "release"), "1.30"),
        'config:\n  mesh:base: { release: "1.30" }\n  mesh:profile: demo\n',
    ),
    "the last key": ("config:\n  mesh:profile: demo\n", Drop(("mesh:profile",)), "config:\n  {}\n"),
    "maps that are empty go": (
        "config:\n  mesh:a:\n    b:\n      c: 1\n  mesh:profile: demo\n",
        Drop(("mesh:a", "b", "c")),
        "config:\n  mesh:profile: demo\n",
    ),
    "the first of braces": (
        "config: { mesh:a: 1, mesh:b: 2 }\n",
        Drop(("mesh:a",)),
        "config: { mesh:b: 2 }\n",
    ),
    "the last of braces": (
        "config: { mesh:a: 1, mesh:b: 2 }\n",
        Drop(("mesh:b",)),
        "config: { mesh:a: 1 }\n",
    ),
    "an alias that is left empty": (
        "config:\n  mesh:a: &x { b: 1 }\n  mesh:c: *x\n",
        Drop(("mesh:c", "b")),
        "config:\n  mesh:a: &x { b: 1 }\n",
    ),
    "an anchor that goes": (
        "config:\n  mesh:a: &x { b: 1 }\n  mesh:c: *x\n",
        Drop(("mesh:a",)),
        "config:\n  mesh:c: { b: 1 }\n",
    ),
    "a key that is not there": ("config:\n  mesh:a: 1\n", Drop(("mesh:b", "c")), "config:\n  mesh:a: 1\n"),
    "encrypted values": (
        "config:\n  mesh:pilot:\n    env:\n      TOKEN:\n        secure: v1:abc\n",
        Put(("mesh:controlPlanes", "v"), {"pilot": {"env": {"TOKEN": {"secure": "v1:abc"}}}}),
        "config:\n  mesh:pilot:\n    env:\n      TOKEN:\n        secure: v1:abc\n  mesh:controlPlanes:\n    v:\n"
        "      pilot:\n        env:\n          TOKEN: { secure: v1:abc }\n",
    ),
}


@pytest.mark.parametrize(("text", "edit", "result"), STEPS.values(), ids=list(STEPS))
def test_an_edit_changes_what_it_is_about_and_nothing_else(text: str, edit: Edit, result: str) -> None:
    assert edited(text, edit) == result


def test_numbers_and_switches_that_are_texts_get_quotes() -> None:
    text = edited("config: {}\n", Put(("mesh:a",), {"b": "1.30", "c": "true", "d": True, "e": [1, "x, y"]}))
    assert text == 'config:\n  mesh:a: { b: "1.30", c: "true", d: true, e: [1, "x, y"] }\n'


def test_what_cannot_be_edited_is_said_with_what_to_write_by_hand() -> None:
    text = "config:\n  ? mesh:profile\n  : demo\n  ? mesh:hub\n  : here\n"
    with pytest.raises(StackFileError) as error:
        edited(text, Put(("mesh:profile",), "default"), Drop(("mesh:hub",)))
    head, *lines = str(error.value).splitlines()
    assert head == "Pulumi.x.yaml is written in a way that cannot be edited here; write by hand:"
    assert lines == ["mesh:profile: default", "without mesh:hub"]


def test_a_file_that_is_not_valid_is_refused_as_it_is() -> None:
    with pytest.raises(StackFileError, match=r"Pulumi.x.yaml is not YAML"):
        edited("config: {", MOVED)
