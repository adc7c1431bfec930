"""Writes a review as Markdown, for a comment on a pull request: risks first, details folded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final

from mesh.analysis.objects import Ref
from mesh.core import words
from mesh.pictures import mermaid
from mesh.review.changes import Change
from mesh.review.fields import Field
from mesh.review.requests import RequestChange
from mesh.review.review import Review
from mesh.review.risks import Risk

MARKER: Final = "<!-- mesh report: {stack} -->"
"""The first line. The workflow finds the comment by it, to update it."""
_WORDS: Final = {"create": "to create", "update": "to update", "replace": "to replace", "delete": "to delete"}
_DONE: Final = {"create": "new", "update": "changed", "replace": "replaced", "delete": "removed"}
_OBJECTS, _LINES, _FIELDS, _CHANGES, _WIDTH = 3, 25, 8, 150, 70
"""Limits: objects per risk, lines per section, fields per object, changed objects, characters per value."""
_LARGEST: Final = 12_000
"""The most characters of the map. A comment on GitHub has at most 65,536."""


def write(review: Review) -> str:
    """The review as Markdown."""
    return "\n".join([*_head(review), *_refused(review), *_drift(review), *_risks(review), *_rest(review), ""])


def _head(review: Review) -> Iterator[str]:
    weights = ", ".join(f"{count} {weight}" for weight, count in review.weights.items())
    counts = ", ".join(f"{count} {_WORDS[op]}" for op, count in review.counts.items())
    restarts = f"; restarts {review.restarts}" if review.restarts else ""
    yield MARKER.format(stack=review.stack)
    verdict = f"{review.verdict}; " if review.verdict else ""
    yield f"## {review.title}: {verdict}{f'risks: {weights}' if weights else 'no risks found'}"
    yield f"{counts or 'No changes'}, {review.subject.unchanged} unchanged{restarts}. {review.source.text}"
    yield from ("", *(f"- {_text(step)}" for step in review.steps)) if review.steps else ()


def _refused(review: Review) -> Iterator[str]:
    if review.refused:
        title = "Errors" if review.of_files else "Errors: `up` does not start"
        yield from ("", f"### {title}", *(f"- {_text(one)}" for one in review.refused[:_LINES]))


def _drift(review: Review) -> Iterator[str]:
    if review.drift:
        yield from ("", "### Drift", "The cluster differs from the recorded state:")
        yield from (line for change in review.drift for line in _change(change))


def _risks(review: Review) -> Iterator[str]:
    if not review.risks:
        return
    yield from ("", "### Risks", "| weight | what | object | why |", "| --- | --- | --- | --- |")
    for (weight, name, why), some in groupby(
        _merged(review.risks), key=lambda risk: (risk.weight, risk.name, risk.reason)
    ):
        refs = [risk.object for risk in some]
        yield f"| {weight} | **{name}** | {_refs(refs)} | {_cell(f'each {why}' if len(refs) > 1 else why)} |"


def _merged(risks: Sequence[Risk]) -> Sequence[Risk]:
    """The risks in their order, except that risks with the same name and reason are next to each other."""
    first: dict[tuple[str, str], int] = {}
    for i, risk in enumerate(risks):
        first.setdefault((risk.name, risk.reason), i)
    return sorted(risks, key=lambda risk: first[risk.name, risk.reason])


def _refs(refs: Sequence[Ref]) -> str:
    return words.some([f"`{ref}`" for ref in refs], _OBJECTS)


def _rest(review: Review) -> Iterator[str]:
    if review.request_changes or review.not_evaluated:
        yield from ("", "### What happens to requests", *map(_request_change, review.request_changes[:_LINES]))
        if len(review.request_changes) > _LINES:
            yield f"- … and {len(review.request_changes) - _LINES} more, in the JSON"
        if review.not_evaluated:
            yield f"- not evaluated: {_text(words.some(review.not_evaluated, _OBJECTS, '; '))}"
    if review.findings:
        yield from ("", "### New findings of the analysis", *(f"- {_text(one)}" for one in review.findings[:_LINES]))
    if review.map_changes:
        yield from _map(review)
    if review.subject.changes:
        yield from ("", *_folded("Changes", _changes(review)))


def _request_change(change: RequestChange) -> str:
    return f"- {_text(str(change))}"


def _map(review: Review) -> Iterator[str]:
    text = mermaid.write(review.picture).rstrip()
    if len(text) > _LARGEST:
        yield from ("", f"The map changes in {review.map_changes} places; it is too large for here: see the SVG.")
        return
    yield from ("", *_folded("Map: green is added, red is removed", ["```mermaid", text, "```"]))


def _folded(title: str, lines: Sequence[str]) -> Iterator[str]:
    yield from (f"<details><summary>{title}</summary>", "", *lines, "", "</details>")


def _changes(review: Review) -> list[str]:
    lines: list[str] = []
    changes = sorted(review.subject.changes, key=lambda change: change.item.component)
    for component, some in groupby(changes[:_CHANGES], key=lambda change: change.item.component):
        lines += ["", f"**{component}**", *(line for change in some for line in _change(change))]
    if len(changes) > _CHANGES:
        lines += ["", f"… and {len(changes) - _CHANGES} more objects, in the JSON"]
    return lines[1:]


def _change(change: Change) -> Iterator[str]:
    patch = " (some fields)" if change.item.patch else ""
    yield f"- {_DONE[change.op]} `{change.ref}`{patch}"
    yield from (f"  - {_field(field)}" for field in change.fields[:_FIELDS])
    if len(change.fields) > _FIELDS:
        yield f"  - … and {len(change.fields) - _FIELDS} more fields"


def _field(field: Field) -> str:
    return f"{_changed(field)}{f' (by {field.by})' if field.by else ''}"


def _changed(field: Field) -> str:
    if field.note:
        return f"`{field.path}`: {field.note}"
    if field.old is None or field.new is None:
        how, value = ("new", field.new) if field.old is None else ("removed", field.old)
        return f"`{field.path}`: {how}, {_value(value)}"
    return f"`{field.path}`: {_value(field.old)} → {_value(field.new)}"


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    text = " ".join(text.split()).replace("`", "'")
    return f"`{text if len(text) <= _WIDTH else text[:_WIDTH] + '…'}`" if text else '`""`'


def _text(text: str) -> str:
    """The text with Markdown's special characters escaped."""
    for sign in ("\\", "*", "_", "`", "<", "[", "]"):
        text = text.replace(sign, f"\\{sign}" if sign != "<" else "&lt;")
    return text


def _cell(text: str) -> str:
    return _text(text).replace("|", "\\|")
