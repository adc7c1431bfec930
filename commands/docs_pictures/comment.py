"""Draws a comment as GitHub shows it: one SVG file without scripts, external fonts or images.

Text has the widths that a usual font without serifs has, and is fitted into them, whatever font is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from commands.docs_pictures.markdown import (
    Block,
    Bullet,
    Fence,
    Heading,
    Line,
    Look,
    Paragraph,
    Piece,
    Summary,
    Table,
)
from commands.docs_pictures.terminal_svg import MONOSPACED, Caption

WIDTH: Final = 900
_PADDING: Final = 16
_HEAD: Final = 38
"""Height of the comment's head."""
_SIZE: Final = 14
_SANS: Final = "-apple-system, Segoe UI, Noto Sans, Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif"
_INK, _PALE, _LINE, _GROUND, _CODE = "#1f2328", "#59636e", "#d1d9e0", "#f6f8fa", "#eff1f3"
_SMALLER: Final = 0.86
"""Size of code, as a share of the text's size."""
_AROUND: Final = 5
"""Width of the ground on each side of code."""
_NARROW: Final = "ijl.,:;'|! ft()[]/r-"
_WIDE: Final = "mwMW%@—→GOQ"
_MAP: Final = re.compile(r'<svg [^>]*?width="(\d+)" height="(\d+)"')


@dataclass
class _Page:
    """The elements so far, and the height that they take."""

    y: float
    parts: list[str] = field(default_factory=list)


def draw(caption: Caption, blocks: Sequence[Block], map_: str) -> str:
    """The text of an SVG file. `map_` is the SVG that takes the place of a fence with Mermaid; folds are open."""
    page = _Page(float(_HEAD + 2 * _PADDING))
    for block in blocks:
        _add(page, block, map_)
    height = round(page.y) + _PADDING // 2
    return "\n".join([*_frame(caption, height), *page.parts, "</svg>", ""])


def _frame(caption: Caption, height: int) -> Iterator[str]:
    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family={quoteattr(_SANS)} fill="{_INK}">'
    yield f"<title>{escape(caption.title)}</title>"
    yield f"<desc>{escape(caption.description)}</desc>"
    yield f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="6" fill="#ffffff" stroke="{_LINE}"/>'
    yield f'<path d="M1 {_HEAD} V7 a6 6 0 0 1 6 -6 H{WIDTH - 7} a6 6 0 0 1 6 6 V{_HEAD} z" fill="{_GROUND}"/>'
    yield f'<path d="M1 {_HEAD}.5 H{WIDTH - 1}" stroke="{_LINE}"/>'
    author = Piece("github-actions", "bold")
    yield _text(_PADDING, 24, author, _SIZE)
    yield _text(_PADDING + width(author.text, author.look, _SIZE) + 8, 24, Piece("bot commented"), _SIZE, _PALE)


def _add(page: _Page, block: Block, map_: str) -> None:
    match block:
        case Heading(level=level, line=line):
            size = 20 if level == 2 else 16
            page.y += 0 if level == 2 else 14
            _write(page, [Piece(p.text, "code" if p.look == "code" else "bold") for p in line], size, _PADDING)
            if level == 2:
                page.parts.append(f'<path d="M{_PADDING} {page.y + 2:g} H{WIDTH - _PADDING}" stroke="{_LINE}"/>')
            page.y += 10
        case Paragraph(line=line):
            page.y += 8 if line[0].look == "bold" else 0
            _write(page, line, _SIZE, _PADDING)
            page.y += 4
        case Bullet(level=level, line=line):
            x = _PADDING + 22 + 24 * level
            look = f'fill="{"none" if level else _INK}" stroke="{_INK}"'
            page.parts.append(f'<circle cx="{x - 12}" cy="{page.y + 8.5:g}" r="2.3" {look}/>')
            _write(page, line, _SIZE, x)
        case Table(rows=rows):
            _table(page, rows)
        case Summary(line=line):
            page.y += 12
            page.parts.append(f'<path d="M{_PADDING} {page.y + 5:g} h9 l-4.5 7 z"/>')
            _write(page, line, _SIZE, _PADDING + 16)
            page.y += 6
        case Fence(language="mermaid"):
            _map(page, map_)
        case Fence():
            raise ValueError(f"a fence of {block.language}, which no report has")


