"""Statistics of measurements: medians, ratios, and exponents of growth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from statistics import linear_regression, median


@dataclass(frozen=True)
class Figure:
    """The values of one quantity that was measured several times."""

    values: Sequence[float]

    @property
    def middle(self) -> float:
        return median(self.values)


@dataclass(frozen=True)
class Ratio:
    """The ratio of two figures' medians."""

    middle: float
    low: float
    high: float
    """The smallest (`low`) and largest (`high`) ratio of a single round."""


def ratio(ours: Figure, theirs: Figure) -> Ratio:
    """The ratio of our figure to theirs. The values of both are in the order of rounds."""
    rounds = [own / other for own, other in zip(ours.values, theirs.values, strict=False)]
    return Ratio(ours.middle / theirs.middle, min(rounds), max(rounds))


def exponent(by_size: Mapping[int, float]) -> float:
    """The exponent k of `value = c * size ** k`, fitted by least squares of the logarithms; 1 means linear growth.
    Values of 0 or less, which noise causes, are ignored."""
    points = [(log(size), log(value)) for size, value in by_size.items() if value > 0]
    return linear_regression(*zip(*points, strict=True)).slope
