"""Reading of stack files."""

import json
from pathlib import Path
from typing import Any

import pytest

from mesh.config import stack_file
from mesh.config.stack_file import StackFileError
from mesh.core import secure

MAPPING = "expected a mapping with a key `config`$"


@pytest.mark.parametrize(
    ("text", "said"), [("config: [", "is not YAML: .* line 1"), ("- a", MAPPING), ("config: text", MAPPING)]
)
def test_a_file_without_a_mapping_is_refused_with_one_message(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text(text)
    with pytest.raises(StackFileError, match=rf"^Pulumi\.x\.yaml:? {said}"):
        stack_file.document(file)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "config:\n  mesh:traffic: {a: 1}\n  mesh:traffic: {b: 2}\n",
            r"duplicate key mesh:traffic .*line 3",
        ),
        ("config:\n  mesh:traffic:\n    a: 1\n    a: 2\n", "duplicate key a"),
        ("confg: {}\n", r'"confg" is not one of config, .*; did you mean "config"\?'),
        ("config:\n  meshx:traffic: 1\n", r'meshx:traffic: "meshx" is not one of mesh, mesh-addons, pulumi'),
    ],
)
def test_unknown_keys_and_duplicate_keys_are_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "Pulumi.a.yaml"
    file.write_text(text)
    with pytest.raises(StackFileError, match=said):
        stack_file.document(file)


ENCRYPTED = {"secure": "v1:a"}


def test_placeholders_stand_for_encrypted_values_at_any_depth() -> None:
    content = {
        "config": {"mesh:hub": ENCRYPTED, "mesh:pilot": {"env": {"A": ENCRYPTED, "B": "b"}}, "mesh:x": ["a", ENCRYPTED]}
    }
    found = stack_file.config(content)
    assert secure.is_placeholder(found["mesh:hub"])
    assert list(secure.keys_of(json.loads(found["mesh:pilot"]))) == ["mesh:pilot.env.A"]
    assert list(secure.keys_of(json.loads(found["mesh:x"]))) == ["mesh:x[1]"]
    assert [path for path, _ in stack_file.encrypted(content)] == [
        ("mesh:hub",),
        ("mesh:pilot", "env", "A"),
        ("mesh:x", 1),
    ]


def test_encrypted_values_of_the_copy_are_kept_beside_those_of_the_file() -> None:
    ours = {"config": {"mesh:pilot": {"env": {"B": "b"}}, "mesh:hub": {"secure": "v1:ours"}}}
    theirs = {
        "encryptionsalt": "v1:salt",
        "config": {
            "mesh:pilot": {"env": {"A": ENCRYPTED, "C": "c"}},
            "mesh:hub": ENCRYPTED,
            "mesh-addons:x": ENCRYPTED,
        },
    }
    assert stack_file.with_encrypted(ours, theirs) == {
        "encryptionsalt": "v1:salt",
        "config": {
            "mesh:pilot": {"env": {"A": ENCRYPTED, "B": "b"}},
            "mesh:hub": {"secure": "v1:ours"},
            "mesh-addons:x": ENCRYPTED,
        },
    }


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        (
            {"config": {"mesh:hub": "here"}},
            {"config": {"mesh:hub": ENCRYPTED}},
            "mesh:hub is encrypted for",
        ),
        (
            {"config": {"mesh:a": {"b": "x"}}},
            {"config": {"mesh:a": {"b": {"c": ENCRYPTED}}}},
            r"mesh:a\.b\.c is encrypted for this stack, but its file has mesh:a\.b in clear text",
        ),
        ({"config": {"mesh:a": ["b"]}}, {"config": {"mesh:a": [ENCRYPTED]}}, r"mesh:a\[0\] is encrypted in a list"),
        ({"config": {}}, {"config": {"mesh:a": [ENCRYPTED]}}, r"mesh:a\[0\] is encrypted in a list"),
        (
            {"encryptionsalt": "v1:one", "config": {}},
            {"encryptionsalt": "v1:other", "config": {"mesh:a": ENCRYPTED}},
            "with which mesh:a is encrypted, which is v1:other",
        ),
    ],
)
def test_encrypted_values_that_do_not_fit_are_refused_and_never_dropped(
    ours: dict[str, Any], theirs: dict[str, Any], said: str
) -> None:
    with pytest.raises(StackFileError, match=said):
        stack_file.with_encrypted(ours, theirs)
    stack_file.with_encrypted(ours, theirs, strict=False)


@pytest.mark.parametrize("value", [[ENCRYPTED], {"b": [{"c": ENCRYPTED}]}])
def test_an_encrypted_value_of_a_list_may_be_in_the_copy_as_well(value: Any) -> None:
    ours = {"config": {"mesh:a": value}}
    assert stack_file.with_encrypted(ours, ours) == ours


def test_a_map_that_the_file_encrypts_whole_is_kept() -> None:
    ours = {"config": {"mesh:a": ENCRYPTED}}
    assert stack_file.with_encrypted(ours, {"config": {"mesh:a": {"b": ENCRYPTED}}}) == ours


def test_a_message_about_yaml_does_not_quote_the_line(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.a.yaml"
    file.write_text('config:\n  mesh:pilot: {env: {A: "marker}}\n')
    with pytest.raises(StackFileError) as refused:
        stack_file.document(file)
    assert "marker" not in str(refused.value)
    assert "line" in str(refused.value)
