"""Statistics and tables of measurements."""

from __future__ import annotations

import pytest

from bench import tables
from bench.figures import Figure, exponent, ratio


def test_the_middle_of_a_figure_is_its_median() -> None:
    assert Figure([4.0, 5.0, 9.0]).middle == 5


def test_a_ratio_has_the_medians_and_the_extremes_of_single_rounds() -> None:
    found = ratio(Figure([1.0, 2.0, 3.0]), Figure([4.0, 4.0, 4.0]))
    assert (found.middle, found.low, found.high) == (0.5, 0.25, 0.75)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_exponent_of_a_power_is_found(power: float) -> None:
    assert exponent({size: 3 * size**power for size in (10, 100, 1000)}) == pytest.approx(power)


def test_a_table_shows_number_and_range_of_measurements() -> None:
    assert tables.seconds(Figure([4.9, 5.12, 5.31])) == "5.12 s (4.90 to 5.31, n 3)"
    assert tables.mebibytes(Figure([500 * 2**20, 512 * 2**20])) == "506 MiB (500 to 512, n 2)"
    assert tables.table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_the_fit_ignores_values_lost_in_noise() -> None:
    assert exponent({10: -0.1, 100: 1.0, 1000: 10.0}) == pytest.approx(1)
