"""Numbers and lists in messages."""

import pytest

from mesh.core import words


@pytest.mark.parametrize(("number", "text"), [(0, "0 nodes"), (1, "1 node"), (2, "2 nodes")])
def test_a_count_uses_singular_for_one_and_plural_otherwise(number: int, text: str) -> None:
    assert words.count(number, "node") == text


@pytest.mark.parametrize(
    ("most", "text"), [(1, "a and 2 more"), (2, "a, b and 1 more"), (3, "a, b, c"), (4, "a, b, c")]
)
def test_a_long_list_is_shortened_with_the_number_of_names_left_out(most: int, text: str) -> None:
    assert words.some(["a", "b", "c"], most) == text
