"""The base of errors that users see, and the wording of messages about invalid values."""

import difflib
import json
from collections.abc import Iterable
from typing import Any

from mesh.core import secure

_SHOWN = 60  # characters of a value that a message shows


class UserError(Exception):
    """An error of the user's input or environment. Its message says what to do, and is shown without a traceback."""


def invalid_choice(path: str, value: Any, choices: Iterable[str]) -> str:
    """The message that the value at `path` is not one of `choices`, with the most similar choice."""
    return f"{path}: {not_one_of(value, choices)}"


def not_one_of(value: Any, choices: Iterable[str]) -> str:
    """The same message without the path, for field validators: `validation.problems` adds the path."""
    choices = list(choices)
    return f"{show(value)} is not one of {', '.join(choices) or 'nothing'}{nearest(value, choices)}"


def nearest(value: Any, choices: Iterable[str], similarity: float = 0.6) -> str:
    """`; did you mean "…"?` with the choice most similar to `value`, in any letter case; empty if the similarity of all
    choices is below `similarity`, from 0 to 1."""
    by_lower = {name.lower(): name for name in choices}
    close = difflib.get_close_matches(str(value).lower(), by_lower, n=1, cutoff=similarity)
    return f'; did you mean "{by_lower[close[0]]}"?' if close else ""


def show(value: Any) -> str:
    """The value as JSON, shortened for a message, unless it has a placeholder of an encrypted value."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        return f"a Python object of type {type(value).__name__}"
    return text if len(text) <= _SHOWN or secure.key_of(text) else text[:_SHOWN] + "…"
