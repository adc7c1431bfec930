"""What is risky about a change: a word for the kind of risk, how grave it is, which object, and why.

Each module below is about one subject. A rule is a function that takes the whole change and yields objects with
reasons; the table puts a word, a weight and a meaning to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Final

from mesh.review.risks import access, exposure, presence, removal
from mesh.review.risks.rule import Risk, Rule, Weight
from mesh.review.subject import Subject

__all__ = ["RULES", "Risk", "Rule", "Weight", "find"]

RULES: Final[Sequence[Rule]] = sorted(
    chain(access.RULES, exposure.RULES, removal.RULES, presence.RULES), key=lambda rule: (-rule.weight, rule.word)
)
"""Every kind of risk, the gravest first."""


def find(subject: Subject) -> Sequence[Risk]:
    """What is risky about a change, the gravest first; in a fixed order."""
    found = [
        Risk(weight=rule.weight, word=rule.word, object=where, reason=why)
        for rule in RULES
        for where, why in rule.look(subject)
    ]
    return sorted(dict.fromkeys(found), key=lambda risk: (-risk.weight, risk.word, risk.object, risk.reason))
