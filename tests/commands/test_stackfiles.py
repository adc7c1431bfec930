"""Reading stack files."""

import pytest

from commands import stackfiles
from mesh.config.stack_file import StackFileError


def test_a_misspelt_stack_is_refused_with_a_suggestion() -> None:
    with pytest.raises(StackFileError, match=r'"dve" is not one of .*did you mean "dev"'):
        stackfiles.path("dve")


def test_values_become_texts_as_pulumi_passes_them() -> None:
    config = stackfiles.config("dev")
    assert config["mesh:profile"] == "demo"
    assert config["mesh:ingressNodePorts"] == '{"http2": 31102}'
