"""The road of a stack to another release: its stations, how far the stack is, and the next step as edits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mesh.config.edits import Edit
from mesh.core import errors
from mesh.upgrade.standing import Standing
from mesh.upgrade.steps import STEPS, Step
from mesh.upgrade.target import UpgradeError


class Mark(StrEnum):
    """Whether a stack has passed a station."""

    DONE = "done"
    NEXT = "next"
    LATER = "later"


@dataclass(frozen=True, kw_only=True)
class Station:
    """A station of the road that applies to the stack."""

    name: str
    about: str
    """What the station affects, such as the name of a namespace."""
    mark: Mark


@dataclass(frozen=True, kw_only=True)
class Move:
    """The next step, as edits of the stack file."""

    name: str
    edits: Sequence[Edit]
    left_out: Sequence[str]
    """The settings that the release lacks, one line each."""
    back: str
    """How to undo the step."""
    reversible: bool
    """Whether undoing the edits undoes the step."""


@dataclass(frozen=True, kw_only=True)
class Road:
    """The road of a stack."""

    stations: Sequence[Station]
    move: Move | None
    """The next step; None at the end of the road."""
    unmoved: bool
    """Whether no namespace and no gateway has moved yet."""


def road(at: Standing) -> Road:
    """The road from the present state of the stack. Raises UpgradeError if the named namespace cannot move next."""
    steps = [step for step in STEPS if step.applies(at)]
    following = next((step for step in steps if not step.is_done(at)), None)
    if at.namespace:
        _check_namespace(at, following)
    stations = [Station(name=step.name, about=step.about(at), mark=_mark(step, following, at)) for step in steps]
    move = None
    if following:
        edits, left = following.edits(at)
        move = Move(
            name=following.name,
            edits=edits,
            left_out=left,
            back=following.back,
            reversible=following.reversible,
        )
    return Road(stations=stations, move=move, unmoved=at.unmoved)


def _mark(step: Step, following: Step | None, at: Standing) -> Mark:
    if step is following:
        return Mark.NEXT
    return Mark.DONE if step.is_done(at) else Mark.LATER


def _check_namespace(at: Standing, following: Step | None) -> None:
    name, waiting = at.namespace, [name for name, done in at.namespaces.items() if not done]
    if name not in at.namespaces:
        raise UpgradeError(errors.invalid_choice("NAMESPACE", name, at.namespaces))
    if following and following.name == "other namespaces" and name not in waiting:
        raise UpgradeError(
            f"NAMESPACE={name} has moved to {at.target.revision} already: name one of {', '.join(waiting)}, or none"
            " for all"
        )