def _map(page: _Page, map_: str) -> None:
    """The map, as wide as the comment."""
    found = _MAP.match(map_)
    if found is None:
        raise ValueError("the map begins without its size")
    inner = WIDTH - 2 * _PADDING
    height = inner * int(found[2]) / int(found[1])
    place = f'<svg x="{_PADDING}" y="{page.y:g}" width="{inner}" height="{height:.1f}"'
    page.parts.append(place + map_[found.end() :].rstrip())
    page.y += height + 6


def _table(page: _Page, rows: Sequence[Sequence[Line]]) -> None:
    """A table whose columns are as wide as their text. The last column takes what is left, and breaks its lines."""
    spaces = [26 + max(_width(row[column], _SIZE) for row in rows) for column in range(len(rows[0]))]
    spaces[-1] = min(spaces[-1], WIDTH - 2 * _PADDING - sum(spaces[:-1]))
    for number, row in enumerate(rows):
        line = [[Piece(p.text, "bold") for p in cell] for cell in row] if number == 0 else row
        top = page.y
        x, bottom = float(_PADDING), top
        for cell, space in zip(line, spaces, strict=True):
            page.y = top + 7
            _write(page, cell, _SIZE, x + 13, x + space - 13)
            bottom = max(bottom, page.y + 5)
            x += space
        x = float(_PADDING)
        for space in spaces:
            size = f'x="{x:.1f}" y="{top:.1f}" width="{space:.1f}" height="{bottom - top:.1f}"'
            page.parts.append(f'<rect {size} fill="none" stroke="{_LINE}"/>')
            x += space
        page.y = bottom
    page.y += 8


def _write(page: _Page, line: Sequence[Piece], size: int, left: float, right: float = WIDTH - _PADDING) -> None:
    """Writes a line at a left edge, broken before words that would pass the right one."""
    x, step = left, size * 1.55
    baseline = page.y + size
    run, run_x = "", x
    for piece in line:
        x += _AROUND if piece.look == "code" else 0
        for word in re.findall(r"\s*\S+|\s+$", piece.text):
            wide = width(word, piece.look, size)
            if x + wide > right and x > left:
                page.parts += [_text(run_x, baseline, Piece(run, piece.look), size)] if run.strip() else []
                baseline += step
                x, run, word = left, "", word.lstrip()
                wide = width(word, piece.look, size)
            run_x = run_x if run else x
            run += word
            x += wide
        page.parts += [_text(run_x, baseline, Piece(run, piece.look), size)] if run.strip() else []
        run = ""
        x += _AROUND if piece.look == "code" else 0
    page.y = baseline - size + step


def _text(x: float, y: float, piece: Piece, size: int, color: str = _INK) -> str:
    lead = len(piece.text) - len(piece.text.lstrip())
    x += width(piece.text[:lead], piece.look, size)
    shown = piece.text.strip()
    long = width(shown, piece.look, size)
    fit = f'textLength="{long:.1f}" lengthAdjust="spacingAndGlyphs"'
    if piece.look == "code":
        area = f'x="{x - _AROUND:.1f}" y="{y - size + 1:.1f}" width="{long + 2 * _AROUND:.1f}" height="{size + 4}"'
        font = f'font-family={quoteattr(MONOSPACED)} font-size="{size * _SMALLER:.1f}"'
        ground = f'<rect {area} rx="4" fill="{_CODE}"/>'
        return f'{ground}<text x="{x:.1f}" y="{y:.1f}" {font} {fit}>{escape(shown)}</text>'
    weight = ' font-weight="600"' if piece.look == "bold" else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{color}"{weight} {fit}>{escape(shown)}</text>'


def _width(line: Sequence[Piece], size: int) -> float:
    code = sum(piece.look == "code" for piece in line)
    return sum(width(piece.text, piece.look, size) for piece in line) + 2 * _AROUND * code


def width(text: str, look: Look, size: float) -> float:
    """The width of a text, in pixels; of code without the ground around it."""
    if look == "code":
        return len(text) * size * _SMALLER * 0.602
    ems = sum(0.29 if sign in _NARROW else 0.83 if sign in _WIDE else 0.67 if sign.isupper() else 0.55 for sign in text)
    return ems * size * (1.06 if look == "bold" else 1.0)
