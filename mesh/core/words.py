"""Numbers and lists in the text of messages."""

from collections.abc import Sequence


def count(number: int, noun: str) -> str:
    """The number with its noun: `1 node`, `2 nodes`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def some(names: Sequence[str], most: int, between: str = ", ") -> str:
    """The first `most` names and the number of the others: `a, b and 3 more`."""
    shown = between.join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
