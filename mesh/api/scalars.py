"""Scalar types of Istio's API: numbers, ports, durations, free-form JSON.

Istio enforces the limits in its validation; the schemas of later releases have some of them, too (`Enforced`).
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from annotated_types import Ge, Interval, Le, MinLen
from pydantic import AfterValidator, AllowInfNan, BeforeValidator

from mesh.api.enforced import PORT, POSITIVE_DURATION, Enforced
from mesh.core.errors import show
from mesh.core.typed import Deciding


@dataclass(frozen=True)
class OpenAPI:
    """Keywords that a type adds to its OpenAPI schema."""

    format: str | None = None
    nullable: bool = False
    anything: bool = False
    """Whether fields that the schema does not name are preserved."""

    def keywords(self) -> dict[str, Any]:
        """The keywords that are set, by name."""
        keywords = {
            "format": self.format,
            "nullable": self.nullable,
            "x-kubernetes-preserve-unknown-fields": self.anything,
        }
        return {key: value for key, value in keywords.items() if value}


_WRAPPED = OpenAPI(nullable=True)  # a protobuf wrapper type, in which null means not set

Int32 = Annotated[int, OpenAPI("int32"), Interval(ge=-(2**31), le=2**31 - 1)]
Natural32 = Annotated[Int32, Ge(0)]
"""An int32 that must not be negative."""
Count32 = Annotated[Natural32, Enforced(minimum=0)]
"""The same, enforced by the API server, too."""
UInt32 = Annotated[int, OpenAPI(), Enforced(minimum=0, maximum=2**32 - 1), Interval(ge=0, le=2**32 - 1)]
UInt64 = Annotated[int, OpenAPI(), Enforced(minimum=0), Interval(ge=0, le=2**63 - 1)]
"""A uint64; the maximum is that of int64, in which Kubernetes holds integers."""
Double = Annotated[float, OpenAPI("double"), AllowInfNan(False)]

BoolValue = Annotated[bool, _WRAPPED]
UInt32Value = Annotated[UInt32, _WRAPPED]
Int64Value = Annotated[int, _WRAPPED, Interval(ge=-(2**63), le=2**63 - 1)]
Int32Value = Annotated[Int32, _WRAPPED]
DoubleValue = Annotated[float, _WRAPPED, Enforced(format="double"), AllowInfNan(False)]
PercentageValue = Annotated[DoubleValue, Enforced(minimum=0, maximum=100), Interval(ge=0, le=100)]

PortNumber = Annotated[UInt32, Interval(ge=1, le=65535)]
EndpointPort = Annotated[PortNumber, Enforced(rules=(PORT,))]
"""A port number whose range the API server enforces, too."""
SocketPort = Annotated[UInt32, Le(65535)]
"""A port number, or 0 for a Unix domain socket."""
Percentage = Annotated[Int32, Interval(ge=0, le=100)]

Text = Annotated[str, MinLen(1)]
"""A string that must not be empty."""
Word = Annotated[Text, Enforced(minLength=1)]
"""The same, enforced by the API server, too."""


def port_of(text: str) -> int | None:
    """The port number (0 to 65535) in `text`; None if `text` is not a port number."""
    if not (text.isascii() and text.isdigit() and len(text) <= 5):
        return None
    return int(text) if int(text) <= 65535 else None


def _port_key(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


PortKey = Annotated[PortNumber, BeforeValidator(_port_key)]
"""A port number as the key of a map, which is text in YAML and JSON."""

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
    """The length of a duration in Go's notation, such as `1h30m` or `0.5s`. Raises ValueError if it is malformed."""
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


def _detection(text: str) -> str:
    if nanoseconds(text) % _UNITS["ms"]:
        raise ValueError(f"{show(text)} is not a whole number of milliseconds")
    return text


def _connecting(text: str) -> str:
    if nanoseconds(_effective(text)) > _UNITS["h"]:
        raise ValueError(f"{show(text)} is longer than 1h, the longest that Istio accepts")
    return text


AnyDuration = Annotated[str, AfterValidator(_duration), Deciding]
"""A duration in Go's notation, 0 or longer."""
Duration = Annotated[str, AfterValidator(_effective), Deciding, Enforced(rules=(POSITIVE_DURATION,))]
"""A duration in Go's notation: whole milliseconds, at least 1ms."""
DetectionTimeout = Annotated[str, AfterValidator(_detection), Deciding]
"""A duration in Go's notation: whole milliseconds, 0 or longer."""
ConnectTimeout = Annotated[str, AfterValidator(_connecting), Deciding]
"""A duration in Go's notation: whole milliseconds, 1ms to 1h."""


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
        raise ValueError(f"{show(value)} is not a JSON value")
    return value


Struct = Annotated[dict[str, Any], OpenAPI(anything=True), AfterValidator(_json)]
"""A JSON object of any form, such as a part of Envoy's configuration (protobuf's Struct)."""
