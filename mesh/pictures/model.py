"""The model of a picture: boxes in columns, and arrows between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

State = Literal["", "added", "removed", "failing"]
"""Whether a change adds or removes a part of the picture, or requests fail there; empty if nothing of that."""
COLOURS: Final[Mapping[State, tuple[str, str]]] = {
    "": ("#5b6b7f", "#f5f7fa"),
    "added": ("#1a7f37", "#e6f6ea"),
    "removed": ("#cf222e", "#fdebec"),
    "failing": ("#cf222e", "#fdebec"),
}
"""The colors of lines and of fills, by state."""


@dataclass(frozen=True, kw_only=True)
class Box:
    """A box, with lines of text."""

    id: str
    """Identifies the box; equal in pictures before and after a change."""
    column: int
    """Index of its column."""
    lines: tuple[str, ...]
    """Its name, then further text."""
    locks: tuple[str, ...] = ()
    """Lines about security, shown with a padlock: `mTLS`, `TLS`, names of policies."""
    state: State = ""
    line_states: Mapping[str, State] = field(default_factory=dict)
    """The states of lines and locks in a box that is neither added nor removed, by their text."""


@dataclass(frozen=True, kw_only=True)
class Arrow:
    """An arrow from one box to another, by their ids."""

    source: str
    target: str
    label: str = ""
    state: State = ""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Boxes and arrows."""

    title: str
    columns: Sequence[str]
    """Titles of the columns, from left to right."""
    boxes: Sequence[Box]
    arrows: Sequence[Arrow]


def diff(old: Picture, new: Picture) -> Picture:
    """The difference of two pictures: the new one with its additions marked, and with the removed parts of the old one.

    Boxes, their lines and arrows are marked."""
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
    """A box with the lines of both pictures."""
    lines, locks = (_both(*sides) for sides in ((was.lines, now.lines), (was.locks, now.locks)))
    states = {text: state for text, state in (*lines, *locks) if state}
    return replace(
        now, lines=tuple(text for text, _ in lines), locks=tuple(text for text, _ in locks), line_states=states
    )


def _both(was: tuple[str, ...], now: tuple[str, ...]) -> Sequence[tuple[str, State]]:
    """The lines of both, with their states. Added lines begin with `+`, removed lines with `−`."""  # noqa: RUF002 (a minus)
    kept: list[tuple[str, State]] = [(text, "") if text in was else (f"+ {text}", "added") for text in now]
    return [*kept, *((f"− {text}", "removed") for text in was if text not in now)]  # noqa: RUF001 (a minus)


def _by_key(picture: Picture) -> Mapping[str, Box]:
    return {box.id: box for box in picture.boxes}
