"""Outputs whose value is known before the engine answers, such as the fixed name of an object."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import pulumi

_VALUES: WeakKeyDictionary[pulumi.Output[Any], Any] = WeakKeyDictionary()


def with_known_value(output: pulumi.Output[str], value: str) -> pulumi.Output[str]:
    """The same output, for which `known_value` returns `value` from now on."""
    _VALUES[output] = value
    return output


def known_value(value: Any) -> Any:
    """The value of a resource's input: itself if it is no output, else what `with_known_value` noted, else None."""
    return _VALUES.get(value) if isinstance(value, pulumi.Output) else value
