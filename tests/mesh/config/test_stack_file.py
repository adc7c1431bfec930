"""Reading of stack files."""

from pathlib import Path

import pytest

from mesh.config import stack_file
from mesh.config.stack_file import StackFileError

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
