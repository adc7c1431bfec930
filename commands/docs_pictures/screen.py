"""Turns a recording into frames: what the screen of a terminal showed, and for how long.

The terminal is emulated by pyte, which knows the control sequences that move the cursor, erase and color.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

import pyte
from pyte.graphics import FG_BG_256
from pyte.screens import Char

from commands.docs_pictures.recorder import Output

LONGEST_WAIT: Final = 1.5
"""Seconds after which a screen that does not change is followed by the next one."""
LAST: Final = 6.0
"""Seconds that the last screen stays."""
_NAMES: Final = ("black", "red", "green", "brown", "blue", "magenta", "cyan", "white")
_BRIGHT: Final = tuple(f"bright{name}" for name in _NAMES)
_BY_NUMBER: Final = dict(zip(FG_BG_256[:16], (*_NAMES, *_BRIGHT), strict=True))
"""The names of the first sixteen of 256 colors, by the values that pyte has for them."""


@dataclass(frozen=True)
class Style:
    """How text looks. Colors are pyte's names, `default`, or six hexadecimal digits."""

    color: str = "default"
    background: str = "default"
    bold: bool = False
    underlined: bool = False


@dataclass(frozen=True)
class Span:
    """A part of a row, in one style."""

    column: int
    text: str
    style: Style


Row = tuple[Span, ...]


@dataclass(frozen=True)
class Frame:
    """What a screen shows for a time."""

    seconds: float
    rows: tuple[Row, ...]
    cursor: tuple[int, int] | None
    """Column and row; None if the cursor is hidden."""


class _Screen(pyte.Screen):
    """A screen that keeps one cursor, as terminals do, and that restores it as often as it is asked to."""

    def save_cursor(self) -> None:
        self.savepoints.clear()
        super().save_cursor()

    def restore_cursor(self) -> None:
        kept = bool(self.savepoints)
        super().restore_cursor()
        if kept:
            self.save_cursor()


def frames(recorded: Sequence[Output], columns: int, rows: int, interval: float = 0.1) -> Sequence[Frame]:
    """The different screens of a recording in their order; none is shorter than `interval` seconds, but for outputs
    at the same time. Waits are shortened to LONGEST_WAIT, and the last screen stays for LAST."""
    shown: list[Frame] = []
    began = 0.0
    for at, frame in _screens(recorded, columns, rows, interval):
        if shown and _same(shown[-1], frame):
            continue
        if shown:
            shown[-1] = replace(shown[-1], seconds=min(at - began, LONGEST_WAIT))
        shown.append(frame)
        began = at
    return [*shown[:-1], replace(shown[-1], seconds=LAST)]


def _same(one: Frame, other: Frame) -> bool:
    return (one.rows, one.cursor) == (other.rows, other.cursor)


def _screens(recorded: Sequence[Output], columns: int, rows: int, interval: float) -> Iterator[tuple[float, Frame]]:
    """The screen after each output that is followed by a pause, or at each interval, with its time."""
    screen = _Screen(columns, rows)
    stream = pyte.ByteStream(screen)
    last = -interval
    for number, output in enumerate(recorded):
        stream.feed(output.data)
        following = recorded[number + 1].at if number + 1 < len(recorded) else None
        settled = following is None or following - output.at >= interval
        if settled or output.at - last >= interval:
            last = output.at
            yield output.at, _frame(screen)


def _frame(screen: pyte.Screen) -> Frame:
    cells = [[screen.buffer[y][x] for x in range(screen.columns)] for y in range(screen.lines)]
    cursor = None if screen.cursor.hidden else (min(screen.cursor.x, screen.columns - 1), screen.cursor.y)
    return Frame(0.0, tuple(tuple(_spans(row)) for row in cells), cursor)


def _spans(row: Sequence[Char]) -> Iterator[Span]:
    """The spans of a row, without spaces that nothing is seen of. Two spaces end a span, so that what follows is placed
    at its column, whatever the width of the font's characters."""
    for style, some in groupby(enumerate(row), key=lambda cell: _style(cell[1])):
        cells = list(some)
        start, text = cells[0][0], "".join(char.data or " " for _, char in cells)
        if style.background != "default":
            yield Span(start, text, style)
            continue
        place = 0
        for part in text.split("  "):
            if word := part.strip():
                yield Span(start + place + len(part) - len(part.lstrip()), word, style)
            place += len(part) + 2


def _style(char: Char) -> Style:
    color, background = _color(char.fg), _color(char.bg)
    if char.reverse:
        color, background = (
            ("black" if background == "default" else background),
            ("white" if color == "default" else color),
        )
    seen = char.data.strip() or background != "default"
    return Style(color, background, char.bold, char.underscore) if seen else Style()


def _color(name: str) -> str:
    return _BY_NUMBER.get(name, name)
