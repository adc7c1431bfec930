"""The HTML of the product page."""

from html import escape
from pathlib import Path
from string import Template
from typing import Any, Final

from sandbox.live.standins import books
from sandbox.live.standins.calls import Answer

CSS: Final = Path(__file__).with_name("page.css")
PAGE: Final = Template(Path(__file__).with_name("page.html").read_text())
STARS: Final = 5

SIGN_IN: Final = (
    '<form action="/login" method="post"><input name="username" placeholder="user name" aria-label="user name"'
    ' autocomplete="username" required maxlength="40"><button>Sign in</button></form>'
)


def product(user: str, details: Answer, reviews: Answer) -> str:
    """The product page for a user; `user` is empty if nobody is signed in."""
    return PAGE.substitute(
        title=escape(books.TITLE),
        summary=escape(books.SUMMARY),
        visitor=_visitor(user),
        details=_details(details),
        reviews=_reviews(reviews),
        served=_served(reviews),
    )


def _visitor(user: str) -> str:
    if not user:
        return SIGN_IN
    return f'<span class="user">{escape(user)}</span><a class="button" href="/logout">Sign out</a>'


def _details(answer: Answer) -> str:
    if not answer.good:
        return _missing("The details are not available", answer)
    rows = (f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in answer.data.items())
    return f"<dl>{''.join(rows)}</dl>"


def _reviews(answer: Answer) -> str:
    if not answer.good:
        return _missing("The reviews are not available", answer)
    return "".join(map(_review, answer.data["reviews"]))


def _review(review: dict[str, Any]) -> str:
    reviewer, text = escape(review["reviewer"]), escape(review["text"])
    return f"<blockquote><p>{text}</p>{_rating(review.get('rating'))}<footer>{reviewer}</footer></blockquote>"


def _rating(rating: dict[str, Any] | None) -> str:
    """Stars in the version's color, or an error message; empty if the version has no stars."""
    if rating is None:
        return ""
    if "error" in rating:
        return f'<p class="missing small">{escape(rating["error"])}</p>'
    count = int(rating["stars"])
    full, empty = "★" * count, "★" * (STARS - count)
    color = escape(rating["color"])
    return f'<p class="stars {color}" title="{count} of {STARS}">{full}<span class="empty">{empty}</span></p>'


def _missing(what: str, answer: Answer) -> str:
    why = f"status {answer.status}" if answer.status else "no answer in time"
    return f'<p class="missing"><strong>{what}.</strong> {why}</p>'


def _served(reviews: Answer) -> str:
    """The version of reviews that answered, as HTML; empty if none did."""
    return f'<b class="version">{escape(reviews.data["podname"])}</b>' if reviews.good else ""
