"""Values that are known now, or only to Istio's injector when a pod is created.

The model of the proxy is written once, over `Value`s. Given plain values, the functions here compute, and the
model comes out as a Kubernetes object. Given an `Expr`, they compose Go template text, and the model comes out as
an injection template. `when` and `each` do the same for whole parts of an object.

The template functions are Go's own, sprig's and those that Istio's injector adds (its `pkg/kube/inject`).
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from mesh.proxy.text import go_text

Form = Literal["text", "plain", "flag", "object"]
"""How a value is written into YAML: as a quoted string, as it is (plain: a number; flag: true or false), as JSON."""


@dataclass(frozen=True)
class Expr:
    """A value that only the injector knows."""

    text: str
    """An operand of a Go template: a field, a variable or a call in parentheses."""
    form: Form = "text"


Value = str | int | bool | Expr
"""A scalar of the model. Plain data from outside (a mapping, None) is accepted where a function says so."""


@dataclass(frozen=True)
class When:
    """A part of an object that is there, or is another one, by a condition that only the injector knows."""

    condition: Expr
    then: Node
    otherwise: Node = None


@dataclass(frozen=True)
class Each:
    """List items, one for each entry of a mapping or list that only the injector knows; it goes by sorted keys."""

    source: Expr
    item: Node


Node = Value | When | Each | None | Mapping[str, "Node"] | Sequence["Node"]
"""A part of an object. None is absent; a list in a list is spliced in."""

KEY: Final = Expr("$key")
VALUE: Final = Expr("$value")


def operand(value: object) -> str:
    """The value as an operand in a Go template."""
    if isinstance(value, Expr):
        return value.text
    return json.dumps(value)  # Go reads JSON's strings, numbers and booleans as its own literals


def call(function: str, *args: object, form: Form = "text") -> Expr:
    """A call of a template function."""
    return Expr(f"({' '.join([function, *map(operand, args)])})", form)


def _apply(function: str, compute: Callable[..., Any], args: Sequence[object], form: Form = "text") -> Value:
    if any(isinstance(arg, Expr) for arg in args):
        return call(function, *args, form=form)
    result: Value = compute(*args)
    return result


def join(*parts: object) -> Value:
    """The parts, one after the other, as text."""
    dynamic = [part for part in parts if isinstance(part, Expr)]
    if not dynamic:
        return "".join(map(go_text, parts))
    layout = "".join("%v" if isinstance(part, Expr) else go_text(part).replace("%", "%%") for part in parts)
    return call("printf", layout, *dynamic)


def equal(left: object, right: object) -> Value:
    return _apply("eq", lambda a, b: bool(a == b), (left, right), "flag")


def differs(left: object, right: object) -> Value:
    return _apply("ne", lambda a, b: bool(a != b), (left, right), "flag")


def contains(part: object, whole: object) -> Value:
    return _apply("contains", lambda a, b: a in b, (part, whole), "flag")


def either(*conditions: object) -> Value:
    """The first condition that holds (is not empty, zero or false), else the last one."""
    return _apply("or", lambda *values: functools.reduce(lambda a, b: a or b, values), conditions, _form(conditions))


def both(*conditions: object) -> Value:
    """The first condition that does not hold, else the last one."""
    return _apply("and", lambda *values: functools.reduce(lambda a, b: a and b, values), conditions, _form(conditions))


def _form(values: Sequence[object]) -> Form:
    return "flag" if all(isinstance(value, Expr) and value.form == "flag" for value in values) else "plain"


def greater(left: object, right: object) -> Value:
    return _apply("gt", lambda a, b: bool(a > b), (left, right), "flag")


def negate(condition: object) -> Value:
    return _apply("not", lambda value: not value, (condition,), "flag")


def lower(text: object) -> Value:
    return _apply("toLower", lambda value: str(value).lower(), (text,))


def number(value: Value) -> Value:
    """A number that is given as text, as annotations are."""
    return Expr(value.text, "plain") if isinstance(value, Expr) else int(value)


def value_or(value: object, default: object) -> Value:
    """The value, or the default where it is missing or empty text."""
    return _apply("valueOrDefault", lambda a, b: b if a is None or a == "" else a, (value, default))


def first_of(*candidates: Any) -> Value:
    """The first candidate that is not empty; the last one where all are."""

    result: Value = candidates[0]
    for candidate in candidates[1:]:
        result = _apply("default", lambda default, value: value or default, (candidate, result))
    return result


def choose(condition: object, then: object, otherwise: object) -> Value:
    """One of two scalars."""
    if isinstance(condition, Expr) and condition.form != "flag":
        condition = negate(negate(condition))  # sprig's ternary takes nothing but true and false
    return _apply("ternary", lambda a, b, c: a if c else b, (then, otherwise, condition))


def when(condition: object, then: Node, otherwise: Node = None) -> Node:
    """`then` if the condition holds, else `otherwise`."""
    if isinstance(condition, Expr):
        return When(condition, then, otherwise)
    return then if condition else otherwise


def each(source: Expr | Mapping[str, Any] | Sequence[Any] | None, item: Callable[[Any, Any], Node]) -> Node:
    """List items made of each key and value of a mapping, by sorted keys, or of each index and item of a list."""
    if isinstance(source, Expr):
        return Each(source, item(KEY, VALUE))
    pairs = sorted(source.items()) if isinstance(source, Mapping) else enumerate(source or ())
    return [item(key, value) for key, value in pairs] or None


def flat(nodes: Iterable[Node]) -> list[Node]:
    """List items with absent ones left out and lists in the list spliced in."""
    items: list[Node] = []
    for node in nodes:
        if isinstance(node, Sequence) and not isinstance(node, str):
            items += flat(node)
        elif node is not None:
            items.append(node)
    return items


def wire(node: Node) -> Any:
    """The plain object of a model that was given plain values only; raises TypeError where it was not.

    A mapping or list all of whose parts are absent is absent itself; one that is written as empty stays.
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
