"""Messages about invalid values."""

from mesh.core import errors


def test_a_long_value_is_shortened() -> None:
    assert errors.show("x" * 58) == '"' + "x" * 58 + '"'
    assert errors.show("x" * 59) == '"' + "x" * 59 + "…"


def test_an_invalid_choice_suggests_the_most_similar_one_in_any_letter_case() -> None:
    line = errors.invalid_choice("mesh:profile", "DEMP", ["default", "demo"])
    assert line == 'mesh:profile: "DEMP" is not one of default, demo; did you mean "demo"?'


def test_an_invalid_choice_without_valid_ones_says_so() -> None:
    assert errors.invalid_choice("mesh:context", "a", []) == 'mesh:context: "a" is not one of nothing'
