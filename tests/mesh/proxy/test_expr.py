"""Values of the model of the proxy: known now, and computed; or known to the injector, and written down."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.proxy import expr
from mesh.proxy.expr import Expr, Node, wire


@pytest.mark.parametrize(
    ("function", "args", "known", "text"),
    [
        (expr.join, ("a-", "b", 1, True), "a-b1true", '(printf "a-%v1true" $.x)'),
        (expr.join, ("50%", "b"), "50%b", '(printf "50%%%v" $.x)'),
        (expr.equal, ("a", "b"), False, '(eq "a" $.x)'),
        (expr.not_equal, ("a", "b"), True, '(ne "a" $.x)'),
        (expr.greater, (2, 1), True, "(gt 2 $.x)"),
        (expr.contains, ("/", "a/b"), True, '(contains "/" $.x)'),
        (expr.any_of, ("", "b"), "b", '(or "" $.x)'),
        (expr.all_of, ("a", "b"), "b", '(and "a" $.x)'),
        (expr.value_or, ("", "b"), "b", '(valueOrDefault "" $.x)'),
        (expr.coalesce, ("", "b"), "b", '(default $.x "")'),
        (expr.ternary, (True, "b", "c"), "b", '(ternary $.x "c" true)'),
    ],
)
def test_a_function_computes_what_is_known_and_writes_down_what_is_not(
    function: Any, args: tuple[Any, ...], known: object, text: str
) -> None:
    assert function(*args) == known
    first, _, *rest = args
    assert function(first, Expr("$.x"), *rest).text == text


def test_a_choice_by_text_asks_whether_the_text_is_empty() -> None:
    chosen = expr.ternary(Expr("$.x"), "a", "b")
    assert isinstance(chosen, Expr)
    assert chosen.text == '(ternary "a" "b" (not (not $.x)))'


def test_a_part_is_absent_where_all_of_its_parts_are() -> None:
    model: Node = {"a": {"b": None}, "c": [None, expr.when(False, "x")], "d": {}, "e": [expr.each({}, lambda *_: "x")]}
    assert wire(model) == {"d": {}}


def test_lists_in_a_list_are_spliced_in() -> None:
    assert wire(["a", expr.when(True, ["b", "c"]), expr.each({"k": "v"}, lambda key, value: f"{key}={value}")]) == [
        *("a", "b", "c", "k=v")
    ]


def test_a_model_with_something_unknown_is_no_plain_data() -> None:
    with pytest.raises(TypeError, match="known only to the injector"):
        wire({"a": [Expr("$.x")]})
