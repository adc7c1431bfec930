"""The program `__main__.py`."""

import ast

from commands.stackfiles import ROOT

TEXT = (ROOT / "__main__.py").read_text()
STATEMENTS = ast.parse(TEXT).body[1:]
"""The statements of the program, without its docstring."""


def test_the_program_only_installs_components_in_order_and_has_no_conditions() -> None:
    """Each component knows itself whether it is enabled, and what it depends on."""
    assert len(TEXT.splitlines()) <= 80
    assert {type(one) for one in STATEMENTS} <= {ast.ImportFrom, ast.Import, ast.Assign, ast.Expr}


def test_at_most_one_call_precedes_the_imports() -> None:
    """That call requests the stack's state, which the engine reads while Python imports the rest."""
    imports = [place for place, one in enumerate(STATEMENTS) if isinstance(one, ast.ImportFrom | ast.Import)]
    before = [ast.unparse(one) for one in STATEMENTS[: imports[-1]] if not isinstance(one, ast.ImportFrom | ast.Import)]
    assert len(before) <= 1, before
