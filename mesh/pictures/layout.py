"""Lays out a picture: columns from left to right, boxes from top to bottom, and room for each arrow's label.

All lengths are in pixels. Text is measured as in a monospaced font, so that nothing overlaps with any font.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from mesh.pictures.model import Arrow, Box, Picture

FONT_SIZE: Final = 12
"""Font size."""
CHARACTER_WIDTH: Final = 7.25
"""Width of a character."""
LINE_HEIGHT: Final = 17
"""Height of a line of text."""
PADDING: Final = 10
"""Space between the border of a box and its text, and twice as much around the picture."""
BOX_GAP: Final = 18
"""Space between two boxes of a column."""
COLUMN_GAP: Final = 70
"""Space between two columns, in addition to the space for labels."""
TOP: Final = 74
"""Top of the first boxes, below the titles of the columns."""
ARROWHEAD: Final = 8
"""Length of an arrowhead, and of the straight end of an arrow."""
TITLE_SCALE: Final = 1.25
"""Font size of the title, as a multiple of `FONT_SIZE`."""


@dataclass(frozen=True)
class Frame:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class ArrowPath:
    """The path of an arrow, and the frame of its label if it has one."""

    arrow: Arrow
    start: tuple[float, float]
    bend: float
    """The start of its straight end: left of all labels in the column, so that no arrow crosses a label."""
    end: tuple[float, float]
    label: Frame | None


@dataclass(frozen=True)
class Layout:
    """A picture with the positions of its parts."""

    width: float
    height: float
    boxes: Sequence[tuple[Box, Frame]]
    """The boxes with their frames. A box without lines marks where an arrow passes through a column."""
    lines: Sequence[ArrowPath]
    heads: Sequence[tuple[str, float]]
    """The titles of the columns, with their left edges."""


def arrange(picture: Picture) -> Layout:
    """Positions all boxes, arrows, labels and titles."""
    picture = _split_at_columns(picture)
    columns = _ordered(picture)
    arriving: dict[str, list[Arrow]] = {box.id: [] for box in picture.boxes}
    for arrow in picture.arrows:
        arriving[arrow.target].append(arrow)
    frames: dict[str, Frame] = {}
    heads, x = [], float(PADDING * 2)
    for number in sorted(columns):
        boxes = columns[number]
        labels = [text_width(arrow.label) for box in boxes for arrow in arriving[box.id] if arrow.label]
        if frames:
            x += COLUMN_GAP + (max(labels) + PADDING if labels else 0)
        width = max(max(_width(box) for box in boxes), text_width(picture.columns[number]))
        heads.append((picture.columns[number], x))
        y = float(TOP)
        for box in boxes:
            height = max(_height(box), LINE_HEIGHT * (len(arriving[box.id]) + 1)) if box.lines else LINE_HEIGHT
            frames[box.id] = Frame(x, y, width, height)
            y += height + BOX_GAP
        x += width
    bottom = max((frame.y + frame.height for frame in frames.values()), default=TOP)
    lines = _lines(columns, arriving, frames)
    placed = [(box, frames[box.id]) for boxes in columns.values() for box in boxes]
    width = max(x, 2 * PADDING + TITLE_SCALE * text_width(picture.title))
    return Layout(width + PADDING * 2, bottom + PADDING * 2, placed, lines, heads)


def _split_at_columns(picture: Picture) -> Picture:
    """Splits arrows that pass columns, with a box without lines in each column, so that no arrow crosses a box."""
    at = {box.id: box.column for box in picture.boxes}
    used = sorted(set(at.values()))
    boxes, arrows = list(picture.boxes), []
    for arrow in picture.arrows:
        way = [arrow.source]
        for column in used:
            if at[arrow.source] < column < at[arrow.target]:
                passing = f"{arrow.source} > {arrow.target} {arrow.label} {arrow.state} {column}"
                boxes.append(Box(id=passing, column=column, lines=(), state=arrow.state))
                way.append(passing)
        for start, end in pairwise([*way, arrow.target]):
            label = arrow.label if end == arrow.target else ""
            arrows.append(Arrow(source=start, target=end, label=label, state=arrow.state))
    return replace(picture, boxes=boxes, arrows=arrows)


def text_width(text: str) -> float:
    """The width of a text at the normal font size."""
    return len(text) * CHARACTER_WIDTH


def _width(box: Box) -> float:
    lines = [*box.lines, *(f"   {lock}" for lock in box.locks)]
    return max(map(text_width, lines), default=0) + 2 * PADDING


def _height(box: Box) -> float:
    return (len(box.lines) + len(box.locks)) * LINE_HEIGHT + 2 * PADDING


def _ordered(picture: Picture) -> Mapping[int, Sequence[Box]]:
    """The boxes of each column, sorted by the average position of their arrows' sources, then by name."""
    columns: dict[int, list[Box]] = {}
    for box in picture.boxes:
        columns.setdefault(box.column, []).append(box)
    ranks: dict[str, float] = {}
    sources: dict[str, list[str]] = {}
    for arrow in picture.arrows:
        sources.setdefault(arrow.target, []).append(arrow.source)
    for number in sorted(columns):
        before = {
            box.id: [ranks[source] for source in sources.get(box.id, ()) if source in ranks] for box in columns[number]
        }
        columns[number].sort(key=lambda box: (_mean(before[box.id]), box.id))
        for rank, box in enumerate(columns[number]):
            ranks[box.id] = rank / len(columns[number])
    return columns


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers) if numbers else 2.0


def _lines(
    columns: Mapping[int, Sequence[Box]], arriving: Mapping[str, Sequence[Arrow]], frames: Mapping[str, Frame]
) -> Sequence[ArrowPath]:
    """The paths of all arrows. They end at the left side of their targets, one below the other, after their labels."""
    lines = []
    for boxes in columns.values():
        widths = [text_width(arrow.label) for box in boxes for arrow in arriving[box.id] if arrow.label]
        straight = max(widths) + 3 * ARROWHEAD if widths else ARROWHEAD
        for box in boxes:
            frame, arrows = frames[box.id], sorted(arriving[box.id], key=lambda arrow: frames[arrow.source].y)
            for i, arrow in enumerate(arrows):
                source = frames[arrow.source]
                y = frame.y + frame.height * (i + 1) / (len(arrows) + 1)
                width = text_width(arrow.label)
                label = (
                    Frame(frame.x - width - 2 * ARROWHEAD, y - LINE_HEIGHT / 2 + 1, width, LINE_HEIGHT - 2)
                    if arrow.label
                    else None
                )
                start = (source.x + source.width, source.y + source.height / 2)
                lines.append(ArrowPath(arrow, start, frame.x - straight, (frame.x, y), label))
    return lines
