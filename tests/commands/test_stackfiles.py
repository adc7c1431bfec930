"""Stack files as the program sees them."""

from pathlib import Path

import pytest

from commands import stackfiles
from commands.stackfiles import CommandError


def test_a_misspelt_stack_is_refused_with_the_nearest() -> None:
    with pytest.raises(CommandError, match=r'"dve" is not one of .*did you mean "dev"'):
        stackfiles.path("dve")


def test_values_become_the_text_that_pulumi_hands_over() -> None:
    config = stackfiles.config("dev")
    assert config["mesh:profile"] == "demo"
    assert config["mesh:ingressNodePorts"] == '{"http2": 31102}'


MAPPING = "expected a mapping with a key `config`$"


@pytest.mark.parametrize(
    ("text", "said"), [("config: [", "is not YAML: .* line 1"), ("- a", MAPPING), ("config: text", MAPPING)]
)
def test_a_file_that_is_no_mapping_is_one_clear_message(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text(text)
    with pytest.raises(CommandError, match=rf"^Pulumi\.x\.yaml:? {said}"):
        stackfiles.document(file)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "config:\n  mesh:traffic: {a: 1}\n  mesh:traffic: {b: 2}\n",
            r"mesh:traffic is there twice .*line 3",
        ),
        ("config:\n  mesh:traffic:\n    a: 1\n    a: 2\n", "a is there twice"),
        ("confg: {}\n", r'"confg" is not one of config, .*; did you mean "config"\?'),
        ("config:\n  meshx:traffic: 1\n", r'meshx:traffic: "meshx" is not one of mesh, mesh-addons, pulumi'),
    ],
)
def test_what_nobody_would_read_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "Pulumi.a.yaml"
    file.write_text(text)
    with pytest.raises(CommandError, match=said):
        stackfiles.document(file)
