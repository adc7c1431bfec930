"""Where everything stands: columns from left to right, boxes one below the other, a place of its own for each label.

Text is measured as a monospaced font's, so that the picture is the same everywhere and nothing overlaps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from mesh.pictures.model import Arrow, Box, Picture

SIZE: Final = 12
"""Of the text."""
CHARACTER: Final = 7.25
"""Width of a character of that size."""
LINE: Final = 17
PAD: Final = 10
GAP: Final = 18
"""Between two boxes of a column."""
BETWEEN: Final = 70
"""Between two columns without labels."""
TOP: Final = 74
"""Where the columns begin, below their heads."""
TIP: Final = 8
"""Length of an arrow's head, and of its straight end."""
TITLE: Final = 1.25
"""Size of the title's text, times that of all other."""


@dataclass(frozen=True)
class Frame:
    """A rectangle, in pixels."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Line:
    """An arrow's way, and the frame of its label if it has one."""

    arrow: Arrow
    start: tuple[float, float]
    bend: float
    """From here on it is straight. The same for all arrows into a column and left of all labels: so none is crossed."""
    end: tuple[float, float]
    label: Frame | None


@dataclass(frozen=True)
class Layout:
    """A picture with places."""

    width: float
    height: float
    boxes: Sequence[tuple[Box, Frame]]
    """One without lines is a place where an arrow passes."""
    lines: Sequence[Line]
    heads: Sequence[tuple[str, float]]
    """The columns' titles and where they begin."""


def place(picture: Picture) -> Layout:
    """Gives everything its place."""
    picture = _without_leaps(picture)
    columns = _ordered(picture)
    arriving: dict[str, list[Arrow]] = {box.id: [] for box in picture.boxes}
    for arrow in picture.arrows:
        arriving[arrow.target].append(arrow)
    frames: dict[str, Frame] = {}
    heads, x = [], float(PAD * 2)
    for number in sorted(columns):
        boxes = columns[number]
        labels = [text_width(arrow.label) for box in boxes for arrow in arriving[box.id] if arrow.label]
        if frames:
            x += BETWEEN + (max(labels) + PAD if labels else 0)
        width = max(max(_width(box) for box in boxes), text_width(picture.columns[number]))
        heads.append((picture.columns[number], x))
        y = float(TOP)
        for box in boxes:
            height = max(_height(box), LINE * (len(arriving[box.id]) + 1)) if box.lines else LINE
            frames[box.id] = Frame(x, y, width, height)
            y += height + GAP
        x += width
    bottom = max((frame.y + frame.height for frame in frames.values()), default=TOP)
    lines = _lines(columns, arriving, frames)
    placed = [(box, frames[box.id]) for boxes in columns.values() for box in boxes]
    width = max(x, 2 * PAD + TITLE * text_width(picture.title))
    return Layout(width + PAD * 2, bottom + PAD * 2, placed, lines, heads)


def _without_leaps(picture: Picture) -> Picture:
    """The same with a box without lines wherever an arrow passes a column, so that no box stands in its way."""
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
    return len(text) * CHARACTER


def _width(box: Box) -> float:
    lines = [*box.lines, *(f"   {lock}" for lock in box.locks)]
    return max(map(text_width, lines), default=0) + 2 * PAD


def _height(box: Box) -> float:
    return (len(box.lines) + len(box.locks)) * LINE + 2 * PAD


def _ordered(picture: Picture) -> Mapping[int, Sequence[Box]]:
    """The boxes of each column, next to where their arrows come from; otherwise by name."""
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
) -> Sequence[Line]:
    """Arrows end below each other at the left of their target, with the label before the end."""
    lines = []
    for boxes in columns.values():
        widths = [text_width(arrow.label) for box in boxes for arrow in arriving[box.id] if arrow.label]
        straight = max(widths) + 3 * TIP if widths else TIP
        for box in boxes:
            frame, arrows = frames[box.id], sorted(arriving[box.id], key=lambda arrow: frames[arrow.source].y)
            for i, arrow in enumerate(arrows):
                source = frames[arrow.source]
                y = frame.y + frame.height * (i + 1) / (len(arrows) + 1)
                width = text_width(arrow.label)
                label = Frame(frame.x - width - 2 * TIP, y - LINE / 2 + 1, width, LINE - 2) if arrow.label else None
                start = (source.x + source.width, source.y + source.height / 2)
                lines.append(Line(arrow, start, frame.x - straight, (frame.x, y), label))
    return lines
