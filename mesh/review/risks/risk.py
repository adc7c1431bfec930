"""The types of risks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from mesh.analysis.objects import Ref
from mesh.review.subject import Subject

Found = Iterator[tuple[Ref, str]]
"""The objects at risk, with reasons."""


class Weight(IntEnum):
    """The weight of a risk; a larger value is graver."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, kw_only=True)
class Risk:
    """A consequence of a change that a reviewer should know about before approval."""

    weight: Weight
    name: str
    """The name of the kind of risk, such as `mTLS weakened`."""
    object: Ref
    reason: str
    """What the change does to this object, in one line."""


@dataclass(frozen=True, kw_only=True)
class RiskKind:
    """One kind of risk."""

    name: str
    weight: Weight
    meaning: str
    """The description in docs/report.md."""
    find: Callable[[Subject], Found]
    """Finds the objects at risk."""
