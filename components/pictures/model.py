"""What a picture shows: boxes in columns, and arrows between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

State = Literal["", "added", "removed"]
"""What a change does to a part of the picture; empty if nothing."""


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
    """The new picture with what is added to the old one marked, and what is removed still in it. A box that says
    something else than before is there twice, each with its own arrows."""
    before, after = _by_key(old), _by_key(new)
    boxes: list[Box] = []
    gone: dict[str, str] = {}
    for key in dict.fromkeys([*before, *after]):
        was, now = before.get(key), after.get(key)
        if was and was != now:
            gone[key] = f"{key} (before)" if now else key
            boxes.append(replace(was, id=gone[key], state="removed"))
        if now:
            boxes.append(now if was == now else replace(now, state="added"))
    come = {box.id for box in boxes if box.state == "added"}
    arrows: list[Arrow] = []
    for arrow in new.arrows:
        same = arrow in old.arrows and not {arrow.source, arrow.target} & come
        arrows.append(arrow if same else replace(arrow, state="added"))
    for arrow in old.arrows:
        if arrow not in new.arrows or {arrow.source, arrow.target} & gone.keys():
            source, target = gone.get(arrow.source, arrow.source), gone.get(arrow.target, arrow.target)
            arrows.append(replace(arrow, source=source, target=target, state="removed"))
    return replace(new, boxes=boxes, arrows=arrows)


def _by_key(picture: Picture) -> Mapping[str, Box]:
    return {box.id: box for box in picture.boxes}
