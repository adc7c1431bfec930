"""Outputs whose values are known before the engine answers: the fixed names of objects."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import pulumi

_VALUES: WeakKeyDictionary[pulumi.Output[Any], Any] = WeakKeyDictionary()


def with_known_value(output: pulumi.Output[str], value: str) -> pulumi.Output[str]:
    """The same output; from now on `known_value` says that it will be `value`."""
    _VALUES[output] = value
    return output


def known_value(value: Any) -> Any:
    """An input as it will be: itself if it is plain, the value that an output is known to get, otherwise None."""
    return _VALUES.get(value) if isinstance(value, pulumi.Output) else value
