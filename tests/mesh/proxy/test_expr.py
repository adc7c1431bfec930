"""Expressions of the proxy's model: evaluation of plain values, composition of template text."""

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
def test_a_function_computes_plain_values_and_composes_template_text_from_expressions(
    function: Any, args: tuple[Any, ...], known: object, text: str
) -> None:
    assert function(*args) == known
    first, _, *rest = args
    assert function(first, Expr("$.x"), *rest).text == text


def test_a_text_as_the_condition_of_a_ternary_is_converted_to_a_boolean() -> None:
    chosen = expr.ternary(Expr("$.x"), "a", "b")
    assert isinstance(chosen, Expr)
    assert chosen.text == '(ternary "a" "b" (not (not $.x)))'


def test_a_mapping_or_list_whose_parts_are_all_absent_is_left_out() -> None:
    model: Node = {"a": {"b": None}, "c": [None, expr.when(False, "x")], "d": {}, "e": [expr.each({}, lambda *_: "x")]}
    assert wire(model) == {"d": {}}


def test_nested_lists_are_flattened() -> None:
    assert wire(["a", expr.when(True, ["b", "c"]), expr.each({"k": "v"}, lambda key, value: f"{key}={value}")]) == [
        *("a", "b", "c", "k=v")
    ]


def test_a_model_with_an_expression_cannot_become_a_plain_object() -> None:
    with pytest.raises(TypeError, match="known only to the injector"):
        wire({"a": [Expr("$.x")]})
