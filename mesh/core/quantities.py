"""Kubernetes' resource quantities, such as `100m`, `1.5Gi` or `1e3`, parsed as apimachinery's `ParseQuantity` does.

A quantity is a signed decimal number with one suffix: a decimal one (`m`, `k`, `M` … `E`, powers of 1000), a binary one
(`Ki`, `Mi` … `Ei`, powers of 1024), or an exponent of ten (`e3`, `E3`). `1E` is therefore 10¹⁸, and `1E1` is ten.
"""

from __future__ import annotations

import re
from decimal import ROUND_UP, Context, Decimal, InvalidOperation
from typing import Final

_EXPONENTS: Final = {
    unit: 3 * power for power, unit in enumerate(("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), -3)
}
"""Powers of ten of the decimal suffixes."""
_FACTORS: Final = {f"{unit}i": 1024**power for power, unit in enumerate("KMGTPE", 1)}
"""Factors of the binary suffixes."""
_FORM: Final = re.compile(
    r"(?P<number>[+-]?([0-9]+\.?[0-9]*|\.[0-9]+))((?P<suffix>[numkMGTPE]?|[KMGTPE]i)|[eE](?P<exponent>[+-]?[0-9]+))"
)
_LARGEST: Final = Decimal(2**63 - 1)
"""The maximum of quantities with a binary suffix; larger ones are capped."""
_FINEST: Final = Decimal("1e-9")
"""The smallest unit; quantities are rounded to it, away from zero."""


def parse(text: str) -> Decimal:
    """The quantity as a number. Raises ValueError if the text is not a quantity."""
    found = _FORM.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is not a quantity")
    number, suffix = found["number"], found["suffix"] or ""
    exact = Context(prec=len(text) + 30)
    try:
        amount = Decimal(f"{number}e{found['exponent'] or _EXPONENTS.get(suffix, 0)}")
    except InvalidOperation:  # an exponent of some twenty digits
        raise ValueError(f"{text!r} is not a quantity: its exponent is too large") from None
    if suffix in _FACTORS:
        amount = exact.multiply(amount, Decimal(_FACTORS[suffix]))
    if amount.as_tuple().exponent < _FINEST.as_tuple().exponent:  # type: ignore[operator]  # both are numbers
        amount = amount.quantize(_FINEST, ROUND_UP, exact)
    return min(abs(amount), _LARGEST).copy_sign(amount) if suffix in _FACTORS else amount
