"""Draws a picture as SVG: one file without scripts, external fonts or images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from mesh.pictures.layout import (
    ARROWHEAD,
    FONT_SIZE,
    LINE_HEIGHT,
    PADDING,
    TITLE_SCALE,
    ArrowPath,
    Frame,
    Layout,
    arrange,
)
from mesh.pictures.model import COLOURS, Box, Picture, State

_FONT: Final = "DejaVu Sans Mono, Menlo, Consolas, monospace"


def draw(picture: Picture, description: str = "") -> str:
    """The text of an SVG file. `description` is for readers who do not see the picture; without it, they are told the
    boxes of each column."""
    layout = arrange(picture)
    return "\n".join([*_head(picture, layout, description or _boxes(picture)), *_body(layout), "</svg>", ""])


def _boxes(picture: Picture) -> str:
    """The columns of a picture with the names of their boxes."""
    named = [[" ".join(box.lines[:1]) for box in picture.boxes if box.column == n] for n in range(len(picture.columns))]
    parts = [f"{title}: {', '.join(names)}" for title, names in zip(picture.columns, named, strict=True) if names]
    return "; ".join(parts)


def _head(picture: Picture, layout: Layout, description: str) -> Iterator[str]:
    width, height = round(layout.width), round(layout.height)
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    font = f'font-family={quoteattr(_FONT)} font-size="{FONT_SIZE}"'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" {font}>'
    yield f"<title>{escape(picture.title)}</title>"
    yield f"<desc>{escape(description)}</desc>"
    yield f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    look = f'font-size="{FONT_SIZE * TITLE_SCALE:g}" font-weight="bold" fill="#1f2933"'
    yield f'<text x="{2 * PADDING}" y="26" {look}>{escape(picture.title)}</text>'
    for title, x in layout.heads:
        yield f'<text x="{x:.0f}" y="56" fill="#7b8794">{escape(title)}</text>'


def _body(layout: Layout) -> Iterator[str]:
    passing = {box.id for box, _ in layout.boxes if not box.lines}
    for line in layout.lines:
        yield _arrow(line, head=line.arrow.target not in passing)
    for box, frame in layout.boxes:
        yield from _box(box, frame) if box.lines else [_pass(box, frame)]
    for line in layout.lines:
        if line.label:
            yield from _label(line, line.label)


def _arrow(line: ArrowPath, head: bool) -> str:
    colour = COLOURS[line.arrow.state][0]
    (x, y), (to_x, to_y) = line.start, line.end
    end = to_x - ARROWHEAD if head else to_x
    middle = (x + line.bend) / 2
    curve = f"C{middle:.2f} {y:.2f} {middle:.2f} {to_y:.2f} {line.bend:.2f} {to_y:.2f}"
    way = f"M{x:.2f} {y:.2f} {curve} H{end:.2f}"
    tip = f'<path d="M{to_x:.2f} {to_y:.2f} l-{ARROWHEAD} -4 v8 z" fill="{colour}"/>' if head else ""
    return f'<path d="{way}" fill="none" stroke="{colour}" {_stroke(line.arrow.state)}/>{tip}'


def _pass(box: Box, frame: Frame) -> str:
    """The part of an arrow that passes through a column."""
    way = f"M{frame.x:.1f} {frame.y + frame.height / 2:.1f} h{frame.width:.1f}"
    return f'<path d="{way}" stroke="{COLOURS[box.state][0]}" {_stroke(box.state)}/>'


def _stroke(state: State) -> str:
    return 'stroke-width="1.3"' + (' stroke-dasharray="5 4"' if state == "removed" else "")


def _label(line: ArrowPath, frame: Frame) -> Iterator[str]:
    colour = COLOURS[line.arrow.state][0]
    size = f'x="{frame.x:.1f}" y="{frame.y:.1f}" width="{frame.width:.1f}" height="{frame.height:.1f}"'
    yield f'<rect {size} fill="#ffffff"/>'
    y = frame.y + frame.height - 4
    yield f'<text x="{frame.x:.1f}" y="{y:.1f}" fill="{colour}">{escape(line.arrow.label)}</text>'


def _box(box: Box, frame: Frame) -> Iterator[str]:
    colour, fill = COLOURS[box.state]
    size = f'x="{frame.x:.1f}" y="{frame.y:.1f}" width="{frame.width:.1f}" height="{frame.height:.1f}"'
    yield f'<rect {size} rx="6" fill="{fill}" stroke="{colour}"/>'
    used = (len(box.lines) + len(box.locks)) * LINE_HEIGHT
    y = frame.y + (frame.height - used) / 2 + 12.5
    for i, text in enumerate(box.lines):
        weight = ' font-weight="bold"' if i == 0 else ""
        ink = _ink(box, text, "#1f2933")
        yield f'<text x="{frame.x + PADDING:.1f}" y="{y:.1f}" fill="{ink}"{weight}>{escape(text)}</text>'
        y += LINE_HEIGHT
    for text in box.locks:
        yield _lock(frame.x + PADDING, y)
        ink = _ink(box, text, "#8a5a00")
        yield f'<text x="{frame.x + PADDING + 18:.1f}" y="{y:.1f}" fill="{ink}">{escape(text)}</text>'
        y += LINE_HEIGHT


def _ink(box: Box, text: str, usual: str) -> str:
    """The color of a line of text: that of its state, or the usual one."""
    state = box.line_states.get(text, "")
    return COLOURS[state][0] if state else usual


def _lock(x: float, y: float) -> str:
    """A padlock at the start of a line of text."""
    way = f"M{x + 2:.1f} {y - 5:.1f} v-2.5 a3 3 0 0 1 6 0 v2.5"
    bow = f'<path d="{way}" fill="none" stroke="#8a5a00" stroke-width="1.4"/>'
    return f'{bow}<rect x="{x:.1f}" y="{y - 5.5:.1f}" width="10" height="6.5" rx="1" fill="#8a5a00"/>'
