"""What a picture shows: boxes in columns, and arrows between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

State = Literal["", "added", "removed"]
"""What a change does to a part of the picture; empty if nothing."""
COLOURS: Final[Mapping[State, tuple[str, str]]] = {
    "": ("#5b6b7f", "#f5f7fa"),
    "added": ("#1a7f37", "#e6f6ea"),
    "removed": ("#cf222e", "#fdebec"),
}
"""Of lines, and of what boxes are filled with."""


@dataclass(frozen=True, kw_only=True)
class Box:
    """Something in the picture."""

    id: str
    """The same for the same thing in another picture."""
    column: int
    lines: tuple[str, ...]
    """Its name, and what else is to be known of it."""
    locks: tuple[str, ...] = ()
    """Policies that guard it, in words."""
    state: State = ""
    marks: Mapping[str, State] = field(default_factory=dict)
    """What a change does to the lines and locks of a box that stays, by their text."""


@dataclass(frozen=True, kw_only=True)
class Arrow:
    """The way of requests from one box to another."""

    source: str
    target: str
    label: str = ""
    state: State = ""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Boxes and arrows."""

    title: str
    columns: Sequence[str]
    """What the columns show."""
    boxes: Sequence[Box]
    arrows: Sequence[Arrow]


def change(old: Picture, new: Picture) -> Picture:
    """The new picture with what is added to the old one marked, and what is removed still in it; so are the lines of
    boxes that stay."""
    before, after = _by_key(old), _by_key(new)
    boxes: list[Box] = []
    for key in dict.fromkeys([*before, *after]):
        was, now = before.get(key), after.get(key)
        if was and now:
            boxes.append(now if was == now else _changed(was, now))
        elif now:
            boxes.append(replace(now, state="added"))
        elif was:
            boxes.append(replace(was, state="removed"))
    arrows = [arrow if arrow in old.arrows else replace(arrow, state="added") for arrow in new.arrows]
    arrows += [replace(arrow, state="removed") for arrow in old.arrows if arrow not in new.arrows]
    return replace(new, boxes=boxes, arrows=arrows)


def _changed(was: Box, now: Box) -> Box:
    """A box that says something else than before, with the lines of both."""
    lines, locks = (_both(*sides) for sides in ((was.lines, now.lines), (was.locks, now.locks)))
    marks = {text: state for text, state in (*lines, *locks) if state}
    return replace(now, lines=tuple(text for text, _ in lines), locks=tuple(text for text, _ in locks), marks=marks)


def _both(was: tuple[str, ...], now: tuple[str, ...]) -> Sequence[tuple[str, State]]:
    """Lines with their states; those that come or go say so by a sign, too."""
    kept: list[tuple[str, State]] = [(text, "") if text in was else (f"+ {text}", "added") for text in now]
    return [*kept, *((f"− {text}", "removed") for text in was if text not in now)]  # noqa: RUF001 (a minus)


def _by_key(picture: Picture) -> Mapping[str, Box]:
    return {box.id: box for box in picture.boxes}
