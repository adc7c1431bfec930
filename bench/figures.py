"""What measured numbers say: their medians, how two of them compare, and how fast something grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from statistics import linear_regression, median


@dataclass(frozen=True)
class Figure:
    """One quantity, measured several times."""

    values: Sequence[float]

    @property
    def middle(self) -> float:
        return median(self.values)


@dataclass(frozen=True)
class Ratio:
    """How a figure compares with another."""

    middle: float
    low: float
    high: float
    """With the values of single rounds: smallest and largest."""


def ratio(ours: Figure, theirs: Figure) -> Ratio:
    """Ours by theirs: of the medians, and of each round by itself. Rounds stand in the same order in both."""
    rounds = [own / other for own, other in zip(ours.values, theirs.values, strict=False)]
    return Ratio(ours.middle / theirs.middle, min(rounds), max(rounds))


def exponent(by_size: Mapping[int, float]) -> float:
    """k in `value = c * size ** k`, fitted by least squares of the logarithms: 1 is linear, 2 a square. What is too
    small to be told from nothing is left out."""
    points = [(log(size), log(value)) for size, value in by_size.items() if value > 0]
    return linear_regression(*zip(*points, strict=True)).slope
