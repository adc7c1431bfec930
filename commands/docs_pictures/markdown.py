"""Reads the Markdown of reports: the blocks and looks of text that `mesh.review.markdown` writes, and no others."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Look = Literal["plain", "bold", "code"]
_INLINE: Final = re.compile(r"`([^`]+)`|\*\*(.+?)\*\*")
_ESCAPED: Final = re.compile(r"\\([\\*_`\[\]|])")
_HEADING: Final = re.compile(r"(#+) (.*)")
_BULLET: Final = re.compile(r"( *)- (.*)")
_SUMMARY: Final = re.compile(r"<details><summary>(.*)</summary>")
_CELL: Final = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True)
class Piece:
    """Text in one look."""

    text: str
    look: Look = "plain"


Line = tuple[Piece, ...]


@dataclass(frozen=True, kw_only=True)
class Heading:
    level: int
    line: Line


@dataclass(frozen=True, kw_only=True)
class Paragraph:
    line: Line


@dataclass(frozen=True, kw_only=True)
class Bullet:
    level: int
    """0 for a bullet that is in no other one."""
    line: Line


@dataclass(frozen=True, kw_only=True)
class Table:
    rows: Sequence[Sequence[Line]]
    """The first row is the head."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The line of a folded part, whose blocks follow until the next Fold."""

    line: Line


@dataclass(frozen=True, kw_only=True)
class Fence:
    """A block of code; `language` is what stands behind the fence."""

    language: str


Block = Heading | Paragraph | Bullet | Table | Summary | Fence


def blocks(text: str) -> Sequence[Block]:
    """The blocks of a text. The content of fences is left out."""
    return list(_blocks(text.splitlines()))


def _blocks(lines: Sequence[str]) -> Iterator[Block]:
    rest = iter(lines)
    table: list[Sequence[Line]] = []
    for line in rest:
        if line.startswith("|"):
            if not set(line) <= set("|- "):
                table.append([pieces(cell.strip()) for cell in _CELL.split(line)[1:-1]])
            continue
        if table:
            yield Table(rows=table)
            table = []
        if line.startswith("```"):
            yield Fence(language=line.removeprefix("```"))
            while next(rest, "```") != "```":
                pass
        elif found := _HEADING.fullmatch(line):
            yield Heading(level=len(found[1]), line=pieces(found[2]))
        elif found := _BULLET.fullmatch(line):
            yield Bullet(level=len(found[1]) // 2, line=pieces(found[2]))
        elif found := _SUMMARY.fullmatch(line):
            yield Summary(line=pieces(found[1]))
        elif line.strip() and not line.startswith(("<!--", "</details>")):
            yield Paragraph(line=pieces(line))
    if table:
        yield Table(rows=table)


def pieces(text: str) -> Line:
    """A line in pieces of one look each."""
    found, at = list[Piece](), 0
    for match in _INLINE.finditer(text):
        found.append(Piece(_plain(text[at : match.start()])))
        found.append(Piece(match[1], "code") if match[1] else Piece(_plain(match[2]), "bold"))
        at = match.end()
    return tuple(piece for piece in (*found, Piece(_plain(text[at:]))) if piece.text)


def _plain(text: str) -> str:
    return html.unescape(_ESCAPED.sub(r"\1", text))
