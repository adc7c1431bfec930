"""The program itself."""

import ast

from commands.stackfiles import ROOT

TEXT = (ROOT / "__main__.py").read_text()
STATEMENTS = ast.parse(TEXT).body[1:]
"""Without the docstring."""


def test_the_program_is_the_order_of_installation_and_decides_nothing() -> None:
    """Whether a part is wanted, and what it waits for, is known to the part."""
    assert len(TEXT.splitlines()) <= 80
    assert {type(one) for one in STATEMENTS} <= {ast.ImportFrom, ast.Import, ast.Assign, ast.Expr}


def test_at_most_one_call_comes_before_the_imports() -> None:
    """Into the engine, which then works while Python loads the rest."""
    imports = [place for place, one in enumerate(STATEMENTS) if isinstance(one, ast.ImportFrom | ast.Import)]
    before = [ast.unparse(one) for one in STATEMENTS[: imports[-1]] if not isinstance(one, ast.ImportFrom | ast.Import)]
    assert len(before) <= 1, before
