"""Risks, and the kinds of them that there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from mesh.analysis.objects import Ref
from mesh.review.subject import Subject

Found = Iterator[tuple[Ref, str]]
"""Objects that have a risk, with reasons."""


class Weight(IntEnum):
    """How grave a risk is; the gravest is the largest."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, kw_only=True)
class Risk:
    """Something that a reviewer should know before the change is let through."""

    weight: Weight
    word: str
    """What kind of risk, such as `mTLS weakened`."""
    object: Ref
    reason: str
    """What it is about this object, in one line."""


@dataclass(frozen=True, kw_only=True)
class RiskKind:
    """One kind of risk."""

    word: str
    weight: Weight
    meaning: str
    """When it is told, for the docs."""
    look: Callable[[Subject], Found]
    """Finds the objects that have it."""
