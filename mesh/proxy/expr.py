"""Expressions of the proxy's model, which evaluate to plain values or to Go template text.

The model of the proxy is written once, over `Value`s. Given plain values, the functions of this module compute, and
the model becomes a Kubernetes object. Given an `Expr`, a value that only Istio's injector knows when a pod is created,
they compose a template expression, and the model becomes an injection template. `when` and `each` do the same for
whole parts of an object.

The template functions are Go's own, sprig's, and those that Istio's injector adds (`pkg/kube/inject`).
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from mesh.proxy.text import go_text

Form = Literal["text", "plain", "flag", "object"]
"""How a template writes the value into YAML: `text` is quoted, `plain` (a number) and `flag` (a boolean) are not,
`object` is JSON."""


@dataclass(frozen=True)
class Expr:
    """A value that only the injector knows, as a Go template expression."""

    text: str
    """The expression, usable as an operand: a field, a variable, or a call in parentheses."""
    form: Form = "text"


Value = str | int | bool | Expr
"""A scalar of the model."""


@dataclass(frozen=True)
class When:
    """A conditional part of an object, whose condition only the injector knows: an `if` with an optional `else`."""

    condition: Expr
    then: Node
    otherwise: Node = None


@dataclass(frozen=True)
class Each:
    """List items, one for each entry of a mapping or list that only the injector knows: a `range`, in order of keys."""

    source: Expr
    item: Node


Node = Value | When | Each | None | Mapping[str, "Node"] | Sequence["Node"]
"""A part of an object. None means that it is absent; a list within a list is flattened."""

KEY: Final = Expr("$key")
VALUE: Final = Expr("$value")


def operand(value: object) -> str:
    """The value as an operand of a Go template expression."""
    if isinstance(value, Expr):
        return value.text
    return json.dumps(value)  # JSON's strings, numbers and booleans are valid Go literals


def call(function: str, *args: object, form: Form = "text") -> Expr:
    """The call of a template function."""
    return Expr(f"({' '.join([function, *map(operand, args)])})", form)


def _apply(function: str, compute: Callable[..., Any], args: Sequence[object], form: Form = "text") -> Value:
    if any(isinstance(arg, Expr) for arg in args):
        return call(function, *args, form=form)
    result: Value = compute(*args)
    return result


def join(*parts: object) -> Value:
    """The concatenation of the parts as text (`printf`)."""
    dynamic = [part for part in parts if isinstance(part, Expr)]
    if not dynamic:
        return "".join(map(go_text, parts))
    layout = "".join("%v" if isinstance(part, Expr) else go_text(part).replace("%", "%%") for part in parts)
    return call("printf", layout, *dynamic)


def equal(left: object, right: object) -> Value:
    return _apply("eq", lambda a, b: bool(a == b), (left, right), "flag")


def not_equal(left: object, right: object) -> Value:
    return _apply("ne", lambda a, b: bool(a != b), (left, right), "flag")


def contains(part: object, whole: object) -> Value:
    return _apply("contains", lambda a, b: a in b, (part, whole), "flag")


def any_of(*conditions: object) -> Value:
    """The first condition that is true (not empty, zero or false), else the last one (Go's `or`)."""
    return _apply("or", lambda *values: functools.reduce(lambda a, b: a or b, values), conditions, _form(conditions))


def all_of(*conditions: object) -> Value:
    """The first condition that is false (empty, zero or false), else the last one (Go's `and`)."""
    return _apply("and", lambda *values: functools.reduce(lambda a, b: a and b, values), conditions, _form(conditions))


def _form(values: Sequence[object]) -> Form:
    return "flag" if all(isinstance(value, Expr) and value.form == "flag" for value in values) else "plain"


def greater(left: object, right: object) -> Value:
    return _apply("gt", lambda a, b: bool(a > b), (left, right), "flag")


def negate(condition: object) -> Value:
    return _apply("not", lambda value: not value, (condition,), "flag")


def lower(text: object) -> Value:
    return _apply("toLower", lambda value: str(value).lower(), (text,))


def truncate(text: object, length: int) -> Value:
    """The first characters of a text (sprig's `trunc`)."""
    return _apply("trunc", lambda size, value: str(value)[:size], (length, text))


def without_suffix(text: object, suffix: str) -> Value:
    return _apply("trimSuffix", lambda end, value: str(value).removesuffix(end), (suffix, text))


def without_nulls(value: Any) -> Any:
    """A JSON object without the keys whose value is null (Istio's `omitNil`, since 1.30)."""
    return _apply("omitNil", _present, (value,), "object")


def _present(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    kept = {key: _present(child) for key, child in value.items()}
    return {key: child for key, child in kept.items() if child is not None} or (None if value else value)


def number(value: Value) -> Value:
    """The number that a text holds, such as the value of an annotation."""
    return Expr(value.text, "plain") if isinstance(value, Expr) else int(value)


def value_or(value: object, default: object) -> Value:
    """The value, or the default if the value is None or empty text (Istio's `valueOrDefault`)."""
    return _apply("valueOrDefault", lambda a, b: b if a is None or a == "" else a, (value, default))


def coalesce(*candidates: Any) -> Value:
    """The first candidate that is not empty, else the last one (sprig's `default`)."""
    result: Value = candidates[0]
    for candidate in candidates[1:]:
        result = _apply("default", lambda default, value: value or default, (candidate, result))
    return result


def ternary(condition: object, then: object, otherwise: object) -> Value:
    """`then` if the condition holds, else `otherwise`: a choice between two scalars (sprig's `ternary`)."""
    if isinstance(condition, Expr) and condition.form != "flag":
        condition = negate(negate(condition))  # sprig's ternary accepts only booleans
    return _apply("ternary", lambda a, b, c: a if c else b, (then, otherwise, condition))


def when(condition: object, then: Node, otherwise: Node = None) -> Node:
    """`then` if the condition holds, else `otherwise`: a choice between two parts of an object."""
    if isinstance(condition, Expr):
        return When(condition, then, otherwise)
    return then if condition else otherwise


def each(source: Expr | Mapping[str, Any] | Sequence[Any] | None, item: Callable[[Any, Any], Node]) -> Node:
    """A list item for each key and value of a mapping, in order of keys, or for each index and item of a list."""
    if isinstance(source, Expr):
        return Each(source, item(KEY, VALUE))
    pairs = sorted(source.items()) if isinstance(source, Mapping) else enumerate(source or ())
    return [item(key, value) for key, value in pairs] or None


def flat(nodes: Iterable[Node]) -> list[Node]:
    """The list items, without absent ones and with nested lists flattened."""
    items: list[Node] = []
    for node in nodes:
        if isinstance(node, Sequence) and not isinstance(node, str):
            items += flat(node)
        elif node is not None:
            items.append(node)
    return items


def wire(node: Node) -> Any:
    """The plain object of a model that holds plain values only. Raises TypeError if it holds an expression.

    A mapping or list whose parts are all absent is left out itself; one that is empty in the model is kept.
    """
    if isinstance(node, Expr | When | Each):
        raise TypeError(f"known only to the injector: {node}")
    if isinstance(node, Mapping):
        fields = {key: wire(child) for key, child in node.items()}
        present = {key: child for key, child in fields.items() if child is not None}
        return present if present or not node else None
    if isinstance(node, Sequence) and not isinstance(node, str):
        items = [item for item in map(wire, flat(node)) if item is not None]
        return items if items or not node else None
    return node
