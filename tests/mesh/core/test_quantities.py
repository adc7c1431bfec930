"""Parsing of Kubernetes' quantities."""

from decimal import Decimal
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from commands.parity.normal import normal
from mesh.core import quantities
from mesh.core.kubernetes import Quantity, Resources, Size

DECIMAL = dict(zip(("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), range(-9, 19, 3), strict=True))
BINARY = dict(zip(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), range(10, 70, 10), strict=True))
LARGEST = 2**63 - 1

digits = st.text("0123456789", min_size=1, max_size=22)
numbers = st.one_of(
    digits, digits.map("{}.".format), digits.map(".{}".format), st.tuples(digits, digits).map("{0[0]}.{0[1]}".format)
)
signs = st.sampled_from(("", "+", "-"))


def rounded_up(sign: str, exact: Fraction) -> Fraction:
    """To whole billionths, away from zero."""
    return Fraction(ceil(exact * 10**9), 10**9) * (-1 if sign == "-" else 1)


def fraction(number: str) -> Fraction:
    whole, _, rest = number.partition(".")
    return Fraction(int(f"{whole}{rest}"), 10 ** len(rest))


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0", "0"),
        ("4", "4"),
        ("1.5", "1.5"),
        ("1.", "1"),
        (".5", "0.5"),
        ("+2", "2"),
        ("-2", "-2"),
        ("100m", "0.1"),
        ("250u", "0.00025"),
        ("7n", "7e-9"),
        ("2k", "2000"),
        ("1E", "1e18"),
        ("1e3", "1000"),
        ("1E3", "1000"),
        ("1e-3", "0.001"),
        ("1.5E+2", "150"),
        ("1Ki", "1024"),
        ("1.5Gi", str(3 * 2**29)),
        ("64Gi", str(64 * 2**30)),
        ("1Ei", str(2**60)),
        ("9007199254740993", "9007199254740993"),
    ],
)
def test_each_form_of_a_quantity_is_read_exactly(text: str, amount: str) -> None:
    assert quantities.parse(text) == Decimal(amount)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 Gi",
        "odd",
        "1K",
        "1ki",
        "1gi",
        "1Mib",
        "m",
        ".",
        "--1",
        "1e",
        "1e3.5",
        "1e3Mi",
        "1Mi3",
        "0x1",
        "\u0661",
    ],
)
def test_text_in_no_form_that_kubernetes_documents_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a quantity"):
        quantities.parse(text)


def test_an_exponent_that_is_too_large_is_refused() -> None:
    with pytest.raises(ValueError, match="its exponent is too large"):
        quantities.parse(f"1e{'9' * 30}")


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0.1n", "1e-9"),
        ("-0.1n", "-1e-9"),
        ("1.0000000001", "1.000000001"),
        ("8Ei", LARGEST),
        ("-8Ei", -LARGEST),
        ("9223372036854775808", 2**63),  # decimal ones have no limit
    ],
)
def test_quantities_are_rounded_up_to_billionths_and_capped_with_a_binary_suffix(text: str, amount: str | int) -> None:
    assert quantities.parse(text) == Decimal(amount)


@given(signs, numbers, st.sampled_from(list(DECIMAL)))
def test_a_decimal_suffix_is_a_power_of_1000(sign: str, number: str, suffix: str) -> None:
    exact = fraction(number) * Fraction(10) ** DECIMAL[suffix]
    assert Fraction(quantities.parse(f"{sign}{number}{suffix}")) == rounded_up(sign, exact)


@given(signs, numbers, st.sampled_from(list(BINARY)))
def test_a_binary_suffix_is_a_power_of_1024(sign: str, number: str, suffix: str) -> None:
    exact = min(fraction(number) * 2 ** BINARY[suffix], Fraction(LARGEST))
    assert Fraction(quantities.parse(f"{sign}{number}{suffix}")) == rounded_up(sign, exact)


@given(signs, numbers, st.sampled_from("eE"), st.integers(-30, 30))
def test_an_exponent_is_a_power_of_ten(sign: str, number: str, letter: str, exponent: int) -> None:
    exact = fraction(number) * Fraction(10) ** exponent
    assert Fraction(quantities.parse(f"{sign}{number}{letter}{exponent}")) == rounded_up(sign, exact)


@pytest.mark.parametrize("text", ["1e3", "1Ei", "1E", "1E+3", "5.", ".5Gi", "+1"])
def test_settings_accept_what_kubernetes_accepts(text: str) -> None:
    assert TypeAdapter(Quantity).validate_python(text) == text


def test_settings_refuse_a_negative_quantity() -> None:
    with pytest.raises(ValidationError, match='"-1Gi" is less than zero'):
        TypeAdapter(Quantity).validate_python("-1Gi")


@pytest.mark.parametrize("text", ["0", "0.5", "1500m"])
def test_a_size_is_a_whole_number_of_bytes(text: str) -> None:
    assert TypeAdapter(Size).validate_python("1.5Gi") == "1.5Gi"
    with pytest.raises(ValidationError, match="is not a size"):
        TypeAdapter(Size).validate_python(text)


def test_requests_and_limits_are_compared_as_numbers() -> None:
    assert Resources(requests={"memory": "1e9"}, limits={"memory": "1Gi"})
    with pytest.raises(ValidationError, match="requests 1Ei of memory, more than the limit 1E"):
        Resources(requests={"memory": "1Ei"}, limits={"memory": "1E"})


@pytest.mark.parametrize(("one", "other"), [("1e3", "1k"), ("1Ei", str(2**60)), ("1E3", "1000"), ("2000m", "2")])
def test_parity_treats_equal_quantities_in_different_notations_as_equal(one: str, other: str) -> None:
    def claim(size: str) -> dict[str, object]:
        return {"apiVersion": "v1", "kind": "Claim", "metadata": {"name": "a"}, "spec": {"storage": size}}

    assert normal(claim(one)) == normal(claim(other))
