"""Outputs whose values are known before the engine hands them back: the fixed names of objects."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import pulumi

_VALUES: WeakKeyDictionary[pulumi.Output[Any], Any] = WeakKeyDictionary()


def promised(output: pulumi.Output[str], value: str) -> pulumi.Output[str]:
    """The same output; it is known that it will be `value`."""
    _VALUES[output] = value
    return output


def known(value: Any) -> Any:
    """An input as it will be: itself if it is plain, what was promised of an output, otherwise None."""
    return _VALUES.get(value) if isinstance(value, pulumi.Output) else value
