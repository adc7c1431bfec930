"""Numbers, durations and other single values: their Python type, their form on the wire, and their limits.

The limits are Istio's; it enforces them itself and leaves them out of its schemas, and so do we.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from annotated_types import Ge, Interval, Le, MinLen
from pydantic import AfterValidator, AllowInfNan, BeforeValidator

from mesh.core.errors import show


@dataclass(frozen=True)
class OpenAPI:
    """What a type adds to its schema beyond what Python's type says."""

    format: str | None = None
    nullable: bool = False
    anything: bool = False
    """Whether any fields are kept, unknown to the schema."""

    def keywords(self) -> dict[str, Any]:
        """The schema's keywords."""
        keywords = {
            "format": self.format,
            "nullable": self.nullable,
            "x-kubernetes-preserve-unknown-fields": self.anything,
        }
        return {key: value for key, value in keywords.items() if value}


_WRAPPED = OpenAPI(nullable=True)  # protobuf's wrapper types tell "not set" from zero by null

Int32 = Annotated[int, OpenAPI("int32"), Interval(ge=-(2**31), le=2**31 - 1)]
Natural32 = Annotated[Int32, Ge(0)]
"""An int32 that Istio refuses below zero."""
UInt32 = Annotated[int, OpenAPI(), Interval(ge=0, le=2**32 - 1)]
UInt64 = Annotated[int, OpenAPI(), Interval(ge=0, le=2**63 - 1)]
"""Kubernetes holds whole numbers in 64 bits with a sign, so the upper half is out of reach."""
Double = Annotated[float, OpenAPI("double"), AllowInfNan(False)]

BoolValue = Annotated[bool, _WRAPPED]
UInt32Value = Annotated[UInt32, _WRAPPED]
Int64Value = Annotated[int, _WRAPPED, Interval(ge=-(2**63), le=2**63 - 1)]
DoubleValue = Annotated[float, _WRAPPED, AllowInfNan(False)]

PortNumber = Annotated[UInt32, Interval(ge=1, le=65535)]
SocketPort = Annotated[UInt32, Le(65535)]
"""A port that is 0 where a Unix domain socket is meant."""
Percentage = Annotated[Int32, Interval(ge=0, le=100)]

Text = Annotated[str, MinLen(1)]
"""A string that says something."""


def port_of(text: str) -> int | None:
    """The port that `text` is, 0 to 65535, or None."""
    if not (text.isascii() and text.isdigit() and len(text) <= 5):
        return None
    return int(text) if int(text) <= 65535 else None


def _port_key(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


PortKey = Annotated[PortNumber, BeforeValidator(_port_key)]
"""A port as the key of a mapping: text on the wire, where keys cannot be anything else."""

_UNITS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_AMOUNT = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_LONGEST = 2**63 - 1  # nanoseconds; Go's own limit, about 292 years


def nanoseconds(text: str) -> int:
    """A duration in Go's notation, such as `1h30m` or `0.5s`. Raises ValueError."""
    amounts = list(_AMOUNT.finditer(text))
    if "".join(amount.group() for amount in amounts) != text or not text:
        raise ValueError(f'{show(text)} is not a duration: write it like "5s", "1.5h" or "100ms"')
    total = int(sum(Decimal(amount[1]) * _UNITS[amount[2]] for amount in amounts))
    if total > _LONGEST:
        raise ValueError(f"{show(text)} is too long: Istio counts up to 292 years")
    return total


def _duration(text: str) -> str:
    nanoseconds(text)
    return text


def _effective(text: str) -> str:
    length = nanoseconds(text)
    if length < _UNITS["ms"] or length % _UNITS["ms"]:
        raise ValueError(f"{show(text)} is not a whole number of milliseconds, 1ms or more")
    return text


AnyDuration = Annotated[str, AfterValidator(_duration)]
"""A length of time, zero included."""
Duration = Annotated[str, AfterValidator(_effective)]
"""A length of time of at least 1ms, in whole milliseconds."""


def _json(value: Any) -> Any:
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ValueError(f"the key {show(key)} is not a string")
            _json(item)
    elif isinstance(value, list):
        for item in value:
            _json(item)
    elif isinstance(value, float) and value - value != 0:
        raise ValueError(f"{value} is not a number that JSON can hold")
    elif not isinstance(value, str | int | float | None):
        raise ValueError(f"{show(value)} cannot stand in JSON")
    return value


Struct = Annotated[dict[str, Any], OpenAPI(anything=True), AfterValidator(_json)]
"""Any JSON object, such as a piece of Envoy's own configuration."""
