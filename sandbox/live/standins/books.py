"""The stand-ins' data: one book, two reviews, and their ratings."""

from typing import Any, Final

TITLE: Final = "The Comedy of Errors"

SUMMARY: Final = (
    "Two pairs of twins, parted as infants by a shipwreck, end up in the same town without knowing it. For one day"
    " everybody talks to the wrong man: a wife dines with a stranger, a goldsmith is not paid, a servant is beaten"
    " for errands that he never got. It is the shortest of Shakespeare's plays, and every request is misrouted."
)

DETAILS: Final[dict[str, Any]] = {
    "id": 0,
    "author": "William Shakespeare",
    "year": 1595,
    "type": "paperback",
    "pages": 112,
    "publisher": "Stand-in Press",
    "language": "English",
}

REVIEWS: Final = (
    ("Reader A", "I laughed until the second Dromio came in, and then I laughed twice as much."),
    ("Reader B", "Neat, quick and silly. Whoever has once debugged a routing table will feel at home."),
)

RATINGS: Final = {name: stars for (name, _), stars in zip(REVIEWS, (5, 4), strict=True)}

COLORS: Final = {"v1": None, "v2": "black", "v3": "red"}
"""Color of the stars that each version of reviews shows; None for no stars."""

PATIENCE: Final = {"v2": 10.0, "v3": 2.5}
"""Timeout of each version of reviews for its call to ratings, in seconds; the same as the application's."""
