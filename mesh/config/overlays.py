"""Translates the `overlays` of an IstioOperator into entries of `mesh:patches`.

An overlay names an object and has pairs of a path and a value. A path consists of keys with dots between them (`\\.` in
a key). Items of lists are `[name:discovery]` (the item with this field), `[0]` (`[-1]` behind the last one), or
`[--foo]` (the first text that this regular expression finds). The value replaces the value at the path; without a
value, that is removed.

Where Kubernetes merges a list by a field, the translation does so too. Elsewhere it can only name the index of an
item; a `test` operation before it makes the patch fail once another item is at that index.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import yaml

from mesh.analysis.objects import Ref
from mesh.core.errors import show
from mesh.core.kinds import GroupKind
from mesh.patches.joining import together
from mesh.patches.merge import DIRECTIVE
from mesh.patches.patch import Patch
from mesh.patches.paths import Merging, PatchError, merging

Body = Mapping[str, Any]
Entry = Mapping[str, Any]

_INDEX: Final = re.compile("-1|[0-9]+")
_FIELD: Final = re.compile(r"(?P<field>(?:[^:\\]|\\.)+):(?P<value>(?:[^:\\]|\\.)+)")


@dataclass(frozen=True, kw_only=True)
class Translated:
    """The result of translating an overlay."""

    patches: Sequence[Entry]
    """Entries of `mesh:patches`."""
    left: Sequence[str]
    """The paths that were not translated, each with the reason."""


class _Refused(ValueError):
    """A path or value cannot be translated; the message says why."""


class _Step(NamedTuple):
    """A step of a path in an object."""

    key: str | int
    """The key of a mapping, or the index of an item."""
    field: str = ""
    """The field of an item that its list is merged by; empty for other items, and for keys."""
    test: tuple[str, Any] | None = None
    """The JSON pointer below the item, and the value there, by which it was found."""


def translated(overlay: Mapping[str, Any], body: Body) -> Translated:
    """The translation of an overlay (`kind`, `name`, `patches`). `body` is its object before the overlay."""
    how, ref = merging(GroupKind.of(body)), str(Ref.of(body))
    entries: list[Entry] = []
    left: list[str] = []
    for one in overlay.get("patches") or ():
        try:
            entry = {"object": ref, **_entry(body, how, str(one.get("path") or ""), one.get("value"))}
            body = Patch.model_validate(entry).applied(body, how)
            entries.append(entry)
        except (_Refused, PatchError) as error:
            left.append(f"{one.get('path')}: {error}")
    return Translated(patches=together(entries, how), left=left)


def _entry(body: Body, how: Merging, path: str, value: Any) -> Entry:
    steps, there, found = _walked(body, how, _split(path))
    value = _structure(value)
    if value is None and not found:
        raise _Refused("there is nothing to remove")
    if found and there == value:
        raise _Refused("it already has this value")
    items = [step for step in steps if isinstance(step.key, int)]
    whole_item = isinstance(steps[-1].key, int) and value is not None
    if any(not step.field for step in items) or whole_item:
        return {"json": _operations(body, steps, value, found)}
    return {"merge": _merge(steps, _replacing(value, there, found, how, steps))}


def _split(path: str) -> list[str]:
    """The steps of a path as text; `a[b]` is the two steps `a` and `[b]`."""
    parts = (part.replace("\\.", ".") for part in re.split(r"(?<!\\)\.", path) if part)
    steps = [step for part in parts for step in (re.split(r"(?<=.)(?=\[)", part, maxsplit=1))]
    if not steps:
        raise _Refused("it has no path")
    return steps


def _structure(value: Any) -> Any:
    """A value as Istio reads it: a text that is a YAML mapping counts as one, but not a text that is JSON."""
    if not isinstance(value, str) or (": " if "\n" not in value else ":") not in value:
        return value
    try:
        found = yaml.safe_load(value)
    except yaml.YAMLError:
        return value
    return found if isinstance(found, dict) and not value.lstrip().startswith("{") else value


def _walked(body: Body, how: Merging, path: Sequence[str]) -> tuple[list[_Step], Any, bool]:
    """The steps of a path in an object, the value at its end (None if there is none), and whether there is one."""
    steps: list[_Step] = []
    node: Any = body
    found = True
    for text in path:
        if isinstance(node, list):
            at = tuple(str(step.key) for step in steps if isinstance(step.key, str))
            steps.append(_item(node, text, how.lists.get(at, "")))
            found = steps[-1].key != len(node)
            node = node[int(steps[-1].key)] if found else None
        elif text.startswith("[") or not (node is None or isinstance(node, Mapping)):
            raise _Refused(f"there is no list at {text}" if text.startswith("[") else f"{show(node)} has no parts")
        else:
            steps.append(_Step(text))
            found = text in (node or {})
            node = node[text] if node and found else None
    return steps, node, found


def _item(items: Sequence[Any], text: str, field: str) -> _Step:
    """The step to an item of a list that is merged by `field`."""
    wanted = text.removeprefix("[").removesuffix("]")
    if _INDEX.fullmatch(wanted):
        index = int(wanted)
        return _Step(index if 0 <= index < len(items) else len(items))
    if (pair := _FIELD.fullmatch(wanted)) and any(isinstance(item, Mapping) for item in items):
        name, value = (re.sub(r"\\(.)", r"\1", pair[group]) for group in ("field", "value"))
        for i, item in enumerate(items):
            if isinstance(item, Mapping) and str(item.get(name)) == value:
                alone = sum(other.get(name) == item[name] for other in items) == 1
                return _Step(i, name if name == field and alone else "", (f"/{_escaped(name)}", item[name]))
    pattern = wanted.removeprefix(":")
    for i, item in enumerate(items):
        if not isinstance(item, Mapping) and re.search(pattern, str(item)):
            return _Step(i, "", ("", item))
    raise _Refused(f"no item is {text}")


def _replacing(value: Any, there: Any, found: bool, how: Merging, steps: Sequence[_Step]) -> Any:
    """The value of an overlay as a merge that replaces the value `there`."""
    at = tuple(str(step.key) for step in steps if isinstance(step.key, str))
    if found and isinstance(value, Mapping) and isinstance(there, Mapping):
        return {DIRECTIVE: "replace", **value}
    if found and isinstance(value, list) and at in how.lists:
        return [{DIRECTIVE: "replace"}, *value]
    return value


def _merge(steps: Sequence[_Step], value: Any) -> Any:
    first, *rest = steps
    inner = _merge(rest, value) if rest else value
    if isinstance(first.key, str):
        return {first.key: inner}
    assert first.test, "items of merged lists are found by their field"
    named = {first.field: first.test[1]}
    return [{**named, **(inner if rest else {DIRECTIVE: "delete"})}]


def _operations(body: Body, steps: Sequence[_Step], value: Any, found: bool) -> list[Entry]:
    """The operations of a JSON patch, with a test of each item that its content identifies."""
    tests: list[Entry] = []
    pointer = ""
    node: Any = body
    for i, step in enumerate(steps):
        if isinstance(node, Mapping) and step.key not in node:  # the value includes the mappings that are missing
            for later in reversed(steps[i + 1 :]):
                value = {later.key: value}
            pointer += f"/{_escaped(str(step.key))}"
            break
        behind = isinstance(node, list) and step.key == len(node)
        pointer += "/-" if behind else f"/{_escaped(str(step.key))}"
        if step.test:
            tests.append({"op": "test", "path": f"{pointer}{step.test[0]}", "value": step.test[1]})
        node = None if behind else node[step.key]
    op = "remove" if value is None else "replace" if found else "add"
    return [*tests, {"op": op, "path": pointer, **({} if value is None else {"value": value})}]


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
