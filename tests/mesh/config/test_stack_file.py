"""What a stack's file must be like."""

from pathlib import Path

import pytest

from mesh.config import stack_file
from mesh.config.stack_file import StackFileError

MAPPING = "expected a mapping with a key `config`$"


@pytest.mark.parametrize(
    ("text", "said"), [("config: [", "is not YAML: .* line 1"), ("- a", MAPPING), ("config: text", MAPPING)]
)
def test_a_file_that_is_no_mapping_is_one_clear_message(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text(text)
    with pytest.raises(StackFileError, match=rf"^Pulumi\.x\.yaml:? {said}"):
        stack_file.document(file)


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
    with pytest.raises(StackFileError, match=said):
        stack_file.document(file)
