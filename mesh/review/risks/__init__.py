"""The risks of a change: a name, a weight, the object, and the reason.

Each module lists the kinds of risk of one subject, each with a function that takes the whole change and yields the
objects at risk, with reasons.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Final

from mesh.review.risks import access, availability, exposure, removal, sidecars
from mesh.review.risks.risk import Risk, RiskKind, Weight
from mesh.review.subject import Subject

__all__ = ["RISKS", "Risk", "RiskKind", "Weight", "find"]

RISKS: Final[Sequence[RiskKind]] = sorted(
    chain(access.RISKS, exposure.RISKS, removal.RISKS, sidecars.RISKS, availability.RISKS),
    key=lambda kind: (-kind.weight, kind.name),
)
"""Every kind of risk, the gravest first."""


def find(subject: Subject) -> Sequence[Risk]:
    """The risks of a change, the gravest first."""
    found = [
        Risk(weight=kind.weight, name=kind.name, object=where, reason=why)
        for kind in RISKS
        for where, why in kind.find(subject)
    ]
    return sorted(dict.fromkeys(found), key=lambda risk: (-risk.weight, risk.name, risk.object, risk.reason))
