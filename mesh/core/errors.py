"""How a person is told that something cannot be, and what was probably meant."""

import difflib
import json
from collections.abc import Iterable
from typing import Any

_SHOWN = 60  # characters of a value that a message repeats


class UserError(Exception):
    """What was asked for cannot be; the text says why and what to do, and is all that the person needs to see."""


def invalid_choice(path: str, value: Any, choices: Iterable[str]) -> str:
    """`value`, given at `path`, is none of `choices`: what is possible, and what was probably meant."""
    return f"{path}: {not_one_of(value, choices)}"


def not_one_of(value: Any, choices: Iterable[str]) -> str:
    """The same without a path, for validators of a field: `problems` puts the path before it."""
    choices = list(choices)
    return f"{show(value)} is not one of {', '.join(choices) or 'nothing'}{nearest(value, choices)}"


def nearest(value: Any, choices: Iterable[str]) -> str:
    """`; did you mean "…"?` with the choice that is most like `value`, or nothing."""
    by_lower = {name.lower(): name for name in choices}
    close = difflib.get_close_matches(str(value).lower(), by_lower, n=1)
    return f'; did you mean "{by_lower[close[0]]}"?' if close else ""


def show(value: Any) -> str:
    """A value as it stands in JSON, cut to a readable length."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        return f"a Python object of type {type(value).__name__}"
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
