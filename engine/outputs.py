"""Outputs whose value is known before the engine answers, such as the fixed name of an object."""

from __future__ import annotations

from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import pulumi

_T = TypeVar("_T")
_VALUES: WeakKeyDictionary[pulumi.Output[Any], Any] = WeakKeyDictionary()


def with_known_value(output: pulumi.Output[_T], value: _T) -> pulumi.Output[_T]:
    """The same output, for which `known_value` returns `value` from now on."""
    _VALUES[output] = value
    return output


def known_value(value: Any) -> Any:
    """The value of a resource's input. For an output, the value that `with_known_value` recorded, or None."""
    return _VALUES.get(value) if isinstance(value, pulumi.Output) else value
