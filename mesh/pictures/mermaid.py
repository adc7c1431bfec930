"""Writes a picture as a Mermaid flowchart, which GitHub draws in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from mesh.pictures.model import COLOURS, Box, Picture, State

_MARKED: Final[Sequence[State]] = ("added", "removed")


def write(picture: Picture) -> str:
    """The flowchart, without the code fence of Markdown."""
    return "\n".join([*_lines(picture), ""])


def _lines(picture: Picture) -> Iterator[str]:
    yield "flowchart LR"
    names = {box.id: f"n{i}" for i, box in enumerate(picture.boxes)}
    for number, title in enumerate(picture.columns):
        boxes = [box for box in picture.boxes if box.column == number]
        if boxes:
            yield f'  subgraph c{number}["{_text(title)}"]'
            for box in boxes:
                style = box.state or ("changed" if box.line_states else "")
                yield f'    {names[box.id]}["{_box(box)}"]{f":::{style}" if style else ""}'
            yield "  end"
    for arrow in picture.arrows:
        label = f'|"{_text(arrow.label)}"|' if arrow.label else ""
        line = "-.->" if arrow.state == "removed" else "==>" if arrow.state == "added" else "-->"
        yield f"  {names[arrow.source]} {line}{label} {names[arrow.target]}"
    for state in _MARKED:
        numbers = [str(i) for i, arrow in enumerate(picture.arrows) if arrow.state == state]
        if numbers:
            yield f"  linkStyle {','.join(numbers)} stroke:{COLOURS[state][0]}"
    for state in _MARKED:
        line, fill = COLOURS[state]
        yield f"  classDef {state} fill:{fill},stroke:{line}"
    yield "  classDef changed stroke:#9a6700,stroke-width:2px"


def _box(box: Box) -> str:
    return "<br/>".join([*map(_text, box.lines), *(f"&#128274; {_text(lock)}" for lock in box.locks)])


def _text(text: str) -> str:
    """The text with Mermaid's special characters escaped."""
    signs = {"&": "&amp;", '"': "&quot;", "<": "&lt;", ">": "&gt;", "#": "&#35;", "|": "&#124;", "`": "&#96;"}
    return "".join(signs.get(sign, sign) for sign in text)
