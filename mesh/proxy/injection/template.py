"""Renders a model with expressions as the text of a Go template that produces YAML.

Unconditional parts that fit on a line are written as JSON, which is valid YAML; other parts as indented blocks. A
mapping or list whose parts are all conditional is left out if none of them is present: an empty key would be null, and
null in a strategic merge patch deletes what the pod already has.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from mesh.proxy.expr import Each, Expr, Node, Value, When, all_of, any_of, flat, negate

WIDTH = 110
"""Maximum length of a part on one line, in characters."""

Presence = Expr | bool
"""Whether a part is present: known beforehand, or a condition for the injector."""


def render(model: Node, prelude: Iterable[str] = ()) -> str:
    """The text of the template: the lines of the prelude, then the model. Raises TypeError if it is not a mapping."""
    if not isinstance(model, Mapping):
        raise TypeError(f"a template yields a mapping, not {model!r}")
    return "\n".join([*prelude, *_entries(model, "")]) + "\n"


def _entries(mapping: Mapping[str, Node], indent: str) -> Iterator[str]:
    return _parts(list(mapping.items()), indent)


def _items(nodes: Iterable[Node], indent: str) -> Iterator[str]:
    return _parts([(None, node) for node in flat(nodes)], indent)


def _parts(parts: Iterable[tuple[str | None, Node]], indent: str) -> Iterator[str]:
    """Entries of a mapping, or items of a list (key None). Neighbours with the same condition share one `if`."""
    for condition, group in itertools.groupby(parts, key=lambda part: _sole_condition(part[1])):
        if condition is None:
            for key, node in group:
                yield from _part(key, node, indent)
        else:
            inner = [(key, node.then) for key, node in group if isinstance(node, When)]
            yield from _guarded(condition, _under(condition, inner, indent), (), indent)


def _sole_condition(node: Node) -> Expr | None:
    return node.condition if isinstance(node, When) and node.otherwise is None else None


def _under(condition: Expr, parts: Sequence[tuple[str | None, Node]], indent: str) -> Iterator[str]:
    """Parts inside an `if`. A single part that is present exactly under this condition gets no second `if`."""
    key, node = parts[0]
    if len(parts) == 1 and key is not None and _presence(node) == condition:
        return _entry(key, node, indent)
    return _parts(parts, indent)


def _part(key: str | None, node: Node, indent: str) -> Iterator[str]:
    if isinstance(node, When):
        then = _under(node.condition, [(key, node.then)], indent)
        yield from _guarded(node.condition, then, _part(key, node.otherwise, indent), indent)
    elif key is None:
        yield from _item(node, indent)
    elif isinstance(presence := _presence(node), Expr):
        yield from _guarded(presence, _entry(key, node, indent), (), indent)
    elif presence:
        yield from _entry(key, node, indent)


def _entry(key: str, node: Node, indent: str) -> Iterator[str]:
    head = f"{indent}{key if key.isalnum() else json.dumps(key)}:"
    if _inlined(node, head):
        yield f"{head} {_inline(node)}"
    elif isinstance(node, Mapping):
        yield head
        yield from _entries(node, indent + "  ")
    else:
        yield head
        yield from _items([node], indent)


def _item(node: Node, indent: str) -> Iterator[str]:
    if node is None:
        return
    if isinstance(node, Each):
        yield f"{indent}{{{{- range $key, $value := {_bare(node.source)} }}}}"
        yield from _part(None, node.item, indent)
        yield f"{indent}{{{{- end }}}}"
    elif isinstance(node, Sequence) and not isinstance(node, str):
        yield from _items(node, indent)
    elif isinstance(node, Mapping) and not _inlined(node, indent):
        first, *rest = _entries(node, indent + "  ")
        if "{{-" in first:
            raise ValueError(f"the first entry of a list's item is conditional: {first.strip()}")
        yield f"{indent}- {first.strip()}"
        yield from rest
    else:
        yield f"{indent}- {_inline(node)}"


def _guarded(condition: Expr, then: Iterable[str], otherwise: Iterable[str], indent: str) -> Iterator[str]:
    """Lines inside `if`, `else` and `end`; `{{-` trims the line break before them, so they leave no blank lines."""
    yield f"{indent}{{{{- if {_bare(condition)} }}}}"
    yield from then
    if other := list(otherwise):
        yield f"{indent}{{{{- else }}}}"
        yield from other
    yield f"{indent}{{{{- end }}}}"


def _presence(node: Node) -> Presence:
    terms = _terms(node)
    if () in terms:
        return True
    alternatives = [_expression(all_of(*term)) if len(term) > 1 else term[0] for term in terms]
    if len(alternatives) > 1:
        return _expression(any_of(*alternatives))
    return alternatives[0] if alternatives else False


def _terms(node: Node) -> list[tuple[Expr, ...]]:
    """The condition for the part to be present, in disjunctive form: all conditions of any term hold.

    The empty term is always true; without terms the part is never present.
    """
    if isinstance(node, When):
        then, otherwise = _terms(node.then), _terms(node.otherwise)
        if () in then and () in otherwise:
            return [()]
        never = _expression(negate(node.condition))
        return _shortest([(node.condition, *term) for term in then] + [(never, *term) for term in otherwise])
    if isinstance(node, Each):
        return [(node.source,)]
    if isinstance(node, Mapping):
        return _shortest([term for child in node.values() for term in _terms(child)]) if node else [()]
    if isinstance(node, Sequence) and not isinstance(node, str):
        return _shortest([term for child in node for term in _terms(child)]) if node else [()]
    return [] if node is None else [()]


def _shortest(terms: list[tuple[Expr, ...]]) -> list[tuple[Expr, ...]]:
    """The terms without duplicates, and without those that another term implies."""
    unique = list(dict.fromkeys(tuple(dict.fromkeys(term)) for term in terms))
    return [term for term in unique if not any(set(other) < set(term) for other in unique)]


def _expression(value: Value) -> Expr:
    """Narrows a value that is composed of expressions to `Expr`."""
    assert isinstance(value, Expr)
    return value


def _conditional(node: Node) -> bool:
    if isinstance(node, Mapping):
        return any(map(_conditional, node.values()))
    if isinstance(node, Sequence) and not isinstance(node, str):
        return any(map(_conditional, node))
    return isinstance(node, When | Each)


def _inlined(node: Node, head: str) -> bool:
    if _conditional(node):
        return False
    text = _inline(node)
    return "{{" not in text or isinstance(node, Expr) or len(head) + len(text) < WIDTH


def _inline(node: Node) -> str:
    """The part as JSON, with a template action for each expression."""
    if isinstance(node, Expr):
        write = {"text": "quote ", "object": "structToJSON "}.get(node.form)
        return f"{{{{ {write}{node.text} }}}}" if write else f"{{{{ {_bare(node)} }}}}"
    if isinstance(node, Mapping):
        fields = (f"{json.dumps(key)}: {_inline(child)}" for key, child in node.items() if child is not None)
        return f"{{{', '.join(fields)}}}"
    if isinstance(node, Sequence) and not isinstance(node, str):
        return f"[{', '.join(map(_inline, flat(node)))}]"
    return json.dumps(node)


def _bare(expression: Expr) -> str:
    """The expression without outer parentheses, for use as a whole action."""
    text = expression.text
    return text[1:-1] if text.startswith("(") else text
